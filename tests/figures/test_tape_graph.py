"""The graph of a tape: where its boxes stand, and what a moment shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.figures.layering import layered
from course_lib.figures.tape_graph import Moment, TapeNode, tape_graph


@st.composite
def tapes(draw):
    """The edges of a tape of up to 12 nodes."""
    count = draw(st.integers(1, 12))
    pairs = [(a, b) for b in range(count) for a in range(b)]
    return count, draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []


@given(tapes())
def test_every_edge_goes_forward_one_layer_at_a_time(tape):
    count, edges = tape
    places, bends = layered(count, edges)
    for start, end in edges:
        layers = [layer for layer, _ in bends[start, end]]
        assert layers == list(range(int(places[start][0]), int(places[end][0]) + 1))


@given(tapes())
def test_no_two_nodes_share_a_place(tape):
    places, _ = layered(*tape)
    assert len(set(places)) == len(places)


@given(tapes())
def test_everything_is_on_the_page(tape):
    count, edges = tape
    nodes = [
        TapeNode(f"v{k}", "tanh(v)", "0.500", tuple(a for a, b in edges if b == k))
        for k in range(count)
    ]
    adjoints = ("1.000",) * count
    (figure,) = tape_graph(nodes, [Moment(count, adjoints, count - 1, count - 1, "Here.")])
    for mark in (mark for mark in figure.marks if mark.clip is None):
        if hasattr(mark, "corner"):
            assert mark.x >= 0 and mark.x + mark.width <= figure.width
            assert mark.y >= 0 and mark.y + mark.height <= figure.height
        elif hasattr(mark, "points"):
            assert mark.points.min() >= 0
            assert mark.points[:, 0].max() <= figure.width


def test_a_diamond_does_not_cross_itself():
    places, _ = layered(4, [(0, 1), (0, 2), (1, 3), (2, 3)])
    assert [layer for layer, _ in places] == [0, 1, 1, 2]
    assert places[0][1] == places[3][1] == 0


def test_what_is_not_yet_computed_is_not_shown(read):
    nodes = [TapeNode("x", "", "2", ()), TapeNode("v1", "sin(x)", "0.909", (0,))]
    first = Moment(1, (None, None), None, 0, "The inputs.")
    last = Moment(2, ("−0.416", "1"), 1, 1, "Back.")
    early, late = map(read, tape_graph(nodes, [first, last]))
    assert "0.909" not in early.texts()
    assert {"0.909", "∂ −0.416", "∂ 1", "v1 = sin(x)"} <= set(late.texts())
    assert late.root.get("aria-label") == "Step 1 of 1: Back."


@pytest.mark.parametrize("inputs", [lambda k: (k - 1,), lambda k: (0,)], ids=["long", "wide"])
def test_a_large_tape_is_seen_around_its_focus(read, inputs):
    nodes = [TapeNode(f"v{k}", "f", "0.5", inputs(k) if k else ()) for k in range(200)]
    moments = [Moment(200, (None,) * 200, k, k, f"At {k}.") for k in range(200)]
    pictures = tape_graph(nodes, moments)
    assert {(p.width, p.height) for p in pictures} == {(pictures[0].width, pictures[0].height)}
    assert pictures[0].width <= 760 and pictures[0].height <= 620
    for k in (0, 57, 199):
        assert f"v{k} = f" in read(pictures[k]).texts()
        assert len(read(pictures[k]).texts()) < 120
    assert sum(len(p.drawing) for p in pictures) < 200 * 20_000
