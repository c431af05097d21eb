"""A prediction in the browser, by keyboard alone."""

import pytest

CELL = """
import numpy as np
from course_lib.widgets import CurvePair, predict
predict("What is the slope of x² at 3?", ["3", "6", "9"], "6", then=lambda: CurvePair(np.square))
"""

LONG = """
from course_lib.widgets import CurvePair, predict
predict("Why" + "y" * 300 + "?", ["because" + "e" * 300, "no"], "no", then=lambda: CurvePair(
    lambda x, **k: x, {"parameter_" * 30: (1, 0, 2)}, name="function_" * 40))
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


def test_long_words_stay_inside(open_notebook):
    notebook = open_notebook("long_words.ipynb", LONG)
    assert notebook.run_all() == []
    view = notebook.page.locator(".jp-OutputArea-output > .cg-view").last
    view.get_by_role("radio").last.check()
    view.get_by_role("button", name="Commit").click()
    view.locator(".cg-stage").wait_for()
    outside = view.evaluate(
        """view => [...view.querySelectorAll(":scope *:not(svg *):not(.cg-live)")]
          .filter(part => part.getBoundingClientRect().right
                          > view.getBoundingClientRect().right + 1)
          .map(part => part.className)"""
    )
    assert outside == []
