"""A sketch and its score."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.figures.curve import Curve
from course_lib.figures.sketch import Sketch, score, sketch_figure

GRID = np.linspace(-3, 3, 241)
SQUARE = Curve(GRID, GRID**2)
SLOPE = Curve(GRID, 2 * GRID)
KNOTS = np.linspace(-3, 3, 7)


def test_the_truth_scores_a_hundred_and_its_mean_nothing():
    assert score(Sketch(KNOTS, 2 * KNOTS), SLOPE) == 100
    assert score(Sketch(KNOTS, 0 * KNOTS), SLOPE) == 0


@given(st.lists(st.floats(-1e6, 1e6), min_size=7, max_size=7))
def test_a_score_is_between_0_and_100(levels):
    assert 0 <= score(Sketch(KNOTS, np.array(levels)), SLOPE) <= 100


@given(st.floats(0, 1), st.floats(0, 1))
def test_closer_is_never_worse(a, b):
    near, far = sorted((a, b))
    scores = [score(Sketch(KNOTS, 2 * KNOTS + d), SLOPE) for d in (near, far)]
    assert scores[0] >= scores[1]


def test_a_flat_truth_has_a_score_too():
    flat = Curve(GRID, np.full_like(GRID, 2.0))
    assert score(Sketch(KNOTS, np.full(7, 2.0)), flat) == 100


@pytest.mark.parametrize("revealed", [False, True])
def test_the_truth_is_hidden_until_it_is_revealed(read, revealed):
    truth = SLOPE if revealed else None
    figure = sketch_figure(SQUARE, Sketch(KNOTS, 0 * KNOTS), (-7, 7), 2, truth, title="square(x)")
    assert bool(read(figure).paths("truth")) is revealed
    assert ("score 0 of 100" in figure.alt) is revealed
    assert "knot 3 of 7 at x = −1.00: slope 0.00" in figure.alt
    assert len(read(figure).dots("active", "active")) == 6
    assert len(read(figure).dots("text", "active")) == 1


def test_the_tracks_end_at_the_outer_knots(read):
    figure = sketch_figure(SQUARE, Sketch(KNOTS, 0 * KNOTS), (-7, 7), 0, title="square(x)")
    (left, width), (first, *_), (*_, last) = (
        figure.tracks[0],
        read(figure).dots("text", "active"),
        read(figure).dots("active", "active"),
    )
    assert (first[0], last[0]) == (
        pytest.approx(left, abs=0.1),
        pytest.approx(left + width, abs=0.1),
    )


def test_a_tiny_truth_is_not_a_flat_one():
    tiny = Curve(GRID, 2e-9 * GRID)
    assert score(Sketch(KNOTS, 0 * KNOTS), tiny) == 0
    assert score(Sketch(KNOTS, 2e-9 * KNOTS), tiny) == 100


def test_where_there_is_no_derivative_none_is_told():
    known = Curve(GRID, np.where(GRID > 0, 1.0, np.nan))
    figure = sketch_figure(SQUARE, Sketch(KNOTS, 0 * KNOTS), (-1, 2), 0, known, title="log(x)")
    assert "true derivative undefined" in figure.alt


def test_a_knot_at_the_end_of_its_reach_is_still_seen(read):
    level = 7.0000000001
    figure = sketch_figure(SQUARE, Sketch(KNOTS, 0 * KNOTS + level), (-7, 7), 0, title="square(x)")
    assert len(read(figure).dots("active", "active")) == 6
