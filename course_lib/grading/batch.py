"""Grade many submissions, on this machine or on a Dask cluster, and keep the journal."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from .collect import Submission
from .compare import Status, Verdict
from .extract import Unreadable, read_notebook, written_answer
from .graded import Graded
from .handed_out import HandedOut, Written, handed_out
from .jail.limits import Limits
from .jail.rooms import House
from .journal import Journal, digest_of
from .rubric import Rubric
from .worker import grade_notebook, unread

_AHEAD = 2
"""Submissions waiting for each job, so that none is idle and few notebooks are held in memory."""


@dataclass(frozen=True)
class Task:
    """A submission with its notebook's bytes, or with the reason why there are none."""

    student: str
    exercise: str
    rubric: Rubric | None
    notebook: bytes
    problem: str | None
    notes: tuple[str, ...]
    handout: HandedOut
    digest: str

    @classmethod
    def of(cls, submission: Submission, handout: HandedOut) -> "Task":
        notebook, problem = b"", None
        if submission.path is None:
            problem = " ".join(submission.notes)
        else:
            try:
                notebook = read_notebook(submission.path)
            except Unreadable as reason:
                problem = str(reason)
        return cls(
            submission.student,
            submission.exercise,
            submission.rubric,
            notebook,
            problem,
            submission.notes if submission.path else (),
            handout,
            digest_of(notebook or (problem or "").encode(), submission.rubric),
        )


@dataclass(frozen=True)
class Conditions:
    """How submissions are run: within which limits, and what they must not see."""

    limits: Limits = field(default_factory=Limits)
    hidden: tuple[Path, ...] = ()


Engine = Callable[[Iterable[Task], Conditions], Iterator[tuple[Task, Graded]]]
"""Grades tasks in any order, and gives each back with its grade."""


def grade_all(
    submissions: Sequence[Submission],
    engine: Engine,
    journal: Journal,
    conditions: Conditions | None = None,
    on_graded: Callable[[Graded], None] = lambda graded: None,
) -> list[Graded]:
    """Grade submissions, except those that the journal already holds.

    Parameters
    ----------
    submissions : sequence of Submission
    engine : Engine
        `on_this_machine(jobs)` or `cluster.on_cluster(address)`.
    journal : Journal
    conditions : Conditions, optional
    on_graded : callable
        Called for each submission that is done, in the order in which they are.

    Returns
    -------
    list of Graded
        In the order of the submissions.
    """
    done: dict[tuple[str, str], Graded] = {}
    rubrics = {submission.exercise: submission.rubric for submission in submissions}
    handouts = {name: handed_out(rubric) for name, rubric in rubrics.items() if rubric}

    def still_to_do() -> Iterator[Task]:
        for submission in submissions:
            task = Task.of(submission, handouts.get(submission.exercise, HandedOut()))
            earlier = journal.find(task.student, task.exercise, task.digest)
            if earlier is None:
                yield task
            else:
                done[task.student, task.exercise] = earlier
                on_graded(earlier)

    for task, graded in engine(still_to_do(), conditions or Conditions()):
        journal.write(graded, task.digest)
        done[task.student, task.exercise] = graded
        on_graded(graded)
    return [done[submission.student, submission.exercise] for submission in submissions]


def grade_task(task: Task, house: House, limits: Limits) -> Graded:
    """Grade one task in a house."""
    if task.rubric is None:
        return Graded(task.student, task.exercise, (), (task.problem or "",), house.isolated)
    if task.problem:
        outcome = unread(task.rubric, task.problem, house.isolated)
    else:
        handout = task.handout
        outcome = grade_notebook(
            task.notebook, task.rubric, house, limits, handout.given, broken=handout.broken
        )
    read_by_a_person = [_left_to_a_person(task.notebook, each) for each in task.handout.written]
    verdicts = (*outcome.verdicts, *read_by_a_person)
    notes = (*task.notes, *outcome.notes)
    return Graded.of(task.student, task.exercise, verdicts, notes, outcome.isolated)


def _left_to_a_person(notebook: bytes, written: Written) -> Verdict:
    try:
        answer = written_answer(notebook, written.name)
    except Unreadable:
        answer = None
    if answer is not None and answer.strip() in ("", written.stub):
        return Verdict(written.name, Status.NOT_ATTEMPTED, 0, written.points)
    message = "A written answer: a person has to read it."
    return Verdict(written.name, Status.REVIEW, 0, written.points, message=message)


def on_this_machine(jobs: int = 1) -> Engine:
    """An engine of `jobs` threads, each with a house of its own."""

    def engine(tasks: Iterable[Task], conditions: Conditions) -> Iterator[tuple[Task, Graded]]:
        own = threading.local()
        houses: list[House] = []

        def grade(task: Task) -> tuple[Task, Graded]:
            if not hasattr(own, "house"):
                own.house = House(conditions.hidden)
                houses.append(own.house)
            return task, grade_task(task, own.house, conditions.limits)

        with ThreadPoolExecutor(jobs) as pool:
            try:
                for future in in_a_window(tasks, lambda task: pool.submit(grade, task), jobs):
                    yield future.result()
            finally:
                pool.shutdown(cancel_futures=True)
                for house in houses:
                    house.close()

    return engine


def in_a_window(
    tasks: Iterable[Task], start: Callable[[Task], Future], jobs: int
) -> Iterator[Future]:
    """Start tasks a few at a time, and give each future back when it is done."""
    running: set[Future] = set()
    for task in tasks:
        running.add(start(task))
        if len(running) >= _AHEAD * jobs:
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            yield from finished
    yield from wait(running).done
