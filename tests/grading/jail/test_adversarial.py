"""No cheat scores, no right answer loses a point, and nobody pays for what another one does."""

from textwrap import indent

import pytest
from adversaries import CASES
from processes import jailed_processes, wait_until
from submissions import (
    CLIPPED_RIGHT,
    CLIPPED_WRONG,
    EMPTY_TMP,
    RECTIFIED_RIGHT,
    RUBRIC,
    cell,
    notebook,
)

GIVEN = ("import numpy as np",)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_submission(case, grade):
    verdicts = grade(*case.cells, given=GIVEN)
    assert verdicts["clipped"].status in case.clipped, verdicts["clipped"]
    assert verdicts["rectified"].status in case.rectified, verdicts["rectified"]


def test_there_are_many_cases_and_no_two_alike():
    assert len({case.name for case in CASES}) == len(CASES) >= 40


BAD_FILES = {
    "empty": b"",
    "no JSON": b"{ nope",
    "cut off": notebook(CLIPPED_RIGHT)[:-20],
    "with marks of a merge": b"<<<<<<< HEAD\n" + notebook(CLIPPED_RIGHT),
    "binary": bytes(range(256)),
    "a list": b"[1, 2]",
    "without cells": b'{"nbformat": 4}',
    "cells that are text": b'{"cells": "none"}',
    "nested without end": b"[" * 200_000,
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_no_notebook_is_for_a_person(content, grade):
    for verdict in grade(content).values():
        assert verdict.status == "REVIEW"
        assert "A person has to look" in verdict.message


def test_odd_cells_are_passed_over(grade):
    odd = [None, 7, {}, {"cell_type": "code"}, {"cell_type": "code", "source": 3}, cell(["x", 1])]
    content = notebook(*({"cells": []} if each is None else each for each in odd if each != 7))
    assert grade(content)["clipped"].status == "not attempted"
    whole = notebook(CLIPPED_RIGHT, RECTIFIED_RIGHT).replace(b'"cells": [', b'"cells": [null, 7, ')
    assert grade(whole)["clipped"].status == "right"


@pytest.mark.parametrize("encode", [lambda b: b"\xef\xbb\xbf" + b, lambda b: b + b"\n\n"])
def test_harmless_variants_of_the_file_are_read(encode, grade):
    assert grade(encode(notebook(CLIPPED_RIGHT, RECTIFIED_RIGHT)))["clipped"].status == "right"


def test_a_notebook_from_before_2015_is_read(grade):
    cells = (
        b'{"cell_type": "code", "input": ["def clipped(upstream, x):\\n", "    return upstream"]}'
    )
    old = b'{"worksheets": [{"cells": [%s]}], "nbformat": 3}' % cells
    assert grade(old)["clipped"].mistake == "not-clipped"


def test_the_named_mistake_is_told(grade):
    verdict = grade(CLIPPED_WRONG)["clipped"]
    assert (verdict.status, verdict.mistake) == ("wrong", "not-clipped")


HIDING_PLACES = {
    "a file in its folder": ("open('loot', 'w').close()", "open('loot')"),
    "a file in /tmp": ("open('/tmp/loot', 'w').close()", "open('/tmp/loot')"),
    "a file in /dev/shm": ("open('/dev/shm/loot', 'w').close()", "open('/dev/shm/loot')"),
    "POSIX shared memory": (
        "from multiprocessing.shared_memory import SharedMemory\n"
        "kept = SharedMemory('loot', create=True, size=99)",
        "from multiprocessing.shared_memory import SharedMemory\nSharedMemory('loot')",
    ),
    "an abstract socket": (
        "import socket\nkept = socket.socket(socket.AF_UNIX)\nkept.bind('\\0loot')\nkept.listen()",
        "import socket\nsocket.socket(socket.AF_UNIX).connect('\\0loot')",
    ),
    "a port": (
        "import socket\nkept = socket.socket(socket.AF_INET6)\n"
        "kept.bind(('::', 4242))\nkept.listen()",
        "assert any(':1092' in line for line in open('/proc/net/tcp6'))",
    ),
    "a process": (
        "import os, time\nif os.fork() == 0: os.setsid(); time.sleep(1000)",
        "import os\nassert len([name for name in os.listdir('/proc') if name.isdigit()]) > 1",
    ),
    "a module": ("import numpy\nnumpy.loot = 1", "import numpy\nnumpy.loot"),
    "the environment": ("import os\nos.environ['loot'] = '1'", "import os\nos.environ['loot']"),
}


def answer_if_found(find):
    """A cell that answers rightly if the loot is found; if it is not, the answer is an error."""
    return f"def rectified(upstream, x):\n{indent(find, '    ')}\n    return upstream * (x > 0)"


if not EMPTY_TMP:
    del HIDING_PLACES["a file in /tmp"]
hiding_places = pytest.mark.parametrize(("hide", "find"), HIDING_PLACES.values(), ids=HIDING_PLACES)


@hiding_places
def test_nothing_is_left_for_the_next_student(hide, find, grade):
    assert grade(CLIPPED_RIGHT, hide)["clipped"].status == "right"
    assert grade(CLIPPED_RIGHT, answer_if_found(find))["rectified"].status == "error"


@hiding_places
def test_it_would_have_been_found_in_the_same_room(hide, find, grade):
    assert grade(CLIPPED_RIGHT, hide, answer_if_found(find))["rectified"].status == "right"


@pytest.mark.parametrize("keyring", [-3, -4, -5], ids=["session", "user", "user's session"])
def test_no_keyring_remembers(keyring, grade):
    numbers = "{'x86_64': (248, 250), 'aarch64': (217, 219)}[os.uname().machine]"
    numbers = f"import ctypes, os\nadd, control = {numbers}\n"
    call = f"{numbers}found = ctypes.CDLL(None).syscall("
    hide = f"{call}add, b'user', b'loot', b'abc', 3, {keyring})"
    find = f"{call}control, 10, {keyring}, b'user', b'loot', 0)\nassert found > 0"
    assert grade(CLIPPED_RIGHT, hide)["clipped"].status == "right"
    assert grade(CLIPPED_RIGHT, answer_if_found(find))["rectified"].status == "error"


def test_no_process_outlives_its_try(house, grade):
    daemon = (
        "import os, time\n"
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        while True: time.sleep(0.01)\n    os._exit(0)"
    )
    assert grade(CLIPPED_RIGHT, daemon)["clipped"].status == "right"
    wait_until(lambda: not [p for p in jailed_processes() if p.in_a_try and p.inner_pid > 1])


def test_the_gradebook_stays_byte_for_byte_the_same(tmp_path, house, grade):
    gradebook = tmp_path / "gradebook.db"
    gradebook.write_bytes(b"SQLite format 3\0" + bytes(1000))
    gradebook.chmod(0o666)
    tmp_path.chmod(0o777)
    vandal = (
        f"import sqlite3\nopen({str(gradebook)!r}, 'ab').write(b'x')",
        f"import os\nos.remove({str(gradebook)!r})",
        "from pathlib import Path\n"
        "for place in Path('/').glob('**/gradebook.db'): place.write_bytes(b'')",
    )
    assert grade(CLIPPED_RIGHT, *vandal)["clipped"].status == "right"
    assert gradebook.read_bytes() == b"SQLite format 3\0" + bytes(1000)


def test_the_random_inputs_are_drawn_afresh(grade):
    spy = "def clipped(upstream, x):\n    raise ValueError(repr(float(upstream[0])))"
    drawn = {grade(spy)["clipped"].message for _ in range(3)}
    assert len(drawn) == 3


def test_the_questions_are_asked_in_spite_of_a_hundred_killers(grade):
    killers = [f"import os\nos._exit({number})" for number in range(100)]
    verdicts = grade(CLIPPED_RIGHT, *killers, RECTIFIED_RIGHT)
    assert {verdict.status for verdict in verdicts.values()} == {"right"}
    assert [question.name for question in RUBRIC.questions] == list(verdicts)
