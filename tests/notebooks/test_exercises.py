"""Exercises: generated and nothing else, runnable as handed out, and right in their solutions."""

import os
import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from course_lib.grading import OrderQuestion
from course_lib.grading.feedback import points_in_words
from course_lib.grading.generate import drifted
from course_lib.grading.shelf import is_check, load_rubrics, model_notebook

COURSE = Path(__file__).parents[2]
SOLUTIONS, EXERCISES = COURSE / "solutions", COURSE / "exercises"
RUBRICS = [pytest.param(rubric, id=rubric.exercise) for rubric in load_rubrics(SOLUTIONS)]
SECONDS_A_CELL = 60


def read(path):
    return nbformat.read(path, as_version=4)


def handed_out(rubric):
    return EXERCISES / rubric.exercise / model_notebook(rubric).name


def shown_by_checks(notebook):
    """The plain text of each check's card."""
    return [
        output.data["text/plain"]
        for cell in notebook.cells
        if cell.cell_type == "code" and is_check(cell.source)
        for output in cell.outputs
        if output.output_type == "display_data"
    ]


def prose_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def headings(notebook):
    prose = re.sub(r"```.*?```", "", prose_of(notebook), flags=re.DOTALL)
    return [len(marks) for marks in re.findall(r"^(#+) ", prose, flags=re.MULTILINE)]


def test_exercises_are_what_solutions_generate():
    assert not drifted(SOLUTIONS, EXERCISES), "run: course generate"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """One for all exercises, so that the frameworks are loaded once; each finds it swept."""
    manager = KernelManager()
    progress = tmp_path_factory.mktemp("progress") / "progress.json"
    manager.start_kernel(env=os.environ | {"COURSE_PROGRESS": str(progress)})
    yield manager
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("rubric", RUBRICS)
def test_an_exercise_runs_as_handed_out_and_says_not_attempted(rubric, kernel):
    path = handed_out(rubric)
    notebook = read(path)
    sweep = f"%reset -f\n%cd -q {path.parent}"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(sweep))
    NotebookClient(notebook, timeout=SECONDS_A_CELL, km=kernel).execute()
    said = [text.splitlines()[0] for text in shown_by_checks(notebook)]
    assert said == [f"{question.name}: not attempted" for question in rubric.questions]


@pytest.mark.parametrize("rubric", RUBRICS)
def test_an_exercise_is_handed_out_without_outputs(rubric):
    code = [cell for cell in read(handed_out(rubric)).cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)


@pytest.mark.parametrize("rubric", RUBRICS)
def test_the_model_answers_are_shown_to_be_right(rubric):
    """The stored outputs; nbval compares them with a fresh run."""
    wanted = [f"{q.name}: right ({points_in_words(q.points)})" for q in rubric.questions]
    assert shown_by_checks(read(model_notebook(rubric))) == wanted


@pytest.mark.parametrize("rubric", RUBRICS)
def test_an_exercise_has_two_to_four_questions_and_rises_in_points(rubric):
    assert 2 <= len(rubric.questions) <= 4
    assert rubric.questions[0].points <= rubric.questions[-1].points


@pytest.mark.parametrize("rubric", RUBRICS)
def test_an_exercise_is_prose_first(rubric):
    notebook = read(model_notebook(rubric))
    levels = headings(notebook)
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    code = [len(cell.source.splitlines()) for cell in notebook.cells if cell.cell_type == "code"]
    assert max(code) <= 30
    for question in rubric.questions:
        points = rf"^## .*\({question.points:g} points?\)$"
        assert any(re.search(points, cell.source, re.MULTILINE) for cell in notebook.cells)


@pytest.mark.parametrize("rubric", RUBRICS)
def test_the_lines_of_a_parsons_problem_are_shown_as_the_rubric_has_them(rubric):
    prose = prose_of(read(model_notebook(rubric)))
    for question in rubric.questions:
        if isinstance(question, OrderQuestion):
            assert question.listing in prose
            assert question.preamble in prose
