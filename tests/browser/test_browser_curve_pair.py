"""CurvePair under a reader's hands."""

import pytest

CELLS = (
    """
import numpy as np
from course_lib.tape import custom_gradient
from course_lib.widgets import CurvePair

@custom_gradient
def square_tape(x):
    return x * x, lambda upstream: 14 * x * upstream

square = CurvePair(square_tape, x=0.5)
square
""",
    """
def step(x, alpha):
    return 1 / (1 + np.exp(-alpha * x))

CurvePair({"tape": step}, {"alpha": (10, 1, 30)})
""",
    """
def only_positive(x, alpha):
    if alpha < 0:
        raise ValueError("alpha must not be negative")
    return alpha * x

CurvePair(only_positive, {"alpha": (1, -1, 1)})
""",
)


@pytest.fixture(scope="module")
def notebook(open_notebook):
    notebook = open_notebook("curve_pair.ipynb", *CELLS)
    assert notebook.run_all() == []
    return notebook


@pytest.fixture
def square(notebook):
    stage = notebook.stage("square:")
    stage.press("Home")
    stage.wait_until_it_says("x = −3.00")
    return stage


def test_keys_move_the_point_and_the_picture(square):
    before = square.picture
    square.press("ArrowRight", "ArrowRight", "PageUp", "ArrowLeft")
    square.wait_until_it_says("x = −2.45: value 6.003, gradient −34.300, true derivative −4.900")
    assert square.value == pytest.approx(-2.45)
    assert square.picture != before


def test_drag_moves_the_point(square):
    square.drag(0.1, 0.75)
    square.wait_until_it_says("x = 1.50: value 2.250")
    square.drag(0.9, 0.25, panel=1)
    square.wait_until_it_says("x = −1.50: value 2.250")


def test_no_key_leaks_to_jupyterlab(notebook, square):
    cells = notebook.number_of_cells()
    square.press("a", "b", "d", "d", "x", "ArrowRight", "m", "y")
    square.wait_until_it_says("x = −2.95")
    assert notebook.number_of_cells() == cells
    assert notebook.page.evaluate("() => document.activeElement.getAttribute('role')") == "slider"


def test_no_key_leaks_from_the_controls(notebook):
    cells = notebook.number_of_cells()
    notebook.dial("alpha").first.focus()
    for key in ("a", "b", "d", "d", "ArrowRight"):
        notebook.page.keyboard.press(key)
    notebook.stage("step:").wait_until_it_says("alpha=10.5")
    assert notebook.number_of_cells() == cells


def test_a_dial_changes_the_curve(notebook):
    stage = notebook.stage("step:")
    before = stage.picture
    dial = notebook.dial("alpha").first
    dial.focus()
    notebook.page.keyboard.press("End")
    stage.wait_until_it_says("alpha=30")
    assert stage.picture != before


def test_an_error_in_a_rule_is_shown_in_the_view_and_goes_away(notebook):
    notebook.stage("only_positive:")
    dial = notebook.dial("alpha").nth(1)
    dial.focus()
    notebook.page.keyboard.press("Home")
    notice = notebook.page.get_by_role("alert")
    notice.wait_for()
    assert notice.inner_text() == "ValueError: alpha must not be negative"
    notebook.page.keyboard.press("End")
    notice.wait_for(state="detached")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_nothing_in_either_theme(notebook, theme):
    notebook.set_theme(theme)
    assert notebook.accessibility_faults(".cg-view") == []


def test_the_dark_theme_changes_the_page_of_the_picture(notebook):
    paper = notebook.stages().first.locator("rect.f-page").first

    def colour():
        return paper.evaluate("page => getComputedStyle(page).fill")

    notebook.set_theme("Light")
    assert colour() == "rgb(255, 255, 255)"
    notebook.set_theme("Dark")
    assert colour() == "rgb(17, 17, 17)"
    notebook.set_theme("Light")


def test_no_frame_is_blank_while_dragging(notebook, square):
    """Every painted frame of a drag has the curve on it."""
    notebook.page.evaluate(
        """() => {
          const stage = document.querySelector('.cg-stage[aria-label^="square:"]');
          window.blank = 0; window.frames_seen = 0; window.watching = true;
          const look = () => {
            window.frames_seen += 1;
            if (!stage.querySelector("path.s-tape")) window.blank += 1;
            if (window.watching) requestAnimationFrame(look);
          };
          requestAnimationFrame(look);
        }"""
    )
    square.drag(0.0, 0.8)
    notebook.wait_until_idle()
    notebook.wait_until_painted()
    assert notebook.page.evaluate("() => { window.watching = false; return window.blank; }") == 0
    assert notebook.page.evaluate("() => window.frames_seen") > 5


def test_no_error_reached_the_console(notebook):
    assert notebook.console_errors == []
