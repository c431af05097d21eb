"""Submissions that cheat, break, hang or hoard, and what each may come out as.

In every one the question `rectified` has its right answer, unless `expected` says otherwise: what is
done to `clipped` must not cost it a point.
"""

from dataclasses import dataclass, field
from pathlib import Path

from submissions import CLIPPED_RIGHT, CLIPPED_WRONG, RECTIFIED_RIGHT, STUB, cell

RIGHT = {"right"}
REVIEW = {"REVIEW"}
NOT_RIGHT = {"wrong", "error", "not attempted", "REVIEW"}
SOLUTIONS = Path(__file__).parents[3] / "solutions"


@dataclass(frozen=True)
class Case:
    """A submission, by what it tries; `clipped` and `rectified` are the statuses it may get."""

    name: str
    cells: tuple
    clipped: set = field(default_factory=lambda: NOT_RIGHT)
    rectified: set = field(default_factory=lambda: RIGHT)


def cheat(name, *cells, clipped=NOT_RIGHT):
    """It must not score on `clipped`."""
    return Case(name, ("import numpy as np", *cells, RECTIFIED_RIGHT), clipped)


def nuisance(name, *cells, clipped=RIGHT):
    """It holds the right answer, and does something that must not cost it."""
    return Case(name, ("import numpy as np", CLIPPED_RIGHT, *cells, RECTIFIED_RIGHT), clipped)


def _answer(body):
    """`clipped`, with this body."""
    indented = "\n".join(f"    {line}" for line in body.strip().splitlines())
    return f"def clipped(upstream, x):\n{indented}"


COMPARISONS = [
    cheat("np.allclose is always true", "np.allclose = lambda *a, **k: True", CLIPPED_WRONG),
    cheat(
        "every comparison of NumPy is always true",
        "for name in ('allclose', 'isclose', 'array_equal', 'array_equiv', 'all', 'equal'):\n"
        "    setattr(np, name, lambda *a, **k: True)\n"
        "np.testing.assert_allclose = np.testing.assert_array_equal = lambda *a, **k: None",
        CLIPPED_WRONG,
    ),
    cheat(
        "the built-ins lie",
        "import builtins\nbuiltins.all = builtins.any = lambda *a: True",
        CLIPPED_WRONG,
    ),
    cheat(
        "an object that equals everything",
        _answer(
            "class Anything:\n"
            "    __eq__ = __le__ = __ge__ = lambda *a: True\n"
            "    __array_ufunc__ = None\n"
            "    def __array_function__(self, *a): return True\n"
            "    def __array__(self, *a, **k): return np.asarray(upstream)\n"
            "    def __getattr__(self, name): return Anything()\n"
            "    def __call__(self, *a, **k): return self\n"
            "return Anything()"
        ),
    ),
    cheat(
        "an array that is close to everything",
        "class Close(np.ndarray):\n"
        "    __sub__ = __rsub__ = lambda self, other: np.zeros(self.shape)\n"
        "    __eq__ = lambda self, other: np.ones(self.shape, bool)\n"
        "    def __array_ufunc__(self, *a, **k): return np.zeros(self.shape)",
        _answer("return np.asarray(upstream).view(Close)"),
    ),
    cheat("nan, which equals nothing", _answer("return upstream * np.nan")),
    cheat("infinity", _answer("return np.where(abs(x) <= 1, upstream, np.inf)")),
    cheat(
        "a float that lies", "class F(float):\n    __eq__ = lambda *a: True", _answer("return F()")
    ),
    cheat("nothing at all", _answer("pass")),
    cheat("text", _answer("return 'right'")),
    cheat("True", _answer("return True")),
    cheat("a generator without end", _answer("import itertools\nreturn itertools.count()")),
    cheat("a list inside itself", _answer("a = []\na.append(a)\nreturn a")),
    cheat("a billion numbers", _answer("return np.broadcast_to(0.0, (10**9,))")),
    cheat("numbers copied from one run", _answer("return np.array([0.1, -0.2, 0, 0, 0, 1, 2, 3])")),
    cheat(
        "the right numbers once, then others",
        "calls = []",
        _answer("calls.append(1)\nreturn upstream * (abs(x) <= 1) if len(calls) < 2 else upstream"),
    ),
    cheat("overwrites what it was given", _answer("x *= 0\nreturn upstream * (abs(x) <= 1)")),
    cheat("right but for the boundary", _answer("return upstream * (abs(x) < 1)")),
]

