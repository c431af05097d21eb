"""The four marks that every figure is made of, in pixels from the top left corner.

Two pens draw them: :mod:`.svg` for the live view and :mod:`.png` for the printed page. Since both
read the same marks, the picture on GitHub is the picture in the notebook.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

Clip = tuple[float, float, float, float]
"""Left, top, width and height of the rectangle outside which a mark is not drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Straight lines through `points` (shape ``(n, 2)``), outlined and filled in the named inks."""

    points: np.ndarray
    stroke: str | None = None
    fill: str | None = None
    closed: bool = False
    clip: Clip | None = None


@dataclass(frozen=True, slots=True)
class Dot:
    """A round dot: closed when it is filled in its own ink, open when in the page's."""

    x: float
    y: float
    radius: float
    stroke: str
    fill: str
    clip: Clip | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle with round corners."""

    x: float
    y: float
    width: float
    height: float
    stroke: str | None = None
    fill: str | None = None
    corner: float = 0.0
    clip: Clip | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; `y` is its baseline."""

    x: float
    y: float
    text: str
    ink: str = "text"
    anchor: Literal["start", "middle", "end"] = "start"
    bold: bool = False
    size: float = 13.0
    clip: Clip | None = None


Mark = Path | Dot | Box | Text


def lowered(mark: Mark, by: float) -> Mark:
    """The same mark, `by` pixels further down."""
    clip = mark.clip
    moved = clip and (clip[0], clip[1] + by, clip[2], clip[3])
    if isinstance(mark, Path):
        return replace(mark, points=mark.points + np.array([0.0, by]), clip=moved)
    return replace(mark, y=mark.y + by, clip=moved)
