"""An axis shows all of its curves, but a pole does not flatten the rest."""

import numpy as np
import pytest

from course_lib.figures import sample
from course_lib.figures.limits import curve_limits


def limits_of(function):
    (curve,) = sample(lambda x: function(x)[None], -3, 3)
    return curve_limits([curve.y])


@pytest.mark.parametrize("function", [np.tan, lambda x: 1 / (x - 0.4), lambda x: 1 / x])
def test_a_pole_leaves_room_for_the_rest(function):
    with np.errstate(divide="ignore"):
        low, high = limits_of(function)
    assert -30 < low < -1 and 1 < high < 30


def test_a_thin_peak_is_shown_whole():
    low, high = limits_of(lambda x: 500 / np.cosh(1000 * np.clip(x - 0.3, -0.3, 0.3)) ** 2)
    assert low < 0 and high > 500


def test_nothing_finite_has_limits_too():
    assert curve_limits([np.full(5, np.nan)]) == (-1.0, 1.0)
