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


def moved(mark: Mark, right: float, down: float) -> Mark:
    """The same mark in another place."""
    clip = mark.clip and (mark.clip[0] + right, mark.clip[1] + down, *mark.clip[2:])
    if isinstance(mark, Path):
        return replace(mark, points=mark.points + np.array([right, down]), clip=clip)
    return replace(mark, x=mark.x + right, y=mark.y + down, clip=clip)
