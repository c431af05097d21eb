"""A recorded tape as a graph, at one moment of its way forward or back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from course_lib.figures.figure import Figure
from course_lib.figures.layering import Place, layered
from course_lib.figures.legend import ROW, paragraph
from course_lib.figures.lettering import fit, text_width, wrap
from course_lib.figures.marks import Box, Dot, Mark, Path, Text

_NARROWEST, _WIDEST = 84.0, 190.0
_BOX_HEIGHT = 66.0
_GAP_ALONG, _GAP_BETWEEN = 34.0, 20.0
_MARGIN = 16.0
_LEAST_WIDTH = 600.0
_MOST_LAYERS_ACROSS = 5
_CAPTION_LINES = 3


@dataclass(frozen=True, slots=True)
class TapeNode:
    """One step on the tape: its name, how it was made, its value, and where it comes from.

    `formula` is empty for an input.
    """

    name: str
    formula: str
    value: str
    inputs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known at one step of the way.

    Attributes
    ----------
    known
        How many nodes have been computed.
    adjoints
        What has reached each node so far, or None.
    active
        The node whose turn it is, or None.
    backward
        Whether the way leads back.
    caption
        A sentence about this step.
    """

    known: int
    adjoints: tuple[str | None, ...]
    active: int | None
    backward: bool
    caption: str


def tape_graph(nodes: Sequence[TapeNode], moment: Moment, step: int, steps: int) -> Figure:
    """The graph at `moment`, which is step `step` of 0 … `steps`, with a bar to drag along."""
    edges = [(start, end) for end, node in enumerate(nodes) for start in dict.fromkeys(node.inputs)]
    places, bends = layered(len(nodes), edges)
    page = _Page(_box_width(nodes), places, [bend for chain in bends.values() for bend in chain])
    marks: list[Mark] = []
    for edge in edges:
        lit = moment.active == edge[1]
        marks += _edge(page, [page.centre(place) for place in bends[edge]], lit)
    for k, node in enumerate(nodes):
        marks += _box(node, page, places[k], moment, k)
    bar = page.height
    room = page.width - 2 * _MARGIN
    marks += _bar(_MARGIN, bar, room, step, steps)
    lines = wrap(moment.caption, room)[:_CAPTION_LINES]
    words, _ = paragraph(lines, _MARGIN, bar + 22)
    return Figure(
        width=page.width,
        height=bar + 26 + _CAPTION_LINES * ROW,
        marks=(*marks, *words),
        alt=f"Step {step} of {steps}: {moment.caption}",
        tracks=((_MARGIN + 8, room - 16),),
    )


class _Page:
    """From places in the layout to pixels; a long tape runs down the page, a short one across."""

    def __init__(self, box: float, places: Sequence[Place], bends: Sequence[Place]) -> None:
        self.box = box
        layers = 1 + int(max(layer for layer, _ in places))
        across = [place for _, place in (*places, *bends)]
        self._least, rows = min(across), 1 + max(across) - min(across)
        self.down = layers > _MOST_LAYERS_ACROSS
        columns, lines = (rows, layers) if self.down else (layers, rows)
        gap_x, gap_y = (_GAP_BETWEEN, _GAP_ALONG) if self.down else (_GAP_ALONG, _GAP_BETWEEN)
        self._step_x, self._step_y = box + gap_x, _BOX_HEIGHT + gap_y
        wide = columns * self._step_x - gap_x + 2 * _MARGIN
        self.width = max(_LEAST_WIDTH, wide)
        self.height = lines * self._step_y - gap_y + 2 * _MARGIN
        self._left = (self.width - wide) / 2

    def centre(self, place: Place) -> tuple[float, float]:
        layer, across = place[0], place[1] - self._least
        column, line = (across, layer) if self.down else (layer, across)
        x = self._left + _MARGIN + column * self._step_x + self.box / 2
        return x, _MARGIN + line * self._step_y + _BOX_HEIGHT / 2


def _title(node: TapeNode) -> str:
    return f"{node.name} = {node.formula}" if node.formula else node.name


def _box_width(nodes: Sequence[TapeNode]) -> float:
    """As wide as the widest title or value; an adjoint has its value's shape."""
    needed = [text_width(_title(node), bold=True) for node in nodes]
    needed += [text_width(f"∂ {node.value}", bold=True) for node in nodes]
    return min(max(_NARROWEST, max(needed) + 14), _WIDEST)


def _edge(page: _Page, centres: Sequence[tuple[float, float]], lit: bool) -> Iterable[Mark]:
    ink = "active" if lit else "edge"
    half = np.array([0.0, _BOX_HEIGHT / 2] if page.down else [page.box / 2, 0.0])
    stops = [np.array(centre) for centre in centres]
    stops = [stops[0] + half, *stops[1:-1], stops[-1] - half]
    along = np.array([0.0, 1.0] if page.down else [1.0, 0.0])
    for start, end in pairwise(stops):
        reach = along * abs((end - start) @ along) / 2
        yield Path(_bezier(start, start + reach, end - reach, end), ink)


def _bezier(*controls: np.ndarray) -> np.ndarray:
    t = np.linspace(0, 1, 13)[:, None]
    a, b, c, d = controls
    return (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d


def _box(node: TapeNode, page: _Page, place: Place, moment: Moment, k: int) -> Iterable[Mark]:
    x, y = page.centre(place)
    left, top = x - page.box / 2, y - _BOX_HEIGHT / 2
    stroke = "active" if k == moment.active else "frame"
    fill = "page" if k < moment.known else "wash"
    room = page.box - 12
    yield Box(left, top, page.box, _BOX_HEIGHT, stroke, fill, corner=7)
    yield Text(x, top + 19, fit(_title(node), room, bold=True), "text", "middle", True)
    if k < moment.known:
        yield Text(x, top + 38, fit(node.value, room), "text", "middle")
    adjoint = moment.adjoints[k]
    if adjoint is not None:
        yield Text(x, top + 57, fit(f"∂ {adjoint}", room), "active", "middle", True)


def _bar(left: float, top: float, width: float, step: int, steps: int) -> Iterable[Mark]:
    start, end = left + 8, left + width - 8
    here = start + (end - start) * step / max(steps, 1)
    y = top + 6
    yield Path(np.array([[start, y], [end, y]]), "edge")
    for k in range(steps + 1):
        x = start + (end - start) * k / max(steps, 1)
        yield Path(np.array([[x, y - 4], [x, y + 4]]), "edge")
    yield Dot(here, y, 7, "text", "active")
