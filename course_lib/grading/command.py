"""`course grade` from its options to its reports."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from . import report
from .batch import Conditions, Engine, grade_all, on_this_machine
from .cluster import ClusterError, on_cluster
from .collect import NothingToGrade, Submission, collect
from .gradebook import GradebookError, write_gradebook
from .graded import Graded
from .jail.limits import MEBIBYTE, Limits
from .jail.rooms import CannotIsolate
from .journal import Journal, JournalBusy
from .pages import copy_receipts, write_pages
from .shelf import ExerciseError, find_solutions, load_rubrics

_REASONS = (
    *(CannotIsolate, ClusterError, ExerciseError, JournalBusy, NothingToGrade),
    *(OSError, ValueError),
)


class Refused(Exception):
    """The command cannot do what it was asked to; the message says why, and what to do."""


@dataclass(frozen=True)
class GradeOrder:
    """The options of `course grade`, as its help describes them."""

    paths: list[Path]
    solutions: Path | None = None
    output: Path | None = None
    feedback: Path | None = None
    gradebook: str | None = None
    jobs: int = 1
    cluster: str | None = None
    resume: bool = False
    journal: Path = Path(".course_grade.journal")
    cell_seconds: float = 10.0
    memory: int = 1024


def grade_command(order: GradeOrder) -> list[Graded]:
    """Grade, then report wherever it was asked for.

    Raises
    ------
    Refused
        There is nothing to grade, or no rubric to grade it by, or a report cannot be written.
    """
    console = Console(markup=False)
    solutions = _solutions(order)
    try:
        if order.output:
            report.check_ending(order.output)
        submissions = collect(order.paths, load_rubrics(solutions))
        with Journal(order.journal, order.resume) as journal:
            grades = _grade(order, solutions, submissions, journal)
    except _REASONS as reason:
        raise Refused(str(reason)) from reason
    except KeyboardInterrupt:
        raise Refused("Stopped. What was graded is kept: run the same with --resume.") from None
    report.show(grades, console)
    console.print(report.summary(grades))
    _write(order, grades, submissions, console)
    return grades


def _solutions(order: GradeOrder) -> Path:
    if order.solutions is not None and any(order.solutions.glob("*/rubric.py")):
        return order.solutions
    found = None if order.solutions else find_solutions()
    if found is None:
        where = order.solutions or "solutions/"
        raise Refused(
            f"There are no rubrics in {where}. Run this in the course's folder, or say where they "
            "are: --solutions FOLDER."
        )
    return found


def _grade(
    order: GradeOrder, solutions: Path, submissions: list[Submission], journal: Journal
) -> list[Graded]:
    limits = Limits(
        cell_seconds=order.cell_seconds,
        question_seconds=order.cell_seconds,
        submission_seconds=12 * order.cell_seconds,
        memory=order.memory * MEBIBYTE,
    )
    conditions = Conditions(limits, _hidden(order, solutions))
    columns = (
        TextColumn("{task.description}"),
        *(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Grading", total=len(submissions))

        def on_graded(graded: Graded) -> None:
            progress.update(bar, advance=1, description=f"Graded {graded.student}"[:30])

        return grade_all(submissions, _engine(order), journal, conditions, on_graded)


def _engine(order: GradeOrder) -> Engine:
    return on_cluster(order.cluster) if order.cluster else on_this_machine(order.jobs)


def _hidden(order: GradeOrder, solutions: Path) -> tuple[Path, ...]:
    """What no submission may see, even if it lies inside the interpreter's own folder."""
    database = (order.gradebook or "").removeprefix("sqlite:///")
    named: tuple[Path | str | None, ...]
    named = (solutions, *order.paths, order.output, order.feedback, order.journal, database)
    return tuple(Path(path).resolve() for path in named if path)


def _write(
    order: GradeOrder, grades: list[Graded], submissions: list[Submission], console: Console
) -> None:
    try:
        if order.output:
            report.write(grades, order.output)
            console.print(f"Written: {order.output}")
        if order.feedback:
            pages = write_pages(grades, order.feedback)
            copy_receipts(submissions, order.feedback)
            console.print(f"Written: {report.counted(len(pages), 'page')} in {order.feedback}")
        if order.gradebook:
            count = write_gradebook(grades, order.gradebook)
            console.print(f"Written: {report.counted(count, 'submission')} in the gradebook")
    except (OSError, GradebookError) as reason:
        raise Refused(f"{reason} The grades are kept: run the same with --resume.") from reason
