"""Jumps are found where they are, and steep slopes are not taken for jumps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.figures import sample, slope


def curve_of(function, low=-3.0, high=3.0):
    return sample(lambda x: function(x)[None], low, high)[0]


@given(st.integers(-280, 280), st.floats(0.1, 50), st.booleans())
def test_a_jump_is_found_at_its_place_with_the_right_dot_closed(hundredths, height, closed_left):
    place = hundredths / 100
    after = np.greater if closed_left else np.greater_equal
    curve = curve_of(lambda x: np.sin(x) + height * after(x, place))
    assert [jump.at for jump in curve.jumps] == [pytest.approx(place, abs=1e-4)]
    below, above = np.sin(place), np.sin(place) + height
    own, other = (below, above) if closed_left else (above, below)
    assert curve.closed_dots == [(pytest.approx(place, abs=1e-4), pytest.approx(own, abs=1e-3))]
    assert curve.open_dots == [(pytest.approx(place, abs=1e-4), pytest.approx(other, abs=1e-3))]


@given(st.floats(1, 300))
def test_a_steep_slope_is_not_a_jump(steepness):
    assert curve_of(lambda x: np.tanh(steepness * x)).jumps == ()


def test_a_value_of_its_own_at_the_jump_stands_alone():
    curve = curve_of(lambda x: np.sign(x))
    assert curve.closed_dots == [(0.0, 0.0)]
    assert curve.open_dots == [(0.0, -1.0), (0.0, 1.0)]


def test_no_piece_crosses_a_jump():
    curve = curve_of(lambda x: np.floor(x))
    assert len(curve.jumps) == 6
    heights = [float(np.ptp(piece[:, 1])) for piece in curve.pieces]
    assert heights == [0.0] * len(heights)


def test_no_curve_outside_the_domain():
    with np.errstate(invalid="ignore", divide="ignore"):
        curve = curve_of(np.log)
    assert curve.jumps == ()
    assert len(curve.pieces) == 1
    assert curve.pieces[0][0, 0] > 0


def test_the_grid_is_evaluated_in_one_call_when_nothing_jumps():
    calls = []
    sample(lambda x: calls.append(len(x)) or np.array([np.sin(x), np.cos(x)]), -3, 3)
    assert calls == [241]


def test_many_jumps_still_take_four_calls():
    calls = []
    sample(lambda x: calls.append(len(x)) or np.floor(3 * x)[None], -3, 3)
    assert len(calls) == 4


@given(st.floats(-3, 3))
def test_slope_of_smooth_functions(x):
    assert slope(np.sin, np.array([x]))[0] == pytest.approx(np.cos(x), abs=1e-8)


def test_slope_in_single_precision_takes_a_longer_step():
    x = np.linspace(-2, 2, 9)
    found = slope(lambda x: np.sin(x.astype(np.float32)), x)
    np.testing.assert_allclose(found, np.cos(x), atol=2e-4)


def test_slope_at_a_kink_is_undefined():
    x = np.array([-1.0, 0.0, 1.0])
    np.testing.assert_array_equal(np.isnan(slope(np.abs, x)), [False, True, False])
