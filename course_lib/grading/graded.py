"""A graded submission as plain data: what the journal keeps and every report is made of."""

import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from .compare import Status, Verdict

MAX_TEXT = 600


@dataclass(frozen=True)
class GradedQuestion:
    """One question. `hint` is the sentence for the student: what is wrong, or what happened."""

    name: str
    status: str
    points: float
    max_points: float
    mistake: str | None = None
    hint: str | None = None

    @property
    def points_shown(self) -> str:
        """The points in figures; a dash where a person has yet to give them."""
        return "–" if self.status == Status.REVIEW else f"{self.points:g}"


@dataclass(frozen=True)
class Graded:
    """One submission. `notes` are remarks for the instructor."""

    student: str
    exercise: str
    questions: tuple[GradedQuestion, ...]
    notes: tuple[str, ...] = ()
    isolated: bool = True

    @classmethod
    def of(
        cls,
        student: str,
        exercise: str,
        verdicts: Iterable[Verdict],
        notes: Iterable[str] = (),
        isolated: bool = True,
    ) -> "Graded":
        """From verdicts; whatever a submission may have had a say in becomes harmless text."""
        questions = tuple(map(_graded_question, verdicts))
        return cls(student, exercise, questions, tuple(map(harmless, notes)), isolated)

    @property
    def topic(self) -> str:
        """The exercise's name without its number, which is its notebook's name."""
        return self.exercise.split("_", 1)[-1]

    @property
    def points(self) -> float:
        return sum(question.points for question in self.questions)

    @property
    def max_points(self) -> float:
        return sum(question.max_points for question in self.questions)

    @property
    def needs_review(self) -> bool:
        """Whether a person has to look: something killed the run, or nothing could be graded."""
        return not self.questions or any(q.status == Status.REVIEW for q in self.questions)

    def as_json(self) -> dict[str, Any]:
        """The entry of `course grade --output grades.json`."""
        return {
            "student": self.student,
            "exercise": self.exercise,
            "points": self.points,
            "max_points": self.max_points,
            "isolated": self.isolated,
            "questions": [asdict(question) for question in self.questions],
        }

    @classmethod
    def from_json(cls, entry: dict[str, Any], notes: Iterable[str] = ()) -> "Graded":
        """Read what `as_json` wrote."""
        questions = tuple(GradedQuestion(**question) for question in entry["questions"])
        return cls(entry["student"], entry["exercise"], questions, tuple(notes), entry["isolated"])


def as_name(folder: str) -> str:
    """A student's name from that of a folder: visible, and no two folders become one student."""
    return "".join(
        sign if sign.isprintable() or unicodedata.category(sign) == "Zs" else _escaped(sign)
        for sign in folder
    )


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


def harmless(text: str) -> str:
    """Text that a terminal, a spreadsheet and a file in UTF-8 can take: one line, not endless."""
    encodable = text.encode("utf-8", "replace").decode("utf-8")
    printable = "".join(sign if sign.isprintable() else " " for sign in encodable)
    words = " ".join(printable.split())
    return words if len(words) <= MAX_TEXT else words[: MAX_TEXT - 1] + "…"


def _graded_question(verdict: Verdict) -> GradedQuestion:
    return GradedQuestion(
        verdict.question,
        str(verdict.status),
        verdict.points,
        verdict.max_points,
        verdict.mistake,
        harmless(_sentence(verdict)) or None,
    )


def _sentence(verdict: Verdict) -> str:
    if verdict.status is Status.RIGHT:
        return ""
    if verdict.status is Status.ERROR and verdict.hint:
        return f"{verdict.message} {verdict.hint}"
    return verdict.hint or verdict.message
