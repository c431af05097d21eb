"""The pen that writes marks as SVG."""

from collections.abc import Sequence
from html import escape
from itertools import groupby

import numpy as np

from course_lib.figures.marks import Box, Clip, Dot, Mark, Path, Text


def draw(marks: Sequence[Mark]) -> str:
    """The marks as SVG elements, in their order.

    Marks with the same clip go into a nested ``<svg>``, which cuts what leaves it. A ``clipPath``
    would need an id, and ids clash as soon as a page shows two figures.
    """
    groups = groupby(marks, key=lambda mark: mark.clip)
    return "".join(_window("".join(map(_element, group)), clip) for clip, group in groups)


def number(value: float) -> str:
    """A coordinate to a tenth of a pixel, as short as it can be written."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def _steps(points: np.ndarray) -> str:
    """The points of a path, each coordinate as by `number`, but all at once: they are many."""
    rounded = np.round(points, 1) + 0.0
    return "L".join(["%g %g"] * len(points)) % tuple(rounded.ravel().tolist())


def _window(content: str, clip: Clip | None) -> str:
    if clip is None:
        return content
    left, top, width, height = map(number, clip)
    return (
        f'<svg x="{left}" y="{top}" width="{width}" height="{height}" '
        f'viewBox="{left} {top} {width} {height}">{content}</svg>'
    )


def _element(mark: Mark) -> str:
    match mark:
        case Path(points, stroke, fill, closed):
            return f'<path{_inks(stroke, fill)} d="M{_steps(points)}{"Z" if closed else ""}"/>'
        case Dot(x, y, radius, stroke, fill):
            return f"<circle{_inks(stroke, fill)}{_attributes(cx=x, cy=y, r=radius)}/>"
        case Box(x, y, width, height, stroke, fill, corner):
            size = _attributes(x=x, y=y, width=width, height=height, rx=corner)
            return f"<rect{_inks(stroke, fill)}{size}/>"
        case Text(x, y, text, ink, anchor, bold, size):
            look = "" if anchor == "start" else f' text-anchor="{anchor}"'
            look += ' font-weight="600"' if bold else ""
            look += "" if size == 13 else f' font-size="{number(size)}"'
            return f"<text{_inks(None, ink)}{_attributes(x=x, y=y)}{look}>{escape(text)}</text>"


def _inks(stroke: str | None, fill: str | None) -> str:
    names = [f"s-{stroke}"] if stroke else []
    names += [f"f-{fill}"] if fill else []
    return f' class="{" ".join(names)}"' + ("" if fill else ' fill="none"')


def _attributes(**values: float) -> str:
    return "".join(f' {name}="{number(value)}"' for name, value in values.items())
