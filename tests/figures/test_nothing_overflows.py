"""Whatever the names and the numbers, no word leaves the page or stands on another."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.figures import (
    Moment,
    Race,
    Runner,
    Sketch,
    Strand,
    TapeNode,
    Truth,
    curve_pair,
    descent_race,
    question_card,
    sample,
    sketch_figure,
    step_size_curve,
    tape_graph,
)
from course_lib.figures.differences import Method
from course_lib.figures.lettering import text_width
from course_lib.figures.marks import Text
from course_lib.figures.panel import Panel
from course_lib.figures.trade_off import trade_off

names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=90)
sizes = st.floats(-9, 9).map(lambda exponent: 10**exponent)
EXPONENTS = np.linspace(-16, 0, 65)


def span(word):
    width = text_width(word.text, word.size, word.bold)
    share = {"start": 0.0, "middle": 0.5, "end": 1.0}[word.anchor]
    return word.x - share * width, word.x + (1 - share) * width


def assert_all_on_the_page(figure):
    rows = {}
    for word in (mark for mark in figure.marks if isinstance(mark, Text)):
        left, right = span(word)
        assert left >= -0.5 and right <= figure.width + 0.5, word
        assert 8 <= word.y <= figure.height, word
        rows.setdefault(word.y, []).append((left, right, word.text))
    for row in rows.values():
        for (_, end, one), (start, _, other) in pairwise(sorted(row)):
            assert start >= end - 0.5, f"{one!r} runs into {other!r}"


@settings(max_examples=20)
@given(names, names, st.floats(-1e6, 1e6), sizes, sizes)
def test_a_pair_of_curves(title, label, place, width, size):
    low, high = place, place + max(width, 1e-6 * abs(place))
    forward, gradient = sample(
        lambda x: size * np.array([np.sin((x - low) / (high - low)), x]), low, high
    )
    strands = [Strand(label, ink, forward, gradient, size, 7 * size) for ink in ("tape", "torch")]
    assert_all_on_the_page(
        curve_pair(strands, Truth(gradient, size), low, title=title, xlim=(low, high), note=label)
    )


@settings(max_examples=20)
@given(names, sizes, sizes)
def test_a_sketch(title, width, size):
    knots = np.linspace(-width, width, 5)
    (curve,) = sample(lambda x: (size * x)[None], -width, width)
    sketch = Sketch(knots, size * knots)
    reach = (-2 * size * width, 2 * size * width)
    assert_all_on_the_page(sketch_figure(curve, sketch, reach, 0, curve, title=title))


@settings(max_examples=20)
@given(st.lists(names, min_size=3, max_size=3), sizes, st.integers(1, 2))
def test_a_race(labels, size, dimensions):
    path = size * np.linspace(1, 0, 6)[:, None].repeat(dimensions, axis=1)
    runners = [Runner(label, path, (path**2).sum(axis=1)) for label in labels]
    assert_all_on_the_page(descent_race(Race(runners, lambda p: float(p @ p)), 5))


@given(names, names)
def test_errors_against_steps_and_one_quantity_against_another(title, label):
    methods = [Method(label, 10.0**EXPONENTS) for _ in range(3)]
    assert_all_on_the_page(step_size_curve(methods, EXPONENTS, -8.0, title=title))
    lines = {label: ([1, 1000], [1e-9, 2]), title + "!": ([3], [4])}
    assert_all_on_the_page(trade_off(lines, label, title, title))


@given(names, names)
def test_a_tape_and_a_question(name, value):
    nodes = [TapeNode(name, "", value), TapeNode("v1", f"f({name})", value, (0,))]
    (picture,) = tape_graph(nodes, [Moment(2, (value, value), 1, 1, f"{name} gets {value}.")])
    assert_all_on_the_page(picture)
    assert_all_on_the_page(question_card(name, [value, name]))


@pytest.mark.parametrize("width", [120.0, 300.0])
@given(place=st.floats(-1e6, 1e6), spread=st.floats(1e-3, 1e6))
def test_labels_of_ticks_stand_apart(width, place, spread):
    panel = Panel(40, 20, width, 100, (place, place + spread), (0, 1))
    ticks = [mark for mark in panel.axes(yticks=[]) if isinstance(mark, Text)]
    assert ticks
    for one, other in pairwise(map(span, ticks)):
        assert other[0] - one[1] >= 5 - 1e-6
    assert span(ticks[0])[0] >= 24 - 1e-6 and span(ticks[-1])[1] <= 40 + width + 16 + 1e-6


def test_where_labels_are_long_there_are_fewer():
    panel = Panel(40, 20, 300, 100, (1e6, 1e6 + 1), (0, 1))
    labels = [mark.text for mark in panel.axes(yticks=[]) if isinstance(mark, Text)]
    assert labels == ["1000000.0", "1000000.5", "1000001.0"]
