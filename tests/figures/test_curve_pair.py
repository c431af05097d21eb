"""The picture of the course: what is drawn, what is said, and that both agree."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from course_lib.figures import Strand, Truth, curve_pair, sample
from course_lib.figures.curve_pair import largest_difference
from course_lib.figures.palette import INKS

LABELS = {"tape": "tape", "tensorflow": "TensorFlow", "torch": "PyTorch"}


def pair(forward, gradients, truth, x=0.5, **options):
    """A figure of one forward function with a gradient an ink."""

    def probe(at):
        return np.array([forward(at), truth(at), *(g(at) for g in gradients.values())])

    forward_curve, truth_curve, *curves = sample(probe, -3, 3)
    value, true_slope, *slopes = probe(np.array([x]))[:, 0]
    strands = [
        Strand(LABELS[ink], ink, forward_curve, curve, value, slope)
        for ink, curve, slope in zip(gradients, curves, slopes, strict=True)
    ]
    options = {"title": "f(x)", "xlim": (-3, 3)} | options
    return curve_pair(strands, Truth(truth_curve, true_slope), x, **options)


def double(x):
    return 2 * x


def step_slope(x):
    return np.where(x > 0, 2.0, 1.0)


def test_the_sentence_says_the_numbers():
    figure = pair(np.square, {"tape": double, "torch": double}, double)
    assert figure.alt == (
        "f(x) at x = 0.50: value 0.250, gradient 1.000, true derivative 1.000; "
        "largest difference from the true derivative 0.000."
    )


def test_the_sentence_says_who_differs_and_where():
    wrong = {"tape": double, "tensorflow": lambda x: 7 * double(x)}
    figure = pair(np.square, wrong, double, note="PyTorch is not installed")
    assert figure.alt == (
        "f(x) at x = 0.50: value 0.250, gradient 1.000 (tape), 7.000 (TensorFlow), "
        "true derivative 1.000; largest difference from the true derivative 36.000 "
        "at x = −3.00 (TensorFlow); PyTorch is not installed."
    )


def test_svg_parses_and_carries_the_sentence(read):
    figure = pair(np.square, {"tape": double}, double)
    root = read(figure).root
    assert root.get("role") == "img"
    assert root.get("aria-label") == figure.alt
    assert "id=" not in figure.svg, "an id would clash with another figure's"


def test_markup_in_a_title_is_text(read):
    figure = pair(np.square, {"tape": double}, double, title="<b>&f")
    assert "forward: <b>&f" in read(figure).texts()


def test_curves_are_told_apart_by_dash_as_well_as_colour():
    looks = [INKS[name] for name in ("tape", "tensorflow", "torch", "truth", "tangent")]
    assert len({ink.dash for ink in looks}) == len(looks)
    for theme in ("light", "dark"):
        colours = {getattr(ink, theme) for ink in looks}
        assert len(colours) == len(looks)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_and_words_have_contrast(theme):
    page = getattr(INKS["page"], theme)
    lines = ("tape", "tensorflow", "torch", "truth", "tangent", "cursor", "active")
    assert all(contrast(getattr(INKS[name], theme), page) >= 3 for name in lines)
    assert all(contrast(getattr(INKS[name], theme), page) >= 4.5 for name in ("text", "quiet"))


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2 for two hex colours."""

    def luminance(colour):
        parts = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def test_a_jump_is_two_paths_and_two_dots(read):
    kinked = pair(lambda x: x * step_slope(x), {"tape": step_slope}, step_slope)
    drawing = read(kinked)
    for path in drawing.paths("tape"):
        for (x, y), (next_x, next_y) in pairwise(path):
            assert abs(next_y - y) < 50 or next_x - x > 3
    assert len(drawing.dots("tape", "tape")) == 1
    assert len(drawing.dots("tape", "page")) == 1


def test_the_tangent_has_the_slope_of_the_rule(read):
    tangent, _legend = read(pair(np.square, {"tape": lambda x: 0 * x}, double)).paths("tangent")
    assert tangent[0][1] == tangent[1][1], "a rule that says 0 has a level tangent"


def test_mismatch_is_shaded_only_where_there_is_one(read):
    def shaded(figure):
        return [p for p in read(figure).root.iter() if p.get("class") == "f-mismatch"][:-1]

    assert shaded(pair(np.square, {"tape": double}, double)) == []
    assert len(shaded(pair(np.square, {"tape": lambda x: 2 * np.abs(x)}, double))) == 1


def test_limits_can_be_held(read):
    free = pair(np.square, {"tape": double}, double)
    held = pair(np.square, {"tape": double}, double, ylim=(-100, 100), glim=(-100, 100))
    assert read(free).paths("tape") != read(held).paths("tape")
    assert "100" in read(held).texts()


def test_largest_difference_ignores_where_there_is_no_truth():
    def truth(x):
        return np.where(x == 0, np.nan, double(x))

    def probe(x):
        return np.array([np.square(x), np.where(x == 0, 99.0, double(x)), truth(x)])

    forward, gradient, curve = sample(probe, -3, 3)
    strand = Strand("tape", "tape", forward, gradient, 0.25, 1.0)
    assert largest_difference(strand, Truth(curve, 1.0))[0] == 0.0


def test_png_is_deterministic_and_has_no_date():
    figure = pair(np.square, {"tape": double}, double)
    again = dataclasses.replace(figure)
    assert figure.png() == again.png()
    assert figure.png().startswith(b"\x89PNG")
    for stamp in (b"Software", b"tEXt", b"tIME"):
        assert stamp not in figure.png()


def test_a_drawing_stays_small():
    three = dict.fromkeys(LABELS, np.cos)
    assert len(pair(np.sin, three, np.cos).drawing) < 12_000
