"""SketchTheGradient without a browser."""

import subprocess
import sys

import numpy as np
import pytest

from course_lib.widgets import SketchTheGradient


def test_the_browser_moves_a_knot():
    view = SketchTheGradient(np.square, knots=7)
    before = view.figure.drawing
    view.stage.set_state({"value": 5.0, "levels": [0, 0, 0, 0, 0, 4.0, 0]})
    assert "knot 6 of 7 at x = 2.00: slope 4.00." in view.figure.alt
    assert view.figure.drawing != before


def test_the_truth_comes_when_it_is_asked_for_and_goes_again():
    view = SketchTheGradient(np.square, knots=7)
    view.stage.levels = (2 * np.linspace(-3, 3, 7)).tolist()
    assert "score" not in view.figure.alt
    view.reveal.click()
    assert view.figure.alt.endswith("true derivative −6.00; score 100 of 100.")
    view.reveal.click()
    assert "score" not in view.figure.alt


def test_a_kink_does_not_stop_the_verdict():
    view = SketchTheGradient(np.abs, knots=5)
    view.reveal.click()
    assert view.notice == ""
    assert "score" in view.figure.alt


@pytest.mark.parametrize(
    ("function", "options", "words"),
    [
        (np.square, {"knots": 1}, "two or more"),
        (np.square, {"knots": 3.5}, "two or more"),
        (np.square, {"xlim": (3, -3)}, "the lower first"),
        (lambda x: x * np.nan, {}, "no derivative anywhere"),
    ],
)
def test_what_cannot_be_sketched_is_explained(function, options, words):
    with pytest.raises(ValueError, match=words):
        SketchTheGradient(function, **options)


@pytest.mark.parametrize("function", [np.log, np.tan, np.floor, lambda x: 1 / x])
def test_poles_jumps_and_holes_can_be_sketched(function):
    view = SketchTheGradient(function)
    view.reveal.click()
    assert view.notice == "" and "score" in view.figure.alt


WITHOUT_ANYWIDGET = """
import sys
sys.modules["anywidget"] = None
import numpy as np
from course_lib.widgets import DescentRace, SketchTheGradient, StepSizeCurve, TapeStepper

sketch = SketchTheGradient(np.square, knots=7)
picture, knot, height = sketch.stage.children
knot.value = 5.0
height.value = 4.0
assert sketch.stage.levels[5] == 4.0
assert "knot 6 of 7 at x = 2.00: slope 4.00" in sketch.figure.alt
assert picture.value == sketch.figure.svg

step = StepSizeCurve(np.exp)
step.stage.children[1].value = -2.0
assert "h = 1e−2" in step.figure.alt

for view in (
    TapeStepper(lambda x, y: x * y, 2.0, 3.0),
    DescentRace({"true": lambda x: x * x}, 2.0, steps=3),
):
    play, picture, slider = view.stage.children
    slider.value = 0.0
    first = picture.value
    slider.value = view.stage.children[2].max
    assert picture.value != first
"""


def test_without_anywidget_every_view_has_sliders():
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_ANYWIDGET], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
