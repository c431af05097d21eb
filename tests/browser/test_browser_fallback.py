"""Where anywidget is not installed, ipywidgets' own sliders move the same pictures."""

import pytest

CELLS = (
    """
import sys
sys.modules["anywidget"] = None  # as if it were not installed
import numpy as np
from course_lib.widgets import *

def line(x, a):
    if a < 0:
        raise ValueError("a must not be negative")
    return a * x

CurvePair(line, {"a": (1, -1, 1)})
""",
    "TapeStepper(lambda x, y: x * y, 2.0, 3.0)",
    "StepSizeCurve(np.exp)",
    "SketchTheGradient(np.square, knots=7)",
    "DescentRace({'true': lambda x: x * x}, 2.0, steps=5)",
    "predict('What is the slope of x² at 2?', ['2', '4'], '4', then=lambda: CurvePair(np.square))",
)


@pytest.fixture(scope="module")
def notebook(open_notebook):
    notebook = open_notebook("fallback.ipynb", *CELLS)
    assert notebook.run_all() == []
    assert notebook.stages().count() == 0
    return notebook


@pytest.mark.parametrize(("view", "key"), list(enumerate(["ArrowRight"] * 4 + ["ArrowLeft"])))
def test_a_slider_moves_the_picture(notebook, view, key):
    view = notebook.page.locator(".cg-view").nth(view)
    picture = view.get_by_role("img").first
    before = picture.get_attribute("aria-label")
    slider = view.get_by_role("slider").last
    slider.press(key)
    slider.press(key)
    view.locator(f'[role="img"]:not([aria-label="{before}"])').wait_for()


def test_the_landscape_of_a_race_stays_under_its_runners(notebook):
    notebook.wait_until_idle()
    notebook.wait_until_painted()
    race = notebook.page.locator(".cg-leaf").last
    ground, runners = (race.locator("> svg").nth(k).bounding_box() for k in (0, 1))
    assert (ground["x"], ground["y"]) == (runners["x"], runners["y"])
    line = race.locator("path.s-tape").first
    assert line.evaluate("path => getComputedStyle(path).stroke") == "rgb(0, 114, 178)"


def test_an_error_is_told_in_the_view(notebook):
    dial = notebook.page.locator(".cg-view").first.get_by_role("slider").first
    dial.press("Home")
    notice = notebook.page.get_by_role("alert")
    notice.wait_for()
    assert notice.inner_text() == "ValueError: a must not be negative"


def test_a_prediction_unlocks_the_view(notebook):
    page = notebook.page
    page.get_by_role("radio").nth(1).check()
    page.get_by_role("button", name="Commit").click()
    page.get_by_text("Right: 4.").wait_for()
    page.locator('svg.cg-figure[aria-label^="square(x)"]').wait_for()


def test_no_error_reached_the_console(notebook):
    assert notebook.console_errors == []
