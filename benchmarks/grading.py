"""Grading against its peers, on the same submissions, in one run: `python -m benchmarks.grading`.

Two ratios are measured. Exercise 01 asks for functions and a rule of the tape: jailed grading, each
submission isolated from every other, against `nbgrader autograde` with all of them in one process.
Exercise 02 asks for rules in three dialects: jailed grading against executing the notebook in a
fresh kernel. What starting a jail costs, once for a whole class, is shown beside them; so is what
the walls cost over a plain fork.
"""

import argparse
import json
import logging
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from rich.console import Console
from rich.table import Table
from traitlets.config import Config

from course_lib.grading.handed_out import handed_out
from course_lib.grading.jail.limits import Limits
from course_lib.grading.jail.rooms import House, JailedRooms
from course_lib.grading.rubric import Rubric
from course_lib.grading.shelf import load_rubric, model_notebook, without_marks
from course_lib.grading.worker import grade_notebook

ROOT = Path(__file__).parents[1]
SOLUTIONS = ROOT / "solutions"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=20, help="for each way of grading")
    count = parser.parse_args().submissions
    numpy_only, three_dialects = (
        load_rubric(SOLUTIONS / name) for name in ("01_tape", "02_three_dialects")
    )
    rows = [
        ("empty tries, back to back", *_timed(_empty_try, count), None),
        ("01: jailed, isolated", *(jailed := _jailed(numpy_only, count)), None),
        ("01: nbgrader autograde, one process", *(peer := _nbgrader(numpy_only, count)), None),
        ("02: jailed, isolated", *(dialects := _jailed(three_dialects, count)), None),
        ("02: a fresh kernel each", *(kernel := _fresh_kernels(three_dialects, 3)), None),
    ]
    ratios = {2: peer[1] / jailed[1], 4: kernel[1] / dialects[1]}
    table = Table(title=f"Grading, {count} submissions each (3 for fresh kernels)")
    for column in ("way", "once, s", "each, ms", "times the jailed way"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for index, (way, once, each, _) in enumerate(rows):
        ratio = f"{ratios[index]:.0f}" if index in ratios else ""
        table.add_row(way, f"{once:.2f}", f"{1000 * each:.1f}", ratio)
    Console().print(table)


def _timed(setting: Callable[[], Any], count: int) -> tuple[float, float]:
    """Seconds to set up, and the median of the seconds that each use takes."""
    start = time.perf_counter()
    with setting() as use:
        use()
        once = time.perf_counter() - start
        seconds = []
        for _ in range(count):
            start = time.perf_counter()
            use()
            seconds.append(time.perf_counter() - start)
    return once, statistics.median(seconds)


@contextmanager
def _empty_try() -> Iterator[Callable[[], None]]:
    rooms = JailedRooms()

    def use() -> None:
        with rooms.a_try(Limits()):
            pass

    try:
        yield use
    finally:
        rooms.close()


def _jailed(rubric: Rubric, count: int) -> tuple[float, float]:
    submission, given = _submission(rubric), handed_out(rubric).given

    @contextmanager
    def setting() -> Iterator[Callable[[], None]]:
        with House() as house:
            assert house.isolated, house.why_not

            def use() -> None:
                outcome = grade_notebook(submission, rubric, house, given=given)
                assert {verdict.status for verdict in outcome.verdicts} == {"right"}, outcome

            yield use

    return _timed(setting, count)


def _nbgrader(rubric: Rubric, count: int) -> tuple[float, float]:
    """One `autograde` over the class; the first student, whose kernel starts cold, is set-up."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(rubric.folder, root / "source" / rubric.exercise)
        handout = ROOT / "exercises" / rubric.exercise / "handout.json"
        for number in range(count + 1):
            target = root / "submitted" / f"student{number:03}" / rubric.exercise
            target.mkdir(parents=True)
            (target / model_notebook(rubric).name).write_bytes(_submission(rubric))
            shutil.copy(handout, target)
        with _reachable_scripts():
            start = time.perf_counter()
            _nbgrader_step(GenerateAssignment, root, rubric, "*")
            _nbgrader_step(Autograde, root, rubric, "student000")
            once = time.perf_counter() - start
            start = time.perf_counter()
            _nbgrader_step(Autograde, root, rubric, "student*")
            seconds = time.perf_counter() - start
        graded = list((root / "autograded").glob("*/*/*.ipynb"))
        assert len(graded) == count + 1, graded
        return once, seconds / count


def _nbgrader_step(step: type, root: Path, rubric: Rubric, students: str) -> None:
    config = Config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.assignment_id = rubric.exercise
    config.CourseDirectory.student_id = students
    course = CourseDirectory(config=config)
    logger = logging.getLogger("nbgrader of the benchmark")
    logger.setLevel(logging.CRITICAL)
    converter = step(coursedir=course, config=config, log=logger)
    converter.start()


@contextmanager
def _reachable_scripts() -> Iterator[None]:
    """nbgrader calls `alembic` by name."""
    import sys

    path = os.environ["PATH"]
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{path}"
    try:
        yield
    finally:
        os.environ["PATH"] = path


def _fresh_kernels(rubric: Rubric, count: int) -> tuple[float, float]:
    @contextmanager
    def setting() -> Iterator[Callable[[], None]]:
        folder = ROOT / "exercises" / rubric.exercise

        def use() -> None:
            notebook = nbformat.reads(_submission(rubric).decode(), as_version=4)
            resources = {"metadata": {"path": str(folder)}}
            NotebookClient(notebook, timeout=120, resources=resources).execute()

        yield use

    return _timed(setting, count)


def _submission(rubric: Rubric) -> bytes:
    """The exercise with every answer right, as a student would hand it in."""
    notebook = json.loads(model_notebook(rubric).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = without_marks("".join(cell["source"]))
    return json.dumps(notebook).encode()


if __name__ == "__main__":
    main()
