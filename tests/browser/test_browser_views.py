"""SketchTheGradient, DescentRace and StepSizeCurve under a reader's hands."""

import pytest

CELLS = (
    """
import numpy as np
from course_lib.tape import custom_gradient
from course_lib.widgets import DescentRace, SketchTheGradient, StepSizeCurve

SketchTheGradient(np.square, knots=7)
""",
    """
@custom_gradient
def half_gradient(x):
    return (x - 1) ** 2, lambda upstream: upstream * (x - 1)

DescentRace({"true": lambda x: (x - 1) ** 2, "half": half_gradient}, 2.0, steps=20)
""",
    "StepSizeCurve(np.exp)",
)


NAME_OF_FOCUS = """() => {
  const focused = document.activeElement;
  return focused.getAttribute("aria-label") ?? focused.textContent;
}"""


@pytest.fixture(scope="module")
def notebook(open_notebook):
    notebook = open_notebook("views.ipynb", *CELLS)
    assert notebook.run_all() == []
    return notebook


def test_knots_move_by_keyboard(notebook):
    sketch = notebook.stage("Sketch the derivative of square")
    sketch.press("Home", "ArrowRight", "ArrowUp", "ArrowUp", "PageDown")
    sketch.wait_until_it_says("knot 2 of 7 at x = −2.00: slope −4.00.")
    assert sketch.value == 1


def test_a_sweep_of_the_mouse_draws(notebook):
    sketch = notebook.stage("Sketch the derivative of square")
    sketch.drag(0.5, 1.0, height=0.6)
    sketch.wait_until_it_says("knot 7 of 7")
    notebook.wait_until_idle()
    drawn = sketch.says
    sketch.press("ArrowLeft")
    sketch.wait_until_it_says("knot 6 of 7")
    assert drawn.partition("slope")[2] == sketch.says.partition("slope")[2]


def test_reveal_tells_the_score_and_shows_the_truth(notebook):
    sketch = notebook.stage("Sketch the derivative of square")
    assert "s-truth" not in sketch.picture
    notebook.page.get_by_role("button", name="Reveal").focus()
    notebook.page.keyboard.press("Enter")
    sketch.wait_until_it_says("score")
    assert "s-truth" in sketch.picture


def test_the_race_is_scrubbed_by_mouse_and_keys(notebook):
    race = notebook.stage("Descent race")
    race.drag(0.9, 0.0, panel=0)
    race.wait_until_it_says("Step 0 of 20: true: loss 1 at x = 2.000; half: loss 1 at x = 2.000.")
    race.press("ArrowRight", "ArrowRight")
    race.wait_until_it_says("Step 2 of 20: true: loss 0.410 at x = 1.640; half: loss 0.656")
    race.drag(0.1, 0.5, panel=0)
    race.wait_until_it_says("Step 10 of 20")


def test_the_step_is_moved(notebook):
    step = notebook.stage("derivative of exp")
    step.press("Home")
    step.wait_until_it_says("error at h = 1e−16")
    step.drag(0.1, 0.75)
    step.wait_until_it_says("error at h = 1e−4: forward difference 1e−4")


def test_no_key_leaks_from_a_button(notebook):
    cells = notebook.number_of_cells()
    notebook.page.get_by_role("button", name="Next", exact=True).focus()
    for key in ("a", "b", "d", "d"):
        notebook.page.keyboard.press(key)
    notebook.page.get_by_role("button", name="Hide", exact=True).focus()
    for key in ("a", "b", "d", "d"):
        notebook.page.keyboard.press(key)
    notebook.wait_until_painted()
    assert notebook.number_of_cells() == cells


def test_tab_reaches_every_control_in_the_order_of_the_page(notebook):
    page = notebook.page
    page.get_by_role("button", name="Hide", exact=True).focus()
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(NAME_OF_FOCUS))
    assert [name.partition(" of")[0] for name in reached] == [
        "Sketch the derivative",
        "Back",
        "Play",
        "Next",
        "Descent race: drag, or use the arrow keys, to scrub through the steps",
    ]


@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_axe_finds_nothing_in_either_theme(notebook, theme):
    notebook.set_theme(theme)
    assert notebook.accessibility_faults(".cg-view") == []


def test_no_error_reached_the_console(notebook):
    assert notebook.console_errors == []
