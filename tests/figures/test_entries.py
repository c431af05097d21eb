"""An array beside the one that was expected."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from course_lib.figures.entries import entries

shapes = arrays.array_shapes(min_dims=0, max_dims=3, max_side=9)


def test_the_worst_is_told_and_marked(read):
    expected = np.arange(6.0).reshape(2, 3)
    actual = expected.copy()
    actual[1, 0] = 30.0
    figure = entries(expected, actual, (1, 0), "The gradient for x")
    assert figure.alt == (
        "The gradient for x: 6 entries; the worst, at [1, 0], expected 3, actual 30."
    )
    assert len(read(figure).dots("active", "active")) == 1
    assert len(read(figure).dots("truth", "page")) == 6 + 1


def test_a_single_number(read):
    figure = entries(np.array(2.0), np.array(4.0), (), "The gradient for x")
    assert figure.alt == "The gradient for x: one entry; expected 2, actual 4."


def test_of_many_the_worst_is_among_those_shown(read):
    figure = entries(np.zeros(1000), np.eye(1000)[900], (900,), "g")
    assert len(read(figure).dots("active", "active")) == 1


@pytest.mark.parametrize(
    ("actual", "words"), [(np.ones(3), "as expected"), (np.zeros(2), "not as expected")]
)
def test_without_a_worst_entry(actual, words):
    assert entries(np.ones(3), actual, None, "g").alt.endswith(f", {words}.")


@given(arrays.arrays(float, shapes), arrays.arrays(float, shapes), st.data())
def test_any_two_arrays_can_be_drawn(expected, actual, data):
    worst = tuple(data.draw(st.integers(0, side)) for side in expected.shape)
    figure = entries(expected, actual, worst, "g")
    assert "nan" not in figure.svg.replace("nan of", "")
    assert figure.alt
