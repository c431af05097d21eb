"""Names of the lines, set in rows that never leave the page."""

from collections.abc import Iterable, Sequence

import numpy as np

from course_lib.figures.lettering import fit, text_width
from course_lib.figures.marks import Box, Mark, Path, Text

ROW = 20.0
"""Height of a row of text in pixels."""

_SWATCH = 32.0
_SPACE = 16.0


def legend(
    entries: Sequence[tuple[str, str, str]], left: float, top: float, room: float
) -> tuple[list[Mark], float]:
    """The marks of a legend, and its height in pixels.

    `entries` are ``(kind, ink, label)`` with kind "line" or "area", set one after the other and
    wrapped where a row of `room` pixels is full.
    """
    marks: list[Mark] = []
    x, y = left, top
    for kind, ink, label in entries:
        label = fit(label, room - _SWATCH)
        width = _SWATCH + text_width(label)
        if x > left and x + width > left + room:
            x, y = left, y + ROW
        marks += [*_swatch(kind, ink, x, y), Text(x + _SWATCH, y + 14, label)]
        x += width + _SPACE
    return marks, (y - top + ROW) if entries else 0.0


def _swatch(kind: str, ink: str, x: float, y: float) -> Iterable[Mark]:
    if kind == "area":
        yield Box(x, y + 4, 26, 12, fill=ink)
    else:
        yield Path(np.array([[x, y + 10], [x + 26, y + 10]]), ink)


def paragraph(
    lines: Sequence[str], left: float, top: float, ink: str = "text"
) -> tuple[list[Mark], float]:
    """Lines of text one under the other, and their height in pixels."""
    marks: list[Mark] = [Text(left, top + 14 + k * ROW, line, ink) for k, line in enumerate(lines)]
    return marks, len(lines) * ROW
