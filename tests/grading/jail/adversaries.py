"""Submissions that cheat, break, hang or hoard, and what each may come out as.

In every one the question `rectified` has its right answer: what is done to `clipped`, or beside it,
must not cost that a point.
"""

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent

from submissions import CLIPPED_RIGHT, CLIPPED_WRONG, RECTIFIED_RIGHT, STUB, cell

RIGHT = frozenset({"right"})
ERROR = frozenset({"error"})
REVIEW = frozenset({"REVIEW"})
BLANK = frozenset({"not attempted"})
NOT_RIGHT = frozenset({"wrong", "error", "not attempted", "REVIEW"})
SOLUTIONS = Path(__file__).parents[3] / "solutions"


@dataclass(frozen=True)
class Case:
    """A submission, by what it tries, and the statuses that its two answers may get."""

    name: str
    cells: tuple
    clipped: frozenset = NOT_RIGHT
    rectified: frozenset = RIGHT


def cheat(name, *cells, clipped=NOT_RIGHT):
    """It must not score on `clipped`, which it does not answer rightly."""
    return Case(name, (*map(dedent, cells), RECTIFIED_RIGHT), clipped)


def nuisance(name, *cells):
    """It answers rightly, and does something between the answers that must not cost it."""
    return Case(name, (CLIPPED_RIGHT, *map(dedent, cells), RECTIFIED_RIGHT), RIGHT)


def answer(body):
    """`clipped`, with this body."""
    return f"def clipped(upstream, x):\n{indent(dedent(body).strip(), '    ')}"


COMPARISONS = [
    cheat("np.allclose is always true", "np.allclose = lambda *a, **k: True", CLIPPED_WRONG),
    cheat(
        "every comparison of NumPy is always true",
        """
        for name in ("allclose", "isclose", "array_equal", "array_equiv", "all", "equal"):
            setattr(np, name, lambda *a, **k: True)
        np.testing.assert_allclose = np.testing.assert_array_equal = lambda *a, **k: None
        """,
        CLIPPED_WRONG,
    ),
    cheat(
        "the built-ins lie",
        "import builtins; builtins.all = builtins.any = lambda *a: True",
        CLIPPED_WRONG,
    ),
    cheat(
        "an object that equals everything",
        answer(
            """
            class Anything:
                __eq__ = __le__ = __ge__ = lambda *a: True
                __array_ufunc__ = None
                def __array_function__(self, *a): return True
                def __array__(self, *a, **k): return np.asarray(upstream)
                def __getattr__(self, name): return Anything()
                def __call__(self, *a, **k): return self
            return Anything()
            """
        ),
    ),
    cheat(
        "an array that is close to everything",
        """
        class Close(np.ndarray):
            __sub__ = __rsub__ = lambda self, other: np.zeros(self.shape)
            __eq__ = lambda self, other: np.ones(self.shape, bool)
            def __array_ufunc__(self, *a, **k): return np.zeros(self.shape)
        """,
        answer("return np.asarray(upstream).view(Close)"),
    ),
    cheat("nan, which equals nothing", answer("return upstream * np.nan")),
    cheat("infinity", answer("return np.where(abs(x) <= 1, upstream, np.inf)")),
    cheat(
        "a float that lies",
        "class Liar(float): __eq__ = lambda *a: True",
        answer("return Liar()"),
    ),
    cheat("nothing at all", answer("pass")),
    cheat("text", answer("return 'right'")),
    cheat("True", answer("return True")),
    cheat("a generator without end", answer("import itertools; return itertools.count()")),
    cheat("a list inside itself", answer("a = []; a.append(a); return a")),
    cheat("a billion numbers", answer("return np.broadcast_to(0.0, (10**9,))")),
    cheat("numbers copied from one run", answer("return np.array([0.1, -0.2, 0, 0, 0, 1, 2, 3])")),
    cheat(
        "the right numbers once, then others",
        "calls = []",
        answer(
            """
            calls.append(1)
            return upstream * (abs(x) <= 1) if len(calls) == 1 else upstream
            """
        ),
    ),
    cheat("overwrites what it was given", answer("x *= 0; return upstream * (abs(x) <= 1)")),
    cheat("right but for the boundary", answer("return upstream * (abs(x) < 1)")),
]

