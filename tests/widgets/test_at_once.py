"""A function of one number, where a view has many points."""

import math

import numpy as np
import pytest

from course_lib.widgets import CurvePair, SketchTheGradient, StepSizeCurve
from course_lib.widgets.at_once import at_once

ONE_NUMBER = "takes one number, but a view calls it with .* points at once"


def absolute(x):
    return x if x > 0 else -x


@pytest.mark.parametrize(
    "view",
    [
        lambda: CurvePair(absolute),
        lambda: CurvePair(math.sin),
        lambda: SketchTheGradient(absolute),
        lambda: StepSizeCurve(math.sin, true=math.cos),
        lambda: CurvePair({"torch": absolute}),
        lambda: CurvePair({"tensorflow": absolute}),
    ],
)
def test_a_function_of_one_number_is_told_how_to_take_many(view):
    with pytest.raises(ValueError, match=ONE_NUMBER):
        view()


def test_any_other_error_is_the_functions_own():
    with pytest.raises(ZeroDivisionError):
        at_once(lambda x: 1 / 0, np.ones(3))


def test_what_takes_many_is_called_once():
    seen = []
    assert at_once(lambda x: seen.append(x) or x.sum(), np.arange(4.0)) == 6
    assert [x.shape for x in seen] == [(4,)]
