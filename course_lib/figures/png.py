"""The pen that prints marks as PNG, for GitHub and for paper.

Every mark already has its place in pixels, so nothing is laid out here: one axis covers the whole
picture. Without a date or a program's name in it the same marks always give the same bytes.
"""

import io
from collections.abc import Sequence

from course_lib.figures.marks import Box, Dot, Mark, Path, Text
from course_lib.figures.palette import INKS

SCALE = 2
"""Pixels of the file a pixel of the figure, for screens with a high density."""

_DPI = 100
_POINTS = 72 / _DPI


def draw(marks: Sequence[Mark], width: float, height: float) -> bytes:
    """The marks on a page of `width` by `height` pixels, as the bytes of a PNG file."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context({"font.family": "DejaVu Sans", "text.parse_math": False}):
        figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI * SCALE, facecolor="white")
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
        axes.axis("off")
        for order, mark in enumerate(marks):
            _add(axes, mark, order)
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=_DPI * SCALE, metadata={"Software": None})
    return file.getvalue()


def _add(axes, mark: Mark, order: int) -> None:
    from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

    match mark:
        case Path(points, stroke, fill, closed):
            if fill:
                artist = axes.fill(*points.T, color=_paint(fill), lw=0)[0]
                _place(axes, artist, mark, order)
            if stroke:
                artist = axes.plot(*_loop(points, closed).T, **_line(stroke))[0]
                _place(axes, artist, mark, order)
        case Dot(x, y, radius, stroke, fill):
            line = {"ec": INKS[stroke].light, "lw": 2 * _POINTS}
            artist = Circle((x, y), radius, fc=INKS[fill].light, **line)
            _place(axes, axes.add_patch(artist), mark, order)
        case Box(x, y, width, height, stroke, fill, corner):
            rounding = f"round,pad=0,rounding_size={corner}"
            artist = (
                FancyBboxPatch((x, y), width, height, boxstyle=rounding, mutation_aspect=1)
                if corner
                else Rectangle((x, y), width, height)
            )
            artist.set(
                facecolor=_paint(fill) if fill else "none",
                edgecolor=INKS[stroke].light if stroke else "none",
                linewidth=INKS[stroke].width * _POINTS if stroke else 0,
            )
            _place(axes, axes.add_patch(artist), mark, order)
        case Text(x, y, text, ink, anchor, bold, size):
            artist = axes.text(
                x,
                y,
                text,
                color=INKS[ink].light,
                ha={"start": "left", "middle": "center", "end": "right"}[anchor],
                va="baseline",
                weight="bold" if bold else "normal",
                # DejaVu Sans runs wide beside a screen's own font.
                size=0.92 * size * _POINTS,
            )
            _place(axes, artist, mark, order)


def _paint(name: str) -> tuple[str, float]:
    return INKS[name].light, INKS[name].opacity


def _line(name: str) -> dict:
    ink = INKS[name]
    dash: str | tuple = "solid"
    if ink.dash:
        dash = (ink.shift / ink.width, tuple(length / ink.width for length in ink.dash))
    return {"color": ink.light, "lw": ink.width * _POINTS, "ls": dash, "solid_joinstyle": "round"}


def _loop(points, closed: bool):
    import numpy as np

    return np.concatenate([points, points[:1]]) if closed else points


def _place(axes, artist, mark: Mark, order: int) -> None:
    from matplotlib.patches import Rectangle

    artist.set_zorder(order)
    if mark.clip is None:
        artist.set_clip_on(False)
    else:
        left, top, width, height = mark.clip
        artist.set_clip_path(Rectangle((left, top), width, height, transform=axes.transData))
