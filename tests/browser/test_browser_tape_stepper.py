"""TapeStepper under a reader's hands, and without its kernel."""

import pytest

CELL = """
import numpy as np
from course_lib.widgets import TapeStepper
TapeStepper(lambda x, y: x * y + np.sin(x), 2.0, 3.0)
"""


@pytest.fixture(scope="module")
def notebook(open_notebook):
    notebook = open_notebook("tape_stepper.ipynb", CELL)
    assert notebook.run_all() == []
    return notebook


def test_keys_step_forward_and_back(notebook):
    stage = notebook.stage("Tape stepper")
    stage.press("Home", "ArrowRight", "ArrowRight", "ArrowLeft")
    stage.wait_until_it_says("Step 1 of 8: Forward: v1 = x · y = 6")
    stage.press("End")
    stage.wait_until_it_says("The gradient: ∂x = 2.584, ∂y = 2.")
    assert stage.picture.count("cg-figure") == 1, "the steps lie upon each other"


def test_buttons_step_and_play_to_the_end(notebook):
    stage = notebook.stage("Tape stepper")
    stage.press("End", "ArrowLeft", "ArrowLeft")
    notebook.page.get_by_role("button", name="Back", exact=True).click()
    stage.wait_until_it_says("Step 5 of 8")
    notebook.page.get_by_role("button", name="Play", exact=True).click()
    stage.wait_until_it_says("Step 8 of 8")


def test_the_bar_can_be_dragged(notebook):
    stage = notebook.stage("Tape stepper")
    stage.drag(1.0, 0.5, height=0.7)
    stage.wait_until_it_says("Step 4 of 8")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_nothing_in_either_theme(notebook, theme):
    notebook.set_theme(theme)
    assert notebook.accessibility_faults(".cg-view") == []


def test_it_steps_when_the_kernel_is_gone(notebook):
    notebook.shut_kernel_down()
    stage = notebook.stage("Tape stepper")
    stage.press("Home")
    stage.wait_until_it_says("Step 0 of 8")
    stage.press("ArrowRight")
    stage.wait_until_it_says("Step 1 of 8")


def test_no_error_reached_the_console(notebook):
    assert notebook.console_errors == []
