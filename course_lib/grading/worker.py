"""Grade one submission: as many tries as it takes for every question to have its own chance.

What kills or hangs a try costs itself only. A statement that does is left out of the next try; a
question that does is marked REVIEW and the others are asked again. What is not right in the end is
asked once more without what stands beside it in the notebook, which may be to blame.
"""

import functools
import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_lib import frameworks

from .compare import Status, Verdict, judge
from .extract import Cell, Extract, Unreadable, extract, is_edited
from .jail.limits import Limits
from .jail.rooms import PRELOADABLE, House
from .rubric import Question, Rubric
from .sitting import WHOLE_CELL, Answers, Sitting, Statement, hold

MAX_TRIES = 25
GIVEN = 0  # the position of the exercise's own cells, before the first


@dataclass(frozen=True)
class Outcome:
    """The verdicts on a submission, and remarks on it for a person."""

    verdicts: tuple[Verdict, ...]
    notes: tuple[str, ...] = ()
    isolated: bool = True


def grade_notebook(
    notebook: bytes,
    rubric: Rubric,
    house: House,
    limits: Limits | None = None,
    given: Sequence[str] = (),
    seed: int | None = None,
    broken: Mapping[str, str] | None = None,
) -> Outcome:
    """Grade a submitted notebook.

    Parameters
    ----------
    notebook : bytes
        The file, as it was handed in.
    rubric : Rubric
    house : House
        Where it is run.
    limits : Limits, optional
    given : sequence of str
        Sources of the exercise's own cells, such as its imports. They are run first, so that an
        answer does not depend on whether they were kept.
    seed : int, optional
        Fixes the random inputs; by default nobody can foresee them.
    broken : mapping of str to str, optional
        Question to the source that was handed out for repair. An answer that differs from it is
        an attempt, even if it computes the same.
    """
    try:
        found = extract(notebook, [question.name for question in rubric.questions])
    except Unreadable as reason:
        return unread(rubric, str(reason), house.isolated)
    own = [cell for cell in found.cells if cell.source not in given]
    cells = (*(Cell(GIVEN, source) for source in given), *own)
    found = Extract(cells, found.notes)
    edited = {
        name
        for name, source in (broken or {}).items()
        if is_edited((c.source for c in own), name, source)
    }
    return _Grading(found, rubric, house, limits or Limits(), seed, edited).outcome()


def unread(rubric: Rubric, why: str, isolated: bool = True) -> Outcome:
    """The outcome for a submission that could not be read: REVIEW, and why."""
    verdicts = tuple(_review(question, why) for question in rubric.questions)
    return Outcome(verdicts, (why,), isolated)


