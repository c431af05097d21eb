"""Errors of numerical derivatives, and the picture of them."""

import numpy as np
import pytest

from course_lib.figures.differences import step_errors
from course_lib.figures.step_size_curve import step_size_curve

EXPONENTS = np.linspace(-16, 0, 65)


def methods_of(function, truth, x=1.0):
    with np.errstate(all="ignore"):
        return step_errors(function, truth, x, 10.0**EXPONENTS)


def test_each_method_has_its_order():
    forward, central, complex_step = methods_of(np.exp, np.e)
    steps = 10.0**EXPONENTS
    for method, order in ((forward, 1), (central, 2), (complex_step, 2)):
        big = (steps > 1e-4) & (steps < 1e-1)
        slope = np.polyfit(EXPONENTS[big], np.log10(method.errors[big]), 1)[0]
        assert slope == pytest.approx(order, abs=0.1), method.label


def test_only_the_complex_step_survives_a_tiny_step():
    forward, central, complex_step = methods_of(np.exp, np.e)
    tiny = EXPONENTS < -14
    assert complex_step.errors[tiny].max() < 1e-15
    assert min(forward.errors[tiny].max(), central.errors[tiny].max()) > 1e-3


@pytest.mark.parametrize("function", [np.abs, lambda x: np.maximum(np.real(x), 0.0), np.cbrt])
def test_without_complex_numbers_two_methods_remain(function):
    labels = [method.label for method in methods_of(function, 1.0)]
    assert labels == ["forward difference", "central difference"]


def test_a_derivative_of_zero_has_absolute_errors():
    forward, *_ = methods_of(np.cos, 0.0, x=0.0)
    assert forward.errors[-1] == pytest.approx(1 - np.cos(1.0))


def test_the_sentence_tells_sizes_at_the_step(read):
    figure = step_size_curve(methods_of(np.exp, np.e), EXPONENTS, -2.0, title="derivative of exp")
    assert figure.alt.startswith(
        "derivative of exp: error at h = 1e−2: "
        "forward difference 1e−2, central difference 1e−5, complex step 1e−5; "
    )
    drawing = read(figure)
    assert drawing.root.get("aria-label") == figure.alt
    assert {"10⁻¹⁶", "10⁰", "step h"} <= set(drawing.texts())
    assert len(drawing.dots("tape", "page")) == 1


@pytest.mark.parametrize("function", [np.sqrt, lambda x: x * np.nan])
def test_errors_that_are_not_finite_leave_holes(read, function):
    methods = methods_of(function, 0.5, x=0.25)
    figure = step_size_curve(methods, EXPONENTS, -8.0, title="f")
    assert "nan" not in figure.svg and "inf" not in figure.svg
