"""Ticks are round, in range, and never too many; numbers print without a negative zero."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.figures.ticks import comfortable, decade_ticks, plain, round_ticks, to_scale

places = st.floats(-1e6, 1e6)
spreads = st.floats(1e-3, 1e6)


@given(places, spreads)
def test_ticks_are_multiples_of_one_two_or_five(low, spread):
    ticks = round_ticks(low, low + spread)
    assert 2 <= len(ticks) <= 8
    step = ticks[1].at - ticks[0].at
    leading = step / 10 ** math.floor(math.log10(step) + 1e-6)
    assert min(abs(leading - m) for m in (1, 2, 5)) < 1e-3
    slack = 1e-6 * (abs(low) + spread)
    assert all(low - slack <= tick.at <= low + spread + slack for tick in ticks)
    assert len({tick.label for tick in ticks}) == len(ticks) or spread < 1e-4 * abs(low)


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_comfortable_limits_hold_the_values_and_are_never_empty(a, b):
    low, high = sorted((a, b))
    bottom, top = comfortable(low, high)
    assert bottom < top
    assert bottom <= low and high <= top


def test_comfortable_limits_of_nothing():
    assert comfortable(math.nan, math.nan) == (-1.0, 1.0)


def test_decades_are_written_as_powers():
    labels = [tick.label for tick in decade_ticks(-15.2, 0.1)]
    assert labels == ["10⁻¹⁵", "10⁻¹²", "10⁻⁹", "10⁻⁶", "10⁻³", "10⁰"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.0001, "0.000"), (-1.5, "−1.500"), (math.nan, "undefined"), (math.inf, "∞")],
)
def test_plain_numbers(value, text):
    assert plain(value) == text


@pytest.mark.parametrize(
    ("value", "limits", "text"),
    [
        (0.25, (-1, 1), "0.250"),
        (5.65e-7, (-1e-6, 1e-6), "5.65e−7"),
        (1e-13, (-1e-6, 1e-6), "0"),
        (-6e199, (-1e200, 1e200), "−6.00e199"),
        (0.0123456, (0, 0.02), "0.0123"),
        (1.6e16, (-10, 10), "1.60e16"),
        (math.nan, (-1, 1), "undefined"),
    ],
)
def test_numbers_to_the_scale_of_their_axis(value, limits, text):
    assert to_scale(value, limits) == text


def test_limits_of_tiny_values_are_tiny_and_of_rounding_are_not():
    assert comfortable(-1e-6, 1e-6) == pytest.approx((-1.12e-6, 1.12e-6))
    assert comfortable(-1e-12, 1e-12, noise=1e-10) == (-0.5, 0.5)
    assert comfortable(2.0, 2.0) == (1.0, 3.0)


def test_far_from_zero_ticks_still_differ():
    labels = [tick.label for tick in round_ticks(1e6, 1e6 + 1, about=3)]
    assert labels == ["1000000.0", "1000000.5", "1000001.0"]