TAMPERED = [
    cheat(
        "later cells become pass",
        "get_ipython().input_transformers_post.append(lambda lines: ['pass\\n'])",
        CLIPPED_WRONG,
    ).__class__(
        "later cells become pass",
        (
            "import numpy as np",
            RECTIFIED_RIGHT,
            CLIPPED_WRONG,
            "get_ipython().input_transformers_post.append(lambda lines: ['pass\\n'])",
        ),
    ),
    Case(
        "all metadata is stripped",
        (RECTIFIED_RIGHT, CLIPPED_RIGHT, 'check("clipped")', "assert False"),
        RIGHT,
    ),
    Case(
        "the cells are in another order",
        (RECTIFIED_RIGHT, CLIPPED_RIGHT, "import numpy as np"),
        RIGHT,
    ),
    Case(
        "an untouched copy of the answer's cell follows it",
        ("import numpy as np", CLIPPED_RIGHT, RECTIFIED_RIGHT, STUB),
        RIGHT,
    ),
    Case(
        "the answer is in a Markdown cell",
        ("import numpy as np", cell(CLIPPED_RIGHT, "markdown"), RECTIFIED_RIGHT),
        RIGHT,
    ),
    Case(
        "the answer is in a raw cell",
        ("import numpy as np", cell(CLIPPED_RIGHT, "raw"), RECTIFIED_RIGHT),
        RIGHT,
    ),
    Case(
        "the answer is marked as a test",
        (cell(CLIPPED_RIGHT, grade=True, solution=False, grade_id="x"), RECTIFIED_RIGHT),
        RIGHT,
    ),
    Case(
        "the handed-out test is changed, and would give points",
        (
            CLIPPED_WRONG,
            RECTIFIED_RIGHT,
            cell("clipped = rectified", grade=True, solution=False, grade_id="test"),
        ),
    ),
    Case(
        "a test is changed so that it ends everything",
        (
            CLIPPED_RIGHT,
            RECTIFIED_RIGHT,
            cell("import os; os._exit(0)", grade=True, solution=False, grade_id="test"),
        ),
        RIGHT,
    ),
    Case(
        "the cell with the imports is gone",
        ("x = 1", CLIPPED_RIGHT.replace("abs", "np.abs"), RECTIFIED_RIGHT),
        RIGHT,
    ),
    Case(
        "a syntax error in one answer",
        ("def clipped(upstream, x) return 0", RECTIFIED_RIGHT),
        {"error"},
    ),
    Case("an answer is deleted", ("import numpy as np", RECTIFIED_RIGHT), {"not attempted"}),
    Case("an answer is left blank", (STUB, RECTIFIED_RIGHT), {"not attempted"}),
    Case("an answer is a number", ("clipped = 3", RECTIFIED_RIGHT), {"error"}),
]

