"""A prediction in the browser, by keyboard alone."""

import pytest

CELL = """
import numpy as np
from course_lib.widgets import CurvePair, predict
predict("What is the slope of x² at 3?", ["3", "6", "9"], "6", then=lambda: CurvePair(np.square))
"""


@pytest.fixture(scope="module")
def notebook(open_notebook):
    notebook = open_notebook("predict.ipynb", CELL)
    assert notebook.run_all() == []
    notebook.page.get_by_role("group", name="What is the slope").wait_for()
    return notebook


@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_axe_finds_nothing_in_either_theme(notebook, theme):
    notebook.set_theme(theme)
    assert notebook.accessibility_faults(".cg-view") == []


def test_committing_by_keyboard_reveals_and_unlocks(notebook):
    page, cells = notebook.page, notebook.number_of_cells()
    assert notebook.stages().count() == 0
    assert page.get_by_role("button", name="Commit").is_disabled()
    page.get_by_role("radio", name="3").focus()
    for key in ("a", "b", "Space", "ArrowDown", "ArrowDown", "d", "d"):
        page.keyboard.press(key)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("You said: 9. It is: 6.").wait_for()
    notebook.stage("square:")
    assert page.get_by_role("radio", name="9").is_checked()
    assert page.get_by_role("radio", name="9").is_disabled()
    assert notebook.number_of_cells() == cells


def test_it_is_remembered_when_the_notebook_runs_again(notebook):
    assert notebook.run_all() == []
    notebook.page.get_by_text("You said: 9. It is: 6.").wait_for()
    notebook.stage("square:")


def test_no_error_reached_the_console(notebook):
    assert notebook.console_errors == []