class _Grading:
    def __init__(
        self,
        found: Extract,
        rubric: Rubric,
        house: House,
        limits: Limits,
        seed: int | None,
        edited: Collection[str],
    ) -> None:
        self.found, self.house, self.limits, self.edited = found, house, limits, edited
        self.rng = np.random.default_rng(seed)
        self.deadline = time.monotonic() + self.limits.submission_seconds
        self.questions = {question.name: question for question in rubric.questions}
        self.verdicts: dict[str, Verdict] = {}
        self.errors: dict[int, str] = {}
        self.left_out: set[Statement] = set()
        self.for_good: set[str] = set()
        self.notes = list(found.notes)

    def outcome(self) -> Outcome:
        self._set_aside_what_cannot_run_here()
        self.rooms = self.house.rooms_for(self._libraries())
        for _ in range(MAX_TRIES):
            if not self._open_questions() or self._time_is_up():
                break
            self._try()
        for question in self._open_questions():
            spent = f"all {MAX_TRIES} tries or its {self.limits.submission_seconds:g} s"
            self._settle(_review(question, f"The notebook used up {spent} before this was run."))
        for question in self.questions.values():
            if question.name not in self.for_good:
                self._ask_again(question)
        verdicts = tuple(self.verdicts[name] for name in self.questions)
        return Outcome(verdicts, tuple(self.notes), self.house.isolated)

    def _open_questions(self) -> list[Question]:
        return [q for name, q in self.questions.items() if name not in self.verdicts]

    def _settle(self, verdict: Verdict, for_good: bool = False) -> None:
        """Keep a verdict; what is right, blank, or marked so will not be asked again."""
        self.verdicts[verdict.question] = verdict
        if for_good or verdict.status in (Status.RIGHT, Status.NOT_ATTEMPTED):
            self.for_good.add(verdict.question)

    def _time_is_up(self) -> bool:
        return time.monotonic() > self.deadline

    def _set_aside_what_cannot_run_here(self) -> None:
        here = {"tape", *_available()}
        for question in self.questions.values():
            if question.framework and question.framework not in here:
                label = frameworks.LABELS[question.framework]
                missing = f"{label} is not installed where it was graded."
                self._settle(_review(question, missing), for_good=True)

    def _hold(self, cells: Sequence[Cell], questions: Sequence[Question], **how: Any) -> Sitting:
        return hold(self.rooms, cells, questions, self.rng, self.limits, self.deadline, **how)

    def _try(self) -> None:
        questions = self._open_questions()
        sitting = self._hold(self.found.cells, questions, omitted=self.left_out)
        self.errors |= sitting.errors
        for question in questions:
            if question.name in sitting.answers:
                verdict = self._judge(question, sitting.answers[question.name], sitting)
                late = self._what_kept_it(question, sitting)
                if verdict.status is Status.REVIEW and late:
                    self._leave_out(late, "it took too long")  # what is below it may be the answer
                else:
                    self._settle(verdict)
        if sitting.ended_at is None:
            return
        if isinstance(sitting.ended_at, tuple):
            self._leave_out({sitting.ended_at}, sitting.reason)
        elif late := sitting.late - self.left_out:
            self._leave_out(late, "it took too long")  # what it left running may be to blame
        else:
            self._settle(_stopped(self.questions[sitting.ended_at], sitting.reason))

    def _ask_again(self, question: Question) -> None:
        """Ask without what may be to blame: an error above the answer, or all the other cells."""
        everything = self.found.cells
        own = [c for c in everything if c.position == GIVEN or question.name in c.defines]
        raised = "; ".join(f"cell {cell}: {error}" for cell, error in self.errors.items())
        ways: list[tuple[Sequence[Cell], Collection[Statement], str]] = []
        if self.errors:
            ways.append((everything, self.left_out, f"once errors are passed over ({raised})"))
        if self.found.defining(question.name) and len(own) < len(everything):
            ways.append((own, (), "only when its cell is run without the others"))
        for cells, omitted, remark in ways:
            if self._time_is_up():
                return
            sitting = self._hold(cells, [question], omitted=omitted, past_errors=True)
            answers = sitting.answers.get(question.name)
            verdict = answers and self._judge(question, answers, sitting)
            if verdict and verdict.status is Status.RIGHT:
                self._settle(verdict)
                self.notes.append(f"{question.name} is right {remark}.")
                return

    def _what_kept_it(self, question: Question, sitting: Sitting) -> set[Statement]:
        """Statements that took too long in the cells of an answer, and may be left out."""
        defining = self.found.defining(question.name)
        return {late for late in sitting.late if late[0] in defining} - self.left_out

    def _libraries(self) -> set[str]:
        """Those that the questions are about, or that the notebook speaks of."""
        sources = "\n".join(cell.source for cell in self.found.cells)
        spoken_of = {name for name in PRELOADABLE if re.search(rf"\b{name}\b", sources)}
        return spoken_of | {q.framework for q in self.questions.values() if q.framework}

    def _leave_out(self, statements: set[Statement], reason: str | None) -> None:
        self.left_out |= statements
        for position, statement in statements:
            one = f"Statement {statement + 1} of cell {position}"
            which = f"Cell {position}" if statement == WHOLE_CELL else one
            self.notes.append(f"{which} was left out: {reason}.")

    def _judge(self, question: Question, answers: Answers, sitting: Sitting) -> Verdict:
        if answers.reason:
            self.for_good.add(question.name)  # time is not given twice
            return _stopped(question, answers.reason)
        reports = [self._explained(question, report, sitting) for report in answers.reports]
        try:
            edited = question.name in self.edited
            verdict = judge(question, answers.probes, reports, edited)
        except Exception:  # junk in the form of an answer must not stop the grading of a class
            return _review(question, "The answer is not of a form that can be compared.")
        return self._unless_stopped(question, verdict, sitting)

    def _explained(self, question: Question, report: dict, sitting: Sitting) -> dict:
        """For an answer that is not there, what became of the cell that should have defined it."""
        defining = self.found.defining(question.name)
        if report.get("status") != "missing" or not defining:
            return report
        message = f"Cell {defining[-1]} should define it, and does not."
        for position in defining:
            if position in sitting.errors and position not in _positions(sitting.late):
                message = f"Cell {position} raised {sitting.errors[position]}"
        return {"status": "error", "message": message}

    def _unless_stopped(self, question: Question, verdict: Verdict, sitting: Sitting) -> Verdict:
        """What was not run whole cannot be called unattempted, or in error."""
        if verdict.status not in (Status.NOT_ATTEMPTED, Status.ERROR):
            return verdict
        stopped = _positions(self.left_out | sitting.late)
        if not stopped & set(self.found.defining(question.name)) and not (
            stopped and verdict.status is Status.ERROR
        ):
            return verdict
        cells = ", ".join(map(str, sorted(stopped)))
        why = f"Part of the notebook was stopped (cell {cells}). {verdict.message}"
        return _review(question, why)


def _positions(statements: Iterable[Statement]) -> set[int]:
    return {position for position, _ in statements}


@functools.cache
def _available() -> list[str]:
    return frameworks.available()


def _stopped(question: Question, reason: str | None) -> Verdict:
    return _review(question, f"The answer was stopped: {reason or 'it ended its process'}.")


def _review(question: Question, message: str) -> Verdict:
    return Verdict(
        question.name, Status.REVIEW, 0, question.points, message=f"{message} A person has to look."
    )
