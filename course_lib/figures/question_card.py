"""A question in print: what a reader without a kernel sees of a prediction."""

from collections.abc import Sequence

from course_lib.figures.figure import Figure
from course_lib.figures.legend import ROW
from course_lib.figures.lettering import wrap
from course_lib.figures.marks import Box, Dot, Mark, Text, moved

_WIDTH = 760.0
_INSET = 16.0


def question_card(question: str, choices: Sequence[str], below: Figure | None = None) -> Figure:
    """The question and its choices, and `below` them the view that answers it, if there is one."""
    width = max(_WIDTH, below.width if below else 0.0)
    room = width - 2 * _INSET
    marks: list[Mark] = []
    y = 30.0
    for line in wrap(f"Predict: {question}", room, size=15):
        marks.append(Text(_INSET, y, line, bold=True, size=14))
        y += ROW
    for choice in choices:
        marks.append(Dot(_INSET + 8, y - 2, 5.5, "quiet", "page"))
        for line in wrap(choice, room - 26):
            marks.append(Text(_INSET + 24, y + 3, line))
            y += ROW
    frame = Box(4, 4, width - 8, y - 2, stroke="frame", corner=7)
    height = y + 10
    if below:
        marks += [moved(mark, 0.0, height) for mark in below.marks]
        height += below.height
    return Figure(width, height, (frame, *marks), alt=_sentence(question, choices))


def _sentence(question: str, choices: Sequence[str]) -> str:
    return f"Predict: {question} Choices: {'; '.join(choices)}."
