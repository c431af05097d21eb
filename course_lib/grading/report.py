"""Grades for people and for programs: a table a student, CSV and JSON."""

import csv
import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .compare import Status
from .graded import Graded

NOT_ISOLATED = "NOT ISOLATED"
COLUMNS = (
    *("student", "exercise", "question", "status", "points", "max_points"),
    *("mistake", "hint", "isolated", "notes"),
)
_STYLES = {
    Status.RIGHT: "green",
    Status.WRONG: "red",
    Status.ERROR: "magenta",
    Status.NOT_ATTEMPTED: "dim",
    Status.REVIEW: "bold yellow",
}


def show(grades: Iterable[Graded], console: Console) -> None:
    """Print a table for each student."""
    for student, theirs in groupby(grades, key=lambda graded: graded.student):
        console.print(_table(student, list(theirs)))


def _table(student: str, grades: Sequence[Graded]) -> Table:
    points, most = sum(g.points for g in grades), sum(g.max_points for g in grades)
    table = Table(title=Text(f"{student}: {points:g} of {most:g} points"), title_justify="left")
    for column in ("exercise", "question", "status"):
        table.add_column(column)
    table.add_column("points", justify="right")
    table.add_column("what to know", overflow="fold")
    for graded in grades:
        table.add_section()
        exercise = graded.exercise
        for question in graded.questions:
            style = _STYLES.get(Status(question.status), "")
            told = ": ".join(filter(None, (question.mistake, question.hint)))
            score = f"{question.points_shown}/{question.max_points:g}"
            row = (question.name, question.status, score, told)
            table.add_row(exercise, *(Text(text, style) for text in row))
            exercise = ""  # said once
        remarks = graded.notes if graded.isolated else (NOT_ISOLATED, *graded.notes)
        for remark in remarks:
            table.add_row(exercise, Text("note", "dim"), "", "", Text(remark, "italic"))
            exercise = ""
    return table


def summary(grades: Sequence[Graded]) -> str:
    """One line over all: how many, what became of the questions, and who needs a person."""
    questions = Counter(question.status for graded in grades for question in graded.questions)
    counts = ", ".join(f"{questions[status]} {status}" for status in Status if questions[status])
    review = sum(graded.needs_review for graded in grades)
    line = f"{counted(len(grades), 'submission')}: {counts or 'no questions'}."
    if review:
        line += f" {counted(review, 'submission')} for a person to look at."
    if not all(graded.isolated for graded in grades):
        line += f" {NOT_ISOLATED}."
    return line


def check_ending(path: Path) -> None:
    """Raise ValueError, before hours of grading, for a file of no known kind."""
    if path.suffix.lower() not in (".csv", ".json"):
        raise ValueError(f"{path} ends in neither .csv nor .json; name the output one of these.")


def write(grades: Sequence[Graded], path: Path) -> None:
    """Write grades as CSV or JSON, by the file's ending; a reader never sees half a file."""
    check_ending(path)
    write_as = _write_csv if path.suffix.lower() == ".csv" else _write_json
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    write_as(grades, unfinished)
    unfinished.replace(path)


def _write_json(grades: Sequence[Graded], path: Path) -> None:
    entries = [graded.as_json() for graded in grades]
    path.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_csv(grades: Sequence[Graded], path: Path) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for graded in grades:
            isolated = "yes" if graded.isolated else NOT_ISOLATED
            notes = " ".join(graded.notes)
            # A submission without questions still has its row: nothing is passed over.
            for question in graded.questions or (None,):
                about = (
                    (
                        *(question.name, question.status, question.points, question.max_points),
                        *(question.mistake, question.hint),
                    )
                    if question
                    else ("", str(Status.REVIEW), 0, 0, "", "")
                )
                row = (graded.student, graded.exercise, *about, isolated, notes)
                writer.writerow(map(_no_formula, row))


def _no_formula(value: object) -> object:
    """Text that a spreadsheet would run as a formula is led by an apostrophe."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@")):
        return f"'{value}"
    return value


def counted(number: int, what: str) -> str:
    """`1 page`, `2 pages`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
