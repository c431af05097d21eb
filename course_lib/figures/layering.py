"""A layout for a graph without cycles: every edge goes forward, few edges cross.

Layers by the longest path, as in Sugiyama, Tagawa and Toda (1981); within a layer each node moves
to the mean place of its neighbours (their barycentre). An edge that skips layers bends around the
nodes in between.
"""

from collections.abc import Hashable, Sequence
from itertools import pairwise

Edge = tuple[int, int]
Place = tuple[float, float]
"""Layer and place within it, the first from 0, the second centred on 0."""


def layered(count: int, edges: Sequence[Edge]) -> tuple[list[Place], dict[Edge, list[Place]]]:
    """The places of nodes 0 … `count` − 1, and the bends of each edge from its first node on.

    Every edge goes from a lower to a higher number, as on a tape.
    """
    layer = _layers(count, edges)
    rows: list[list[Hashable]] = [[] for _ in range(max(layer, default=0) + 1)]
    for node in range(count):
        rows[layer[node]].append(node)
    chains = {}
    for edge in edges:
        start, end = edge
        bends = [(edge, k) for k in range(layer[start] + 1, layer[end])]
        for bend in bends:
            rows[bend[1]].append(bend)
        chains[edge] = [start, *bends, end]
    place = _ordered(rows, list(chains.values()))
    at = {item: (float(k), place[item]) for k, row in enumerate(rows) for item in row}
    return [at[node] for node in range(count)], {e: [at[i] for i in c] for e, c in chains.items()}


def _layers(count: int, edges: Sequence[Edge]) -> list[int]:
    layer = [0] * count
    for start, end in sorted(edges, key=lambda edge: edge[1]):
        layer[end] = max(layer[end], layer[start] + 1)
    for node in range(count):
        # An input stands right before its first use.
        uses = [layer[end] for start, end in edges if start == node]
        if uses and all(end != node for _, end in edges):
            layer[node] = min(uses) - 1
    return layer


def _ordered(rows: list[list[Hashable]], chains: list[list[Hashable]]) -> dict[Hashable, float]:
    """Places within the rows after a few sweeps there and back."""
    before: dict[Hashable, list[Hashable]] = {}
    after: dict[Hashable, list[Hashable]] = {}
    for chain in chains:
        for a, b in pairwise(chain):
            before.setdefault(b, []).append(a)
            after.setdefault(a, []).append(b)
    place: dict[Hashable, float] = {}
    for row in rows:
        _spread(row, place)
    for sweep in range(6):
        forward = sweep % 2 == 0
        near = before if forward else after
        for row in rows if forward else rows[::-1]:
            row.sort(key=lambda item: _mean(near.get(item), place, place[item]))
            _spread(row, place)
    return place


def _mean(items: list[Hashable] | None, place: dict[Hashable, float], own: float) -> float:
    return sum(place[item] for item in items) / len(items) if items else own


def _spread(row: list[Hashable], place: dict[Hashable, float]) -> None:
    for k, item in enumerate(row):
        place[item] = k - (len(row) - 1) / 2
