"""A recorded tape as a graph, at one moment of its way forward or back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from course_lib.figures.figure import Figure
from course_lib.figures.layering import Place, layered
from course_lib.figures.legend import ROW, paragraph
from course_lib.figures.lettering import fit, text_width, wrap
from course_lib.figures.marks import Box, Dot, Mark, Path, Text, moved

_NARROWEST, _WIDEST = 84.0, 236.0
_BOX_HEIGHT = 66.0
_GAP_ALONG, _GAP_BETWEEN = 34.0, 20.0
_MARGIN = 16.0
_LEAST_WIDTH = 600.0
_MOST_WIDTH, _MOST_HEIGHT = 760.0, 500.0
_MOST_LAYERS_ACROSS = 5
_MOST_TICKS = 60
_CAPTION_LINES = 3


@dataclass(frozen=True, slots=True)
class TapeNode:
    """One step on the tape: its name, how it was made, its value, and where it comes from.

    `formula` is empty for an input; `inputs` are the places of the nodes that it was made from.
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
    focus
        The node to keep in sight where the tape is larger than the page.
    caption
        A sentence about this step.
    """

    known: int
    adjoints: tuple[str | None, ...]
    active: int | None
    focus: int
    caption: str


def tape_graph(nodes: Sequence[TapeNode], moments: Sequence[Moment]) -> list[Figure]:
    """The graph of the `nodes` at each of the `moments`, with a bar to drag along.

    All pictures have one size. Of a tape that is larger, each shows what lies around its focus.
    """
    layout = _Layout(nodes)
    last = len(moments) - 1
    return [_picture(layout, moment, step, last) for step, moment in enumerate(moments)]


class _Layout:
    """Where everything stands; a long tape runs down the page, a short one across."""

    def __init__(self, nodes: Sequence[TapeNode]) -> None:
        self.nodes = nodes
        edges = [(a, end) for end, node in enumerate(nodes) for a in dict.fromkeys(node.inputs)]
        self._places, self._bends = layered(len(nodes), edges)
        places = [*self._places, *(bend for chain in self._bends.values() for bend in chain)]
        layers = 1 + int(max(layer for layer, _ in places))
        self._least = min(across for _, across in places)
        rows = 1 + max(across for _, across in places) - self._least
        self.box = _box_width(nodes)
        across = layers * (self.box + _GAP_ALONG) - _GAP_ALONG + 2 * _MARGIN
        self._down = layers > _MOST_LAYERS_ACROSS or across > _MOST_WIDTH
        columns, lines = (rows, layers) if self._down else (layers, rows)
        gap_x, gap_y = (_GAP_BETWEEN, _GAP_ALONG) if self._down else (_GAP_ALONG, _GAP_BETWEEN)
        self._step_x, self._step_y = self.box + gap_x, _BOX_HEIGHT + gap_y
        wide = columns * self._step_x - gap_x + 2 * _MARGIN
        self._left = max(0.0, (_LEAST_WIDTH - wide) / 2)
        self._all = np.array([wide + 2 * self._left, lines * self._step_y - gap_y + 2 * _MARGIN])
        self.width, self.height = np.minimum(self._all, [_MOST_WIDTH, _MOST_HEIGHT]).tolist()

    @property
    def cut(self) -> bool:
        """Whether the graph is larger than the page."""
        return bool((self._all > [self.width, self.height]).any())

    @cached_property
    def centres(self) -> np.ndarray:
        """The middle of each box, shape ``(n, 2)``."""
        return np.array([self._centre(place) for place in self._places])

    @cached_property
    def lines(self) -> tuple[np.ndarray, np.ndarray]:
        """The edges in pieces from layer to layer: where each leads, and it as points on a curve.

        Shapes ``(m,)`` and ``(m, points, 2)``.
        """
        half = np.array([0.0, _BOX_HEIGHT / 2] if self._down else [self.box / 2, 0.0])
        leads: list[int] = []
        pieces: list[tuple[np.ndarray, np.ndarray]] = []
        for (_, end), chain in self._bends.items():
            stops = np.array([self._centre(bend) for bend in chain])
            stops[0] += half
            stops[-1] -= half
            pieces += pairwise(stops)
            leads += [end] * (len(stops) - 1)
        start, stop = np.array(pieces).reshape(-1, 2, 1, 2).transpose(1, 0, 2, 3)
        reach = (stop - start) / 2 * [[0.0, 1.0] if self._down else [1.0, 0.0]]
        return np.array(leads, dtype=int), _bezier(start, start + reach, stop - reach, stop)

    @cached_property
    def extents(self) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and the highest corner of each of the lines, shapes ``(m, 2)``."""
        _, lines = self.lines
        return lines.min(axis=1), lines.max(axis=1)

    def corner(self, focus: int) -> np.ndarray:
        """The top left corner of what the page shows, so that node `focus` is in its middle."""
        page = np.array([self.width, self.height])
        return np.clip(self.centres[focus] - page / 2, 0.0, self._all - page)

    def sees(self, low: np.ndarray, high: np.ndarray, corner: np.ndarray) -> np.ndarray:
        """Which of the rectangles from `low` to `high`, shapes ``(n, 2)``, are on the page."""
        page = np.array([self.width, self.height])
        return ((high >= corner) & (low <= corner + page)).all(axis=1)

    def _centre(self, place: Place) -> tuple[float, float]:
        layer, across = place[0], place[1] - self._least
        column, line = (across, layer) if self._down else (layer, across)
        x = self._left + _MARGIN + column * self._step_x + self.box / 2
        return x, _MARGIN + line * self._step_y + _BOX_HEIGHT / 2


