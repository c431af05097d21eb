"""The graph of a tape: where its boxes stand, and what a moment shows."""

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
    figure = tape_graph(nodes, Moment(count, adjoints, count - 1, True, "Here."), 3, 9)
    for mark in figure.marks:
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
    early = read(tape_graph(nodes, Moment(1, (None, None), None, False, "The inputs."), 0, 2))
    late = read(tape_graph(nodes, Moment(2, ("−0.416", "1"), 1, True, "Back."), 2, 2))
    assert "0.909" not in early.texts()
    assert {"0.909", "∂ −0.416", "∂ 1", "v1 = sin(x)"} <= set(late.texts())
    assert late.root.get("aria-label") == "Step 2 of 2: Back."