KILLERS = [
    nuisance("os._exit in a cell", "import os\nos._exit(0)"),
    nuisance("a segmentation fault in a cell", "import ctypes\nctypes.string_at(0)"),
    nuisance("abort in a cell", "import os\nos.abort()"),
    nuisance("SIGKILL to itself", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"),
    nuisance("SIGKILL to everybody", "import os\nos.kill(-1, 9)"),
    nuisance("SIGKILL to its parent", "import os\nos.kill(os.getppid(), 9)"),
    nuisance("sys.exit in a cell", "import sys\nsys.exit(1)"),
    nuisance("exit() in a cell", "exit()"),
    nuisance("a stack that never ends", "def f(): return f()\nf()"),
    nuisance("the compiler's stack", "eval('(' * 100000 + ')' * 100000)"),
    nuisance("a loop without end", "while True: pass"),
    nuisance(
        "a loop that swallows interrupts",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ),
    nuisance(
        "a loop deaf to alarms",
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
    ),
    nuisance("one long call into C", "10**10**8"),
    nuisance("waiting for input", "input('your name: ')"),
    nuisance("a long sleep", "import time\ntime.sleep(1000)"),
    cheat("os._exit in an answer", _answer("import os\nos._exit(0)"), clipped=REVIEW),
    cheat(
        "a segmentation fault in an answer",
        _answer("import ctypes\nctypes.string_at(0)"),
        clipped=REVIEW,
    ),
    cheat("a loop without end in an answer", _answer("while True: pass"), clipped=REVIEW),
    cheat(
        "an answer that swallows interrupts",
        _answer("while True:\n    try:\n        while True: pass\n    except BaseException: pass"),
        clipped=REVIEW,
    ),
    cheat("sys.exit in an answer", _answer("raise SystemExit"), clipped={"error"}),
    cheat("KeyboardInterrupt in an answer", _answer("raise KeyboardInterrupt"), clipped={"error"}),
    cheat(
        "an error whose text cannot be read",
        "class E(Exception):\n    def __str__(self): raise E",
        _answer("raise E"),
        clipped={"error"},
    ),
]

HOARDERS = [
    nuisance("4 GB", "hoard = bytearray(4 << 30)"),
    nuisance("4 GB bit by bit", "hoard = []\nwhile True: hoard.append(bytearray(1 << 24))"),
    nuisance(
        "4 GB in many processes",
        "import os, time\nfor _ in range(12):\n    if os.fork() == 0:\n"
        "        hoard = bytearray(b'x' * (350 << 20)); time.sleep(100)\n"
        "time.sleep(100)",
    ),
    nuisance("a fork bomb", "import os\nwhile True: os.fork()"),
    nuisance(
        "a thread bomb",
        "import threading, time\n"
        "while True: threading.Thread(target=time.sleep, args=(100,), daemon=True).start()",
    ),
    nuisance("100 MB of output", "for _ in range(100): print('x' * (1 << 20))"),
    nuisance(
        "100 MB past sys.stdout", "import os\nfor _ in range(100): os.write(1, b'x' * (1 << 20))"
    ),
    nuisance(
        "a full disk",
        "with open('hoard', 'wb') as file:\n    while True: file.write(b'x' * (1 << 20))",
    ),
    nuisance("a million files", "for i in range(10**6): open(f'file{i}', 'w').close()"),
    nuisance("every file descriptor", "import os\nkept = []\nwhile True: kept.append(os.dup(1))"),
]

BURGLARS = [
    cheat(
        "reads the solutions by path",
        "from pathlib import Path\nfound = {}",
        f"for place in ({str(SOLUTIONS)!r}, '.', '..', '../..', '/course', '/', '/root', '/home'):\n"
        "    for file in Path(place).glob('**/rubric.py'):\n"
        "        exec(file.read_text(), found)",
        _answer("return found['rubric'].question('clipped').reference(upstream, x)"),
    ),
    cheat(
        "reads the solutions by import",
        "import sys\nfrom course_lib.grading import shelf\n"
        "rubrics = [r for start in sys.path for r in shelf.load_rubrics(shelf.find_solutions(start))]",
        _answer("return rubrics[0].question('clipped').reference(upstream, x)"),
    ),
    cheat(
        "looks for the reference up the stack",
        _answer(
            "import sys\n"
            "frame = sys._getframe()\n"
            "while frame:\n"
            "    for value in [*frame.f_locals.values(), *frame.f_globals.values()]:\n"
            "        if hasattr(value, 'reference'): return value.reference(upstream, x)\n"
            "        if hasattr(value, 'expected'): return value.expected(x)['value']\n"
            "    frame = frame.f_back\n"
            "raise LookupError"
        ),
    ),
    cheat(
        "looks for the reference among all objects",
        _answer(
            "import gc\n"
            "for value in gc.get_objects():\n"
            "    if type(value).__name__ == 'FunctionQuestion':\n"
            "        return value.reference(upstream, x)\n"
            "    if type(value).__name__ == 'function' and value.__name__ == '<lambda>':\n"
            "        if value.__code__.co_varnames[:2] == ('upstream', 'x'):\n"
            "            return value(upstream, x)\n"
            "raise LookupError"
        ),
    ),
    cheat(
        "looks for the reference in other processes",
        _answer(
            "import glob\n"
            "for file in glob.glob('/proc/[0-9]*/mem'):\n"
            "    if file != '/proc/1/mem': open(file, 'rb').read(1)\n"
            "    assert False\n"
        ),
    ),
    cheat(
        "replaces the grader's own functions",
        "from course_lib.grading import compare, probe\n"
        "from course_lib.grading.compare import Verdict, Status\n"
        "compare.judge = lambda q, p, a: Verdict('clipped', Status.RIGHT, 3, 3)\n"
        "compare.TOLERANCES = dict.fromkeys(compare.TOLERANCES, (1e9, 1e9))\n"
        "compare._Comparison.of = lambda *a: None",
        CLIPPED_WRONG,
    ),
    cheat(
        "answers every probe with its own report",
        "from course_lib.grading import probe\n"
        "probe.run_probe = lambda *a: {'status': 'right', 'points': 3, 'parts': {}}",
        CLIPPED_WRONG,
    ).__class__(
        "answers every probe with its own report",
        (
            "from course_lib.grading import probe\n"
            "probe.run_probe = lambda *a: {'status': 'right', 'points': 3, 'parts': {}}",
            CLIPPED_WRONG,
            RECTIFIED_RIGHT,
        ),
        NOT_RIGHT,
        NOT_RIGHT,
    ),
    cheat(
        "changes course_lib on disk",
        "import course_lib.grading.compare as compare\n"
        "with open(compare.__file__, 'a') as file:\n    file.write('judge = lambda *a: None')",
        CLIPPED_WRONG,
    ),
    cheat(
        "asks the network",
        _answer(
            "import socket\n"
            "for address in (('127.0.0.1', 22), ('1.1.1.1', 53), ('10.0.0.1', 80)):\n"
            "    socket.create_connection(address, timeout=0.2)\n"
        ),
    ),
    nuisance(
        "unmounts, remounts and makes namespaces",
        "import ctypes\nlibc = ctypes.CDLL(None)\n"
        "done = [libc.umount2(b'/proc', 2), libc.umount2(b'/tmp', 2), libc.unshare(0x10000000),\n"
        "        libc.mount(b'none', b'/', None, 0x20 | 0x1000, None), libc.setuid(0)]\n"
        "import os\n"
        "if 0 in done: os._exit(7)",
        "proof = 1 if 0 not in done else 1 / 0",
    ),
    nuisance(
        "leaves the folder it is in", "import os\nos.chdir('/')\nos.rmdir(os.environ['HOME'])"
    ),
]

_SOCKET = (
    "import os, socket, stat\n"
    "line = next(fd for fd in range(3, 64) if os.path.exists(f'/proc/self/fd/{fd}')\n"
    "            and stat.S_ISSOCK(os.fstat(fd).st_mode))\n"
)


def _forgery(name, statement, **statuses):
    return cheat(f"forges {name}", _SOCKET + statement, CLIPPED_WRONG, **statuses)


FORGERS = [
    _forgery("a verdict", 'os.write(line, b\'{"answer": {"status": "right", "points": 3}}\\n\')'),
    _forgery(
        "the end of its cell", 'os.write(line, b\'{"cell": 2, "error": null, "late": false}\\n\')'
    ),
    _forgery("junk", "os.write(line, os.urandom(10000) + b'\\n')"),
    _forgery("nested lists", "os.write(line, b'[' * 100000 + b'\\n')"),
    _forgery("nan as a report", "os.write(line, b'NaN\\n')"),
    _forgery("a number without end", "os.write(line, b'9' * 100000 + b'\\n')"),
    _forgery(
        "a line without end",
        "for _ in range(400): socket.socket(fileno=os.dup(line)).sendall(b'x' * (1 << 20))",
    ),
    _forgery("silence", "os.close(line)"),
    _forgery("another's silence", "os.closerange(0, 1024)"),
    cheat(
        "forges arrays of impossible types",
        "from course_lib.grading import probe\n"
        "run = probe.run_probe\n"
        "def forged(namespace, what):\n"
        "    if what['target'] != 'clipped': return run(namespace, what)\n"
        "    array = {'dtype': 'S100000000', 'shape': [8], 'data': [0] * 8}\n"
        "    return {'status': 'ok', 'parts': {'value': array}, 'changed': []}\n"
        "probe.run_probe = forged",
        CLIPPED_WRONG,
    ),
    cheat(
        "forges a report of the wrong form",
        "from course_lib.grading import probe\n"
        "run = probe.run_probe\n"
        "def forged(namespace, what):\n"
        "    if what['target'] != 'clipped': return run(namespace, what)\n"
        "    return {'status': 'ok', 'parts': {'value': {'dict': [[1, 2, 3]]}, '': 7}, 'changed': 1}\n"
        "probe.run_probe = forged",
        CLIPPED_WRONG,
    ),
]

HONEST = [
    nuisance("%%time around an answer", "%%time\n" + CLIPPED_RIGHT),
    nuisance("%%capture around an answer", "%%capture said\n" + CLIPPED_RIGHT),
    nuisance(
        "%matplotlib and a plot",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    ),
    nuisance("%timeit", "%timeit -n1 -r1 clipped(np.ones(2), np.ones(2))"),
    nuisance("a line of shell", "!echo hello\nfiles = !ls"),
    nuisance("top-level await", "import asyncio\nawait asyncio.sleep(0)\n" + CLIPPED_RIGHT),
    nuisance(
        "display", "from IPython.display import display, HTML\ndisplay(HTML('<b>x</b>'), clipped)"
    ),
    nuisance(
        "get_ipython",
        "get_ipython().run_line_magic('precision', '3')\nassert get_ipython() is not None",
    ),
    nuisance("Out and _", "1 + 1", "assert _ == 2"),
    nuisance(
        "warnings and stderr",
        "import sys, warnings\nwarnings.warn('careful')\nprint('x', file=sys.stderr)",
    ),
    nuisance(
        "an answer that warns and prints",
        _answer("import warnings\nwarnings.warn('w')\nprint('p')\nreturn upstream * (abs(x) <= 1)"),
    ),
    nuisance(
        "warnings as errors",
        "import warnings\nwarnings.simplefilter('error')\nnp.seterr(all='raise')",
    ),
    nuisance("a failing assert of its own", "assert clipped(1.0, 0.0) == 2"),
    nuisance(
        "a helper with state on disk",
        "with open('notes.txt', 'w') as f: f.write('1')\nassert open('notes.txt').read() == '1'",
    ),
    nuisance(
        "processes of its own",
        "import multiprocessing as mp\nwith mp.get_context('fork').Pool(2) as pool: pool.map(abs, [1, -1])",
    ),
    nuisance("a repr that fails", "class R:\n    def __repr__(self): raise ValueError\nR()"),
    nuisance(
        "a dataclass, pickled",
        "import dataclasses, pickle\n@dataclasses.dataclass\nclass P:\n    x: int\nassert pickle.loads(pickle.dumps(P(1))).x == 1",
    ),
    nuisance("unicode everywhere", "π = 3\nprint('∂ßα')"),
    nuisance("check in a cell", "from course_lib.grading import *\ncheck('clipped')"),
]

CASES = [*COMPARISONS, *TAMPERED, *KILLERS, *HOARDERS, *BURGLARS, *FORGERS, *HONEST]