TAMPERED = [
    Case(
        "later cells become pass",
        (
            RECTIFIED_RIGHT,
            CLIPPED_WRONG,
            "get_ipython().input_transformers_post.append(lambda lines: ['pass'])",
        ),
    ),
    Case(
        "all metadata is stripped",
        (RECTIFIED_RIGHT, CLIPPED_RIGHT, 'check("clipped")', "assert False"),
        RIGHT,
    ),
    Case("another order", (RECTIFIED_RIGHT, CLIPPED_RIGHT, "import numpy as np"), RIGHT),
    Case(
        "a helper below the cell that needs it",
        ("@once\n" + CLIPPED_RIGHT, RECTIFIED_RIGHT, "def once(f): return f"),
        RIGHT,
    ),
    Case("an untouched copy below the answer", (CLIPPED_RIGHT, RECTIFIED_RIGHT, STUB), RIGHT),
    Case(
        "the answer in a Markdown cell", (cell(CLIPPED_RIGHT, "markdown"), RECTIFIED_RIGHT), RIGHT
    ),
    Case("the answer in a raw cell", (cell(CLIPPED_RIGHT, "raw"), RECTIFIED_RIGHT), RIGHT),
    Case(
        "the answer marked as a test",
        (cell(CLIPPED_RIGHT, grade=True, solution=False, grade_id="x"), RECTIFIED_RIGHT),
        RIGHT,
    ),
    Case(
        "a test changed so that it gives points",
        (
            CLIPPED_WRONG,
            RECTIFIED_RIGHT,
            cell("globals().update(clipped=rectified)", grade=True, grade_id="test"),
        ),
    ),
    Case(
        "a test changed so that it ends everything",
        (
            CLIPPED_RIGHT,
            RECTIFIED_RIGHT,
            cell("import os; os._exit(0)", grade=True, grade_id="test"),
        ),
        RIGHT,
    ),
    Case(
        "the cell with the imports is gone",
        (CLIPPED_RIGHT.replace("abs", "np.abs"), RECTIFIED_RIGHT),
        RIGHT,
    ),
    Case("a syntax error", ("def clipped(upstream, x) return 0", RECTIFIED_RIGHT), ERROR),
    Case("an answer deleted", (RECTIFIED_RIGHT,), BLANK),
    Case("an answer left blank", (STUB, RECTIFIED_RIGHT), BLANK),
    Case("an answer that is a number", ("clipped = 3", RECTIFIED_RIGHT), ERROR),
]

_DEAF = """
while True:
    try:
        while True: pass
    except BaseException: pass
"""

