"""One try of a submission: its cells, then its answers to probes, in a room of its own.

The probes are drawn only when the cells have run, so no submission can have seen them before. What
comes back is believed in one respect only: numbers, which `compare.judge` will look at.
"""

import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .extract import Cell
from .jail.limits import Limits
from .jail.rooms import JAIL_ENDED, Rooms, Try
from .jail.wire import Gone, Nonsense, WireError
from .probe import Probe
from .rubric import Question

_GRACE = 1.0
"""Seconds beyond its limit after which a cell that cannot be interrupted is ended with its try."""

Statement = tuple[int, int]
"""A cell's position, and one of its top-level statements, counted from 0, or WHOLE_CELL."""

WHOLE_CELL = -1


@dataclass
class Answers:
    """A question's probes and the report on each; or, if it was stopped, the reason."""

    probes: Sequence[Probe]
    reports: list[dict[str, Any]] = field(default_factory=list)
    reason: str | None = None


@dataclass
class Sitting:
    """What one try brought to light.

    `ended_at` is the statement or the question's name that is to blame if the try ended before
    its time, and `reason` says how it did. `errors` holds what each cell raised, `late` the
    statements at which a cell had used up its time.
    """

    answers: dict[str, Answers] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    late: set[Statement] = field(default_factory=set)
    ended_at: Statement | str | None = None
    reason: str | None = None


def hold(
    rooms: Rooms,
    cells: Sequence[Cell],
    questions: Sequence[Question],
    rng: np.random.Generator,
    limits: Limits,
    deadline: float,
    omitted: Collection[Statement] = (),
    past_errors: bool = False,
) -> Sitting:
    """Run the cells in a fresh room and ask the questions.

    Parameters
    ----------
    rooms : Rooms
    cells : sequence of Cell
    questions : sequence of Question
    rng : numpy.random.Generator
        Draws the probes.
    limits : Limits
    deadline : float
        On the monotonic clock, when the submission has used up its time.
    omitted : collection of Statement
        What ended earlier tries, and is left out of this one.
    past_errors : bool
        Run what stands below an error in its cell, too.
    """
    found, broken_off = Sitting(), None
    cells = [cell for cell in cells if (cell.position, WHOLE_CELL) not in omitted]
    with rooms.a_try(limits) as this:
        try:
            talk = _Conversation(this, limits, deadline, found, omitted, past_errors)
            talk.lead(cells, questions, rng)
        except WireError as reason:
            broken_off = reason
    if broken_off:
        found.reason = (isinstance(broken_off, Gone) and this.how_it_ended()) or str(broken_off)
    if found.reason == JAIL_ENDED:
        found.ended_at = None
    return found


class _Conversation:
    """Few messages go in and many come back: what is slow is waiting for each other."""

    def __init__(
        self,
        this: Try,
        limits: Limits,
        deadline: float,
        found: Sitting,
        omitted: Collection[Statement],
        past_errors: bool,
    ) -> None:
        self.wire, self.limits, self.deadline, self.found = this.wire, limits, deadline, found
        self.omitted, self.past_errors = omitted, past_errors

    def lead(
        self, cells: Sequence[Cell], questions: Sequence[Question], rng: np.random.Generator
    ) -> None:
        self._run(cells)
        self._run(self._worth_a_second_run(cells, questions))
        self._ask(questions, rng)
        self.found.ended_at = None

    def _run(self, cells: Sequence[Cell]) -> None:
        """Have cells run, noting which statement of which cell they are at."""
        marks = [secrets.token_hex(8) for _ in cells]
        job = [
            {"mark": mark, "source": cell.source, "omitted": self._omitted_in(cell)}
            for mark, cell in zip(marks, cells, strict=True)
        ]
        if cells:
            self.found.ended_at = (cells[0].position, WHOLE_CELL)
            order = {"seconds": self.limits.cell_seconds, "past_errors": self.past_errors}
            self._send({"cells": job, **order})
        for mark, cell in zip(marks, cells, strict=True):
            self._follow(cell, mark)

    def _follow(self, cell: Cell, mark: str) -> None:
        self.found.ended_at = (cell.position, WHOLE_CELL)
        self.found.errors.pop(cell.position, None)
        end = time.monotonic() + self.limits.cell_seconds + _GRACE
        while True:
            match self._reply(mark, end):
                case {"at": int(statement)}:
                    self.found.ended_at = (cell.position, statement)
                case {"error": str(error), "late": bool(late)}:
                    self._note(cell, error, late)
                    return
                case _:
                    raise Nonsense

    def _note(self, cell: Cell, error: str, late: bool) -> None:
        if error.startswith("MemoryError"):
            # What it took may still be held: the cells after it shall not go short.
            raise WireError("it used up its memory")
        if error:
            self.found.errors[cell.position] = error
        if late and isinstance(self.found.ended_at, tuple):
            self.found.late.add(self.found.ended_at)

    def _worth_a_second_run(
        self, cells: Sequence[Cell], questions: Sequence[Question]
    ) -> list[Cell]:
        """Cells that define an answer, and stand before a cell with a name that they use."""
        again = []
        for question in questions:
            defining = [cell for cell in cells if question.name in cell.defines][-1:]
            for cell in defining:
                if self.found.errors.get(cell.position, "").startswith("NameError"):
                    again.append(cell)
        return again

    def _ask(self, questions: Sequence[Question], rng: np.random.Generator) -> None:
        asked = {question.name: Answers(question.probes(rng)) for question in questions}
        marks = {name: secrets.token_hex(8) for name in asked}
        job = [
            {"mark": marks[name], "probes": [probe.as_json() for probe in answers.probes]}
            for name, answers in asked.items()
        ]
        self.found.ended_at = questions[0].name
        self._send({"questions": job, "seconds": self.limits.question_seconds})
        for name, answers in asked.items():
            self.found.ended_at = name
            self._hear(answers, marks[name])
            self.found.answers[name] = answers

    def _hear(self, answers: Answers, mark: str) -> None:
        end = time.monotonic() + self.limits.question_seconds + _GRACE
        match self._reply(mark, end):
            case {"answers": [*_, {"status": "late"}]}:
                answers.reason = f"it took longer than {self.limits.question_seconds:g} s"
            case {"answers": list(reports)} if all(isinstance(each, dict) for each in reports):
                answers.reports = reports
            case _:
                raise Nonsense

    def _send(self, message: dict[str, Any]) -> None:
        end = time.monotonic() + self.limits.cell_seconds + _GRACE
        self.wire.send(message, self._until(end))

    def _reply(self, mark: str, end: float) -> dict[str, Any]:
        """The next message, which has to bear the mark of what was asked for.

        Whoever forges a reply could find the mark. It is there so that one written at random, or
        by a process left over from an earlier cell, is noticed at once, and not one cell later.
        """
        reply = self.wire.receive(self._until(end))
        if reply.get("mark") != mark:
            raise Nonsense
        return reply

    def _until(self, end: float) -> float:
        return max(min(end, self.deadline) - time.monotonic(), 0.001)

    def _omitted_in(self, cell: Cell) -> list[int]:
        left_out = {statement for position, statement in self.omitted if position == cell.position}
        return sorted(left_out | cell.blanks)
