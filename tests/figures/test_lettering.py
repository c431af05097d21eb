"""Text that is said to fit does fit, in the widest font that we print with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from course_lib.figures.legend import legend
from course_lib.figures.lettering import fit, text_width, wrap
from course_lib.figures.marks import Text

words = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)


@pytest.mark.parametrize(
    "text",
    [
        "x = 0.50: value 0.250, gradient 1.000 (tape, PyTorch), true derivative −1.000",
        "smooth_step(x, alpha=10.00)",
        "TensorFlow",
        "MINIMUM WWWW mmmm",
        "illiterate little quilt",
    ],
)
def test_the_estimate_is_an_upper_bound_for_dejavu(text):
    # The pen for PNG sets DejaVu Sans at 0.92 of the nominal size.
    shape = TextPath((0, 0), text, size=0.92 * 13, prop=FontProperties(family="DejaVu Sans"))
    assert shape.get_extents().width <= text_width(text)


@given(words, st.floats(20, 400))
def test_fit_never_overflows(text, room):
    assert text_width(fit(text, room)) <= room


@given(words, st.floats(60, 400))
def test_wrap_keeps_every_word_that_fits_and_never_overflows(text, room):
    lines = wrap(text, room)
    assert all(text_width(line) <= room for line in lines)
    if all(text_width(word) <= room for word in text.split()):
        assert " ".join(lines).split() == text.split()


@given(st.lists(words, min_size=1, max_size=8), st.floats(120, 760))
def test_legends_never_leave_the_page(labels, room):
    marks, height = legend([("line", "tape", label) for label in labels], 40, 100, room)
    for mark in marks:
        if isinstance(mark, Text):
            assert mark.x + text_width(mark.text) <= 40 + room + 1e-9
            assert 100 <= mark.y <= 100 + height