KILLERS = [
    nuisance("os._exit in a cell", "import os; os._exit(0)"),
    nuisance("a segmentation fault in a cell", "import ctypes; ctypes.string_at(0)"),
    nuisance("abort in a cell", "import os; os.abort()"),
    nuisance("SIGKILL to itself", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"),
    nuisance("SIGKILL to everybody", "import os; os.kill(-1, 9)"),
    nuisance("SIGKILL to its parent", "import os; os.kill(os.getppid(), 9)"),
    nuisance("sys.exit in a cell", "import sys; sys.exit(1)"),
    nuisance("exit() in a cell", "exit()"),
    nuisance("a stack that never ends", "def f(): return f()\nf()"),
    nuisance("the compiler's stack", "eval('(' * 100000 + ')' * 100000)"),
    nuisance("a loop without end", "while True: pass"),
    nuisance("a loop that swallows interrupts", _DEAF),
    nuisance(
        "a loop deaf to alarms",
        "import signal; signal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
    ),
    nuisance("one long call into C", "10**10**8"),
    nuisance("waiting for input", "input('your name: ')"),
    nuisance("a long sleep", "import time; time.sleep(1000)"),
    cheat("os._exit in an answer", answer("import os; os._exit(0)"), clipped=REVIEW),
    cheat(
        "a segmentation fault in an answer",
        answer("import ctypes; ctypes.string_at(0)"),
        clipped=REVIEW,
    ),
    cheat("a loop without end in an answer", answer("while True: pass"), clipped=REVIEW),
    cheat("an answer that swallows interrupts", answer(_DEAF), clipped=REVIEW),
    cheat("sys.exit in an answer", answer("raise SystemExit"), clipped=ERROR),
    cheat("KeyboardInterrupt in an answer", answer("raise KeyboardInterrupt"), clipped=ERROR),
    cheat(
        "an error whose text cannot be read",
        """
        class Unreadable(Exception):
            def __str__(self): raise Unreadable
        """,
        answer("raise Unreadable"),
        clipped=ERROR,
    ),
]

HOARDERS = [
    nuisance("4 GB", "hoard = bytearray(4 << 30)"),
    nuisance("4 GB bit by bit", "hoard = []\nwhile True: hoard.append(bytearray(1 << 24))"),
    nuisance(
        "4 GB in many processes",
        """
        import os, time
        for _ in range(12):
            if os.fork() == 0:
                hoard = bytearray(b"x" * (350 << 20)); time.sleep(100)
        time.sleep(100)
        """,
    ),
    nuisance("a fork bomb", "import os\nwhile True: os.fork()"),
    nuisance(
        "a thread bomb",
        """
        import threading, time
        while True: threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
        """,
    ),
    nuisance("100 MB of output", "for _ in range(100): print('x' * (1 << 20))"),
    nuisance(
        "100 MB past sys.stdout", "import os\nfor _ in range(100): os.write(1, b'x' * (1 << 20))"
    ),
    nuisance(
        "a full disk",
        """
        with open("hoard", "wb") as file:
            while True: file.write(b"x" * (1 << 20))
        """,
    ),
    nuisance("a million files", "for i in range(10**6): open(f'file{i}', 'w').close()"),
    nuisance("every descriptor", "import os; kept = []\nwhile True: kept.append(os.dup(1))"),
]

BURGLARS = [
    cheat(
        "reads the solutions by path",
        f"""
        from pathlib import Path
        found = {{}}
        for place in ({str(SOLUTIONS)!r}, ".", "..", "../..", "/course", "/root", "/home", "/"):
            for file in Path(place).glob("**/rubric.py"):
                exec(file.read_text(), found)
        """,
        answer("return found['rubric'].question('clipped').reference(upstream, x)"),
    ),
    cheat(
        "reads the solutions by import",
        """
        import sys
        from course_lib.grading import shelf
        places = [shelf.find_solutions(start) for start in sys.path]
        rubrics = [rubric for place in places for rubric in shelf.load_rubrics(place)]
        """,
        answer("return rubrics[0].question('clipped').reference(upstream, x)"),
    ),
    cheat(
        "looks for the reference up the stack",
        answer(
            """
            import sys
            frame = sys._getframe()
            while frame:
                for value in [*frame.f_locals.values(), *frame.f_globals.values()]:
                    if hasattr(value, "reference"): return value.reference(upstream, x)
                    if hasattr(value, "expected"): return value.expected(x)["value"]
                frame = frame.f_back
            raise LookupError
            """
        ),
    ),
    cheat(
        "looks for the reference among all objects",
        answer(
            """
            import gc
            for value in gc.get_objects():
                if type(value).__name__ == "FunctionQuestion":
                    return value.reference(upstream, x)
                if type(value).__name__ == "function" and value.__name__ == "<lambda>":
                    if value.__code__.co_varnames[:2] == ("upstream", "x"):
                        return value(upstream, x)
            raise LookupError
            """
        ),
    ),
    cheat(
        "looks for the reference in other processes",
        answer(
            """
            import glob
            others = set(glob.glob("/proc/[0-9]*/mem")) - {"/proc/1/mem"}
            return eval(open(others.pop(), "rb").read())
            """
        ),
    ),
    cheat(
        "replaces the grader's own functions",
        """
        from course_lib.grading import compare
        from course_lib.grading.compare import Status, Verdict
        compare.judge = lambda *a: Verdict("clipped", Status.RIGHT, 3, 3)
        compare.TOLERANCES = dict.fromkeys(compare.TOLERANCES, (1e9, 1e9))
        compare._Comparison.of = lambda *a: None
        """,
        CLIPPED_WRONG,
    ),
    cheat(
        "answers every probe with its own report",
        """
        from course_lib.grading import probe
        probe.run_probe = lambda *a: {'status': 'right', 'points': 3, 'parts': {}}
        """,
        CLIPPED_WRONG,
    ),
    cheat(
        "changes course_lib on disk",
        """
        import course_lib.grading.compare as compare
        with open(compare.__file__, "a") as file: file.write("judge = lambda *a: None")
        """,
        CLIPPED_WRONG,
    ),
    cheat(
        "asks the network",
        answer(
            """
            import socket
            for address in (("127.0.0.1", 22), ("1.1.1.1", 53), ("10.0.0.1", 80)):
                socket.create_connection(address, timeout=0.2)
            """
        ),
    ),
    nuisance(
        "unmounts, remounts, makes namespaces, becomes root",
        """
        import ctypes, os
        libc = ctypes.CDLL(None)
        done = [
            libc.umount2(b"/proc", 2),
            libc.umount2(b"/tmp", 2),
            libc.mount(b"none", b"/", None, 0x20 | 0x1000, None),
            libc.unshare(0x10000000),
            libc.setuid(0),
        ]
        while 0 in done: pass  # the answers below would then come too late
        """,
    ),
    nuisance("leaves its folder", "import os; os.chdir('/'); os.rmdir(os.environ['HOME'])"),
]

_FIND_THE_LINE = """
import os, socket, stat
line = next(
    number
    for number in range(3, 64)
    if os.path.exists(f"/proc/self/fd/{number}") and stat.S_ISSOCK(os.fstat(number).st_mode)
)
"""
_PATCH = """
from course_lib.grading import probe
run = probe.run_probe
def forged(namespace, what):
    return run(namespace, what) if what["target"] != "clipped" else REPORT
probe.run_probe = forged
"""


def forgery(name, statement):
    return cheat(f"forges {name}", _FIND_THE_LINE + statement, CLIPPED_WRONG)


def forged_report(name, report):
    return cheat(f"forges {name}", _PATCH.replace("REPORT", report), CLIPPED_WRONG)


FORGERS = [
    forgery("a verdict", """os.write(line, b'{"answer": {"status": "right"}}\\n')"""),
    forgery("the end of its cell", """os.write(line, b'{"error": "", "late": false}\\n')"""),
    forgery("junk", "os.write(line, os.urandom(10000) + b'\\n')"),
    forgery("nested lists", "os.write(line, b'[' * 100000 + b'\\n')"),
    forgery("nan as a report", "os.write(line, b'NaN\\n')"),
    forgery("a number without end", "os.write(line, b'9' * 100000 + b'\\n')"),
    forgery(
        "a line without end",
        "for _ in range(400): socket.socket(fileno=os.dup(line)).sendall(b'x' * (1 << 20))",
    ),
    forgery("silence", "os.close(line)"),
    forgery("the silence of all", "os.closerange(0, 1024)"),
    forged_report(
        "an array of an impossible type",
        "{'status': 'ok', 'changed': [], 'parts': {'value': "
        "{'dtype': 'S100000000', 'shape': [8], 'data': [0] * 8}}}",
    ),
    forged_report(
        "an array of an impossible shape",
        "{'status': 'ok', 'changed': [], 'parts': {'value': "
        "{'dtype': 'float64', 'shape': [10**12], 'data': [1.0]}}}",
    ),
    forged_report(
        "a report of the wrong form",
        "{'status': 'ok', 'changed': 1, 'parts': {'value': {'dict': [[1, 2, 3]]}, '': 7}}",
    ),
    forged_report("a report that is none", "{'status': ['ok']}"),
]

HONEST = [
    nuisance("%%time around an answer", "%%time\n" + CLIPPED_RIGHT),
    nuisance("%%capture around an answer", "%%capture said\n" + CLIPPED_RIGHT),
    nuisance(
        "%matplotlib and a plot",
        """
        %matplotlib inline
        import matplotlib.pyplot as plt
        plt.plot([1, 2])
        plt.show()
        """,
    ),
    nuisance("%timeit", "%timeit -n1 -r1 clipped(np.ones(2), np.ones(2))"),
    nuisance("a line of shell", "!echo hello\nfiles = !ls"),
    nuisance("top-level await", "import asyncio\nawait asyncio.sleep(0)\n" + CLIPPED_RIGHT),
    nuisance("display", "from IPython.display import HTML\ndisplay(HTML('<b>x</b>'), clipped)"),
    nuisance("get_ipython", "get_ipython().run_line_magic('precision', '3')"),
    nuisance("warnings and stderr", "import sys; print('x', file=sys.stderr); np.log(-1.0)"),
    Case(
        "an answer that warns and prints",
        (
            answer(
                """
                import warnings
                warnings.warn("careful")
                print("hello")
                return upstream * (abs(x) <= 1)
                """
            ),
            RECTIFIED_RIGHT,
        ),
        RIGHT,
    ),
    nuisance(
        "warnings as errors",
        "import warnings; warnings.simplefilter('error'); np.seterr(all='raise')",
    ),
    nuisance("a failing assert of its own", "assert clipped(1.0, 0.0) == 2"),
    nuisance("%matplotlib of another kind", "%matplotlib widget"),
    nuisance("pip install", "!pip install numpy"),
    nuisance("a module of its own", "%%writefile own.py\nvalue = 1\n", "import own; own.value"),
    Case(
        "a slow statement above the answer",
        ("import time; time.sleep(100)\n" + CLIPPED_RIGHT, RECTIFIED_RIGHT),
        RIGHT,
    ),
    nuisance(
        "NumPy and the built-ins in pieces",
        "import builtins; np.array = np.empty = np.asarray = np.array_equal = None",
        "builtins.sorted = builtins.zip = builtins.map = None",
    ),
    nuisance("a file of its own", "open('notes.txt', 'w').write('1'); open('notes.txt').read()"),
    nuisance(
        "processes of its own",
        """
        import multiprocessing
        with multiprocessing.get_context("fork").Pool(2) as pool: pool.map(abs, [1, -1])
        """,
    ),
    nuisance("a repr that fails", "class R:\n    def __repr__(self): raise ValueError\nR()"),
    nuisance("letters of all kinds", "π = 3\nprint('∂ßα')"),
    nuisance("check in a cell", "from course_lib.grading import check\ncheck('clipped')"),
]


def written(name, *cells):
    """`clipped`, answered rightly in an unusual way."""
    return Case(name, (*map(dedent, cells), RECTIFIED_RIGHT), RIGHT)


def below(name, line):
    """The right answer below a line that fails here, though it did not for the student."""
    return written(name, f"{line}\n{CLIPPED_RIGHT}")


RIGHT_IN_ITS_OWN_WAY = [
    below("below a package that is not here", "import seaborn_or_other"),
    below("below Colab's own", "from google.colab import drive\ndrive.mount('/content')"),
    below("below a question to the reader", "n = int(input('n? '))"),
    below("below a failing assert", "assert 1 == 2"),
    below("below a window system", "import matplotlib\nmatplotlib.use('TkAgg')"),
    below("below a check", "from course_lib.grading import check\ncheck('clipped')"),
    below("below a magic of the kernel's", "%autosave 60"),
    below("below a setting of plots", "%config InlineBackend.figure_format = 'retina'"),
    below("below an await", "import asyncio\nlimit = await asyncio.sleep(0.001, 1)"),
    below("below a prompt for help", "np.abs?"),
    below("below an event loop", "import asyncio\nasyncio.run(asyncio.sleep(0))"),
    written(
        "with prompts", ">>> def clipped(upstream, x):\n...     return upstream * (abs(x) <= 1)"
    ),
    Case(
        "indented as a whole",
        (indent(CLIPPED_RIGHT, "    "), RECTIFIED_RIGHT),
        RIGHT,
    ),
    written("with the line ends of Windows", CLIPPED_RIGHT.replace("\n", "\r\n")),
    written("a lambda", "clipped = lambda upstream, x: upstream * (abs(x) <= 1)"),
    written("one of two names", "clipped, other = (lambda u, x: u * (abs(x) <= 1)), 1"),
    written(
        "an object",
        "class C:\n    def __call__(self, u, x): return u * (abs(x) <= 1)\nclipped = C()",
    ),
    written(
        "a partial",
        "from functools import partial\nclipped = partial(lambda m, u, x: u * (abs(x) <= m), 1)",
    ),
    written(
        "a ufunc of one's own", "@np.vectorize\ndef clipped(u, x): return u if abs(x) <= 1 else 0.0"
    ),
    written(
        "a compiler that is not here",
        """
        try: from numba import njit
        except ImportError: njit = lambda f: f
        @njit
        def clipped(upstream, x): return upstream * (abs(x) <= 1)
        """,
    ),
    written(
        "NumPy by star",
        "from numpy import *",
        "def clipped(u, x): return where(absolute(x) <= 1, u, 0.0)",
    ),
    written("by text", f"exec({CLIPPED_RIGHT!r})"),
    written("in a module", f"%%writefile own.py\n{CLIPPED_RIGHT}", "from own import clipped"),
    written(
        "with type hints",
        "from __future__ import annotations",
        "LIMIT: float = 1.0",
        """
        def clipped(upstream: np.ndarray, x: NotThere) -> Array: return upstream * (abs(x) <= LIMIT)
        """,
    ),
    written(
        "a list",
        "def clipped(upstream, x): return [u if abs(v) <= 1 else 0.0 for u, v in zip(upstream, x)]",
    ),
    written(
        "a Variable",
        "from course_lib.tape import Variable",
        "def clipped(u, x): return Variable(u * (abs(x) <= 1))",
    ),
    written("a masked array", "def clipped(u, x): return np.ma.masked_array(u * (abs(x) <= 1))"),
    written(
        "an array on disk",
        answer(
            """
            kept = np.memmap("kept", dtype=float, mode="w+", shape=x.shape)
            kept[:] = upstream * (abs(x) <= 1)
            return kept
            """
        ),
    ),
    written(
        "by threads",
        """
        from concurrent.futures import ThreadPoolExecutor
        pool = ThreadPoolExecutor(2)
        def clipped(u, x): return np.array(list(pool.map(lambda a, b: a * (abs(b) <= 1), u, x)))
        """,
    ),
    written("twice, the last is right", CLIPPED_WRONG, CLIPPED_RIGHT),
    written(
        "a helper below it",
        "def clipped(u, x): return helper(u, x)",
        "def helper(u, x): return u * (abs(x) <= 1)",
    ),
    written(
        "a namespace emptied on the way",
        "%reset -f",
        CLIPPED_RIGHT.replace("abs", "np.abs"),
        "%reset -f",
        CLIPPED_RIGHT.replace("abs", "np.abs"),
    ),
    written("forks and goes on", "import os", answer("os.fork()\nreturn upstream * (abs(x) <= 1)")),
]

BUNGLERS = [
    nuisance("json in pieces", "import json\njson.dumps = json.loads = None"),
    nuisance(
        "json on many lines",
        "import json, functools\njson.dumps = functools.partial(json.dumps, indent=2)",
    ),
    nuisance("a short stack", "import sys\nsys.setrecursionlimit(60)"),
    nuisance(
        "a tracer that fails",
        "import sys\ndef fail(*a): raise ValueError\nsys.settrace(fail); sys.setprofile(fail)",
    ),
    nuisance(
        "an audit that forbids everything",
        """
        import sys
        def forbid(what, args):
            if what in ('exec', 'compile', 'import', 'open'): raise RuntimeError
        sys.addaudithook(forbid)
        """,
    ),
    nuisance("no modules", "import sys\nsys.modules.clear(); sys.path.clear()"),
    nuisance(
        "no imports",
        """
        import sys
        class No:
            def find_spec(self, *a): raise ImportError
        sys.meta_path.insert(0, No())
        """,
    ),
    nuisance(
        "no course_lib",
        """
        import sys
        for name in [*sys.modules]:
            if 'course_lib' in name: sys.modules[name] = None
        """,
    ),
    nuisance(
        "no probe", "from course_lib.grading import probe\nprobe._call = probe.to_plain = None"
    ),
    nuisance("no signals", "import signal\nsignal.signal = signal.setitimer = None"),
    nuisance(
        "no warnings", "import warnings\nwarnings.catch_warnings = warnings.simplefilter = None"
    ),
    nuisance("no errors of NumPy's", "np.errstate.__enter__ = None"),
    nuisance("no output", "import sys\nsys.stdout = sys.stderr = None"),
    nuisance("no streams", "import os\nfor stream in (0, 1, 2): os.close(stream)"),
    nuisance("no namespace", "globals().clear()"),
    nuisance("another namespace", "get_ipython().user_ns = {}"),
    nuisance("no shell", "get_ipython().run_cell = get_ipython().compile = None"),
    nuisance(
        "a shell that ends before each cell",
        "import os\nget_ipython().events.register('pre_run_cell', lambda *a: os._exit(0))",
    ),
    nuisance(
        "cells become something else",
        """
        import ast
        class Nothing(ast.NodeTransformer):
            def visit(self, node): return ast.Module([], [])
        get_ipython().ast_transformers.append(Nothing())
        """,
    ),
    nuisance("one is two", "import ctypes\nctypes.c_int.from_address(id(1) + 24).value = 2"),
    nuisance(
        "a short life",
        """
        import os, threading, time
        threading.Thread(target=lambda: (time.sleep(0.005), os._exit(1)), daemon=True).start()
        """,
    ),
    nuisance(
        "a timer that kills", "import signal\nsignal.setitimer(signal.ITIMER_PROF, 0.002, 0.002)"
    ),
    nuisance(
        "limits lowered to nothing",
        """
        import resource
        for what in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS): resource.setrlimit(what, (1, 1))
        """,
    ),
    nuisance("no system calls", "import ctypes\nctypes.CDLL(None).prctl(22, 1, 0, 0, 0)"),
    nuisance("two processes from here on", "import os\nos.fork()"),
    nuisance(
        "a process that talks in between",
        "import os\nif os.fork() == 0:\n    while True: os.write(3, b'{}\\n')",
    ),
    nuisance(
        "the line cut",
        "import os, socket\nsocket.socket(fileno=os.dup(3)).shutdown(socket.SHUT_RDWR)",
    ),
    nuisance(
        "the last object ends it",
        "import os\nclass Last:\n    def __del__(self): os._exit(0)\nlast = Last()",
    ),
    nuisance("an end that ends otherwise", "import atexit, os\natexit.register(os._exit, 3)"),
    nuisance("another process number", "import os\nos.getpid = lambda: 42"),
    nuisance("another time", "import time\ntime.monotonic = lambda: 1e18"),
]

IMPOSTORS = [
    cheat(
        "numbers of its own on the way out",
        "class L(np.ndarray):\n    def ravel(self): return self\n    def tolist(self): return 0",
        answer("return upstream.view(L)"),
    ),
    cheat(
        "a dict that says right",
        "class D(dict): __getitem__ = lambda *a: 'right'",
        answer("return D(value=upstream)"),
    ),
    cheat(
        "the encoder says right",
        "import json\njson.encoder.encode_basestring_ascii = lambda text: '\"right\"'",
        CLIPPED_WRONG,
    ),
    cheat(
        "arrays found in memory",
        answer(
            """
            import gc
            arrays = [found for found in gc.get_objects() if isinstance(found, np.ndarray)]
            return [found for found in arrays if found.shape == x.shape][-1]
            """
        ),
    ),
    cheat(
        "the seed guessed",
        "np.random.seed(0)",
        answer("return np.random.default_rng(0).normal(size=8)"),
    ),
    cheat("complex numbers", answer("return upstream * (abs(x) <= 1) + 0j")),
    cheat("booleans", answer("return abs(x) <= 1")),
    cheat("a column", answer("return (upstream * (abs(x) <= 1))[:, None]")),
    cheat("too many", answer("return np.tile(upstream * (abs(x) <= 1), 2)")),
    cheat("both possibilities", answer("return [upstream, upstream * 0]")),
]

CASES = [
    *(*COMPARISONS, *TAMPERED, *KILLERS, *HOARDERS, *BURGLARS, *FORGERS, *HONEST),
    *(*RIGHT_IN_ITS_OWN_WAY, *BUNGLERS, *IMPOSTORS),
]