def _picture(layout: _Layout, moment: Moment, step: int, last: int) -> Figure:
    bar, room = layout.height + (10 if layout.cut else 0), layout.width - 2 * _MARGIN
    lines = wrap(moment.caption, room)[:_CAPTION_LINES]
    words, _ = paragraph(lines, _MARGIN, bar + 22)
    return Figure(
        width=layout.width,
        height=bar + 26 + _CAPTION_LINES * ROW,
        marks=(*_graph(layout, moment), *_bar(_MARGIN, bar, room, step, last), *words),
        alt=f"Step {step} of {last}: {moment.caption}",
        tracks=((_MARGIN + 8, room - 16),),
    )


def _graph(layout: _Layout, moment: Moment) -> Iterable[Mark]:
    """The part of the graph that is on the page."""
    corner = layout.corner(moment.focus)
    marks: list[Mark] = []
    leads, lines = layout.lines
    for k in np.flatnonzero(layout.sees(*layout.extents, corner)):
        marks.append(Path(lines[k], "active" if leads[k] == moment.active else "edge"))
    half = np.array([layout.box, _BOX_HEIGHT]) / 2
    corners = layout.centres - half
    for node in map(int, np.flatnonzero(layout.sees(corners, layout.centres + half, corner))):
        left, top = corners[node].tolist()
        marks += _box(layout.nodes[node], left, top, layout.box, moment, node)
    if not layout.cut:
        return marks
    page = (1.0, 1.0, layout.width - 2, layout.height - 2)
    return [
        *(replace(moved(mark, *-corner), clip=page) for mark in marks),
        Box(*page, stroke="grid", corner=7),
    ]


def _title(node: TapeNode) -> str:
    return f"{node.name} = {node.formula}" if node.formula else node.name


def _box_width(nodes: Sequence[TapeNode]) -> float:
    """As wide as the widest title or value; an adjoint has its value's shape."""
    needed = [text_width(_title(node), bold=True) for node in nodes]
    needed += [text_width(f"∂ {node.value}", bold=True) for node in nodes]
    return min(max(_NARROWEST, max(needed) + 14), _WIDEST)


def _bezier(*controls: np.ndarray) -> np.ndarray:
    """Points along each curve, from control points of shape ``(m, 1, 2)``."""
    t = np.linspace(0, 1, 13)[:, None]
    a, b, c, d = controls
    return (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d


def _box(
    node: TapeNode, left: float, top: float, width: float, moment: Moment, k: int
) -> Iterable[Mark]:
    middle, room = left + width / 2, width - 12
    stroke = "active" if k == moment.active else "frame"
    fill = "page" if k < moment.known else "wash"
    yield Box(left, top, width, _BOX_HEIGHT, stroke, fill, corner=7)
    yield Text(middle, top + 19, fit(_title(node), room, bold=True), "text", "middle", True)
    if k < moment.known:
        yield Text(middle, top + 38, fit(node.value, room), "text", "middle")
    adjoint = moment.adjoints[k]
    if adjoint is not None:
        yield Text(middle, top + 57, fit(f"∂ {adjoint}", room, bold=True), "active", "middle", True)


def _bar(left: float, top: float, width: float, step: int, last: int) -> Iterable[Mark]:
    """The line to drag along, with a tick a step as long as they can be told apart."""
    start, end = left + 8, left + width - 8
    here = start + (end - start) * step / max(last, 1)
    y = top + 6
    yield Path(np.array([[start, y], [end, y]]), "edge")
    for x in np.linspace(start, end, last + 1) if last <= _MOST_TICKS else []:
        yield Path(np.array([[x, y - 4], [x, y + 4]]), "edge")
    yield Dot(here, y, 7, "text", "active")
