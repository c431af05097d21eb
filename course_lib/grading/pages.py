"""Feedback to hand back: one HTML page a student, with named mistakes and hints, no answers."""

import hashlib
import re
import shutil
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from .collect import Submission
from .feedback import TONES
from .graded import Graded, GradedQuestion
from .report import NOT_ISOLATED

_LONGEST = 240  # bytes of a file's name, without its ending
_RECEIPTS = ("timestamp.txt", "submission_secret.txt")
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Feedback for {student}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: auto; padding: 1rem }}
h1, h2 {{ line-height: 1.2 }}
section {{ margin: 2rem 0 }}
article {{ border-left: 0.3rem solid; padding: 0.1rem 0 0.1rem 1rem; margin: 1rem 0 }}
article p {{ margin: 0.2rem 0 }}
.points {{ float: right; font-variant-numeric: tabular-nums }}
.note {{ font-style: italic }}
.warning {{ border: 0.15rem solid; padding: 0.5rem 1rem; font-weight: bold }}
</style>
<h1>Feedback for {student}</h1>
<p>{points:g} of {most:g} points.</p>
{sections}
</html>
"""
_WARNING = (
    f'<p class="warning">{NOT_ISOLATED}: this was graded on a machine that could not keep '
    "submissions apart.</p>"
)


def write_pages(grades: Iterable[Graded], folder: Path) -> list[Path]:
    """Write `folder/STUDENT.html` for each student, and return these files.

    Each exercise also has its page at `folder/STUDENT/EXERCISE/TOPIC.html`, which is where
    `nbgrader release_feedback` looks for what it gives back.
    """
    pages = []
    for student, group in groupby(grades, key=lambda graded: graded.student):
        theirs, name = list(group), _file_name(student)
        for graded in theirs:
            exercise, topic = map(_file_name, (graded.exercise, graded.topic))
            _write(folder / name / exercise / f"{topic}.html", student, [graded])
        pages.append(_write(folder / f"{name}.html", student, theirs))
    return pages


def copy_receipts(submissions: Iterable[Submission], folder: Path) -> None:
    """Put what nbgrader wrote down at submission beside the pages: its exchange asks for it."""
    for submission in submissions:
        place = folder / _file_name(submission.student) / _file_name(submission.exercise)
        if submission.path is None or not place.is_dir():
            continue
        for name in _RECEIPTS:
            receipt = submission.path.with_name(name)
            if receipt.is_file() and not receipt.is_symlink():
                shutil.copyfile(receipt, place / name)


def _file_name(name: str) -> str:
    """The name itself, by which nbgrader knows it; cut if an ending would make it too long."""
    if len(name.encode()) <= _LONGEST:
        return name
    return f"{name[:50]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _write(page: Path, student: str, grades: Sequence[Graded]) -> Path:
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(render(student, grades), encoding="utf-8")
    return page


def render(student: str, grades: Sequence[Graded]) -> str:
    """A student's page."""
    return _PAGE.format(
        student=escape(student),
        points=sum(graded.points for graded in grades),
        most=sum(graded.max_points for graded in grades),
        sections="\n".join(map(_section, grades)),
    )


def _section(graded: Graded) -> str:
    score = f"{graded.points:g} of {graded.max_points:g}"
    parts = [f'<h2><span class="points">{score}</span>{escape(graded.exercise)}</h2>']
    if not graded.isolated:
        parts.append(_WARNING)
    parts += map(_article, graded.questions)
    parts += (f'<p class="note">{_html(note)}</p>' for note in graded.notes)
    return "\n".join(("<section>", *parts, "</section>"))


def _article(question: GradedQuestion) -> str:
    colour, sign = TONES[question.status]
    mistake = f" ({question.mistake.replace('-', ' ')})" if question.mistake else ""
    score = f"{question.points_shown} of {question.max_points:g}"
    told = f"<p>{_html(question.hint)}</p>" if question.hint else ""
    return (
        f'<article style="border-color: {colour}">'
        f'<p><span class="points">{score}</span><strong><span aria-hidden="true">{sign}</span> '
        f"<code>{escape(question.name)}</code>: {question.status}{escape(mistake)}</strong></p>"
        f"{told}</article>"
    )


def _html(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
