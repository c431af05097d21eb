"""Measured points of one quantity against another."""

import pytest

from course_lib.figures.marks import Dot, Text
from course_lib.figures.trade_off import trade_off
from course_lib.widgets.picture import TradeOff

LINES = {"adjoint": ([10, 100, 1000], [1e-2, 1e-5, 1e-9]), "unrolled": ([20, 200], [1e-1, 1e-3])}


def drawn(figure, kind):
    return [mark for mark in figure.marks if isinstance(mark, kind)]


def test_a_dot_for_each_point_and_a_sentence():
    figure = trade_off(LINES, "evaluations", "error", "Cost")
    assert len(drawn(figure, Dot)) == 5
    assert figure.alt == (
        "Cost, error against evaluations: adjoint from 10, 0.010 to 1000, 1.00e−9;"
        " unrolled from 20, 0.100 to 200, 0.001."
    )


def test_a_wide_span_is_logarithmic_and_a_narrow_one_is_not():
    labels = {mark.text for mark in drawn(trade_off(LINES, "n", "error", "Cost"), Text)}
    assert {"10¹", "10⁻⁸"} <= labels
    narrow = {"tape": ([1, 2, 4], [8.0, 4.0, 3.0])}
    labels = {mark.text for mark in drawn(trade_off(narrow, "segments", "MB", "Memory"), Text)}
    assert {"2.0", "4.0"} <= labels or {"2", "4"} <= labels


def test_too_many_lines_are_refused():
    four = {str(k): ([1], [1]) for k in range(4)}
    with pytest.raises(ValueError, match="one to 3 lines, but was given 4"):
        trade_off(four, "x", "y", "t")


def test_shown_as_picture_png_and_sentence():
    data, _ = TradeOff(LINES, "evaluations", "error", "Cost")._repr_mimebundle_()
    assert set(data) == {"text/html", "image/png", "text/plain"}
    assert data["text/html"].startswith("<svg") and data["text/plain"].startswith("Cost, error")
