"""From `solutions/` to `exercises/`."""

import json
import shutil

import nbformat
import pytest
from small_exercise import write_model
from typer.testing import CliRunner

from course_lib.cli import app
from course_lib.grading.generate import (
    STUB,
    TEXT_STUB,
    drifted,
    exercise_files,
    write_exercises,
)
from course_lib.grading.shelf import ExerciseError, broken_answer, load_rubric


@pytest.fixture
def course(small_rubric, tmp_path):
    return tmp_path / "solutions", tmp_path / "exercises"


def run(course, *options):
    solutions, exercises = map(str, course)
    arguments = ["generate", "--solutions", solutions, "--exercises", exercises, *options]
    return CliRunner().invoke(app, arguments)


def edit_model(course, change):
    file = course[0] / "01_small" / "small.ipynb"
    notebook = nbformat.read(file, as_version=4)
    change(notebook)
    nbformat.write(notebook, file)


def handed_out(course):
    write_exercises(*course)
    return nbformat.read(course[1] / "01_small" / "small.ipynb", as_version=4)


def answer_cell(notebook):
    return next(cell for cell in notebook.cells if cell.id == "answer")


def set_answer(text):
    return lambda notebook: answer_cell(notebook).update(source=text)


def test_the_answer_is_replaced_by_a_blank(course):
    assert answer_cell(handed_out(course)).source == STUB


def test_what_stands_around_the_answer_stays(course):
    before, after = "def f(x):\n    y = 1\n", "\n    return y"
    answer = "    ### BEGIN SOLUTION\n    y = 2\n    ### END SOLUTION"
    edit_model(course, set_answer(before + answer + after))
    assert answer_cell(handed_out(course)).source == f"{before}    {STUB}{after}"


def test_given_lines_take_the_place_of_the_answer(course):
    text = (
        "def f(x):\n    ### BEGIN SOLUTION\n    #| if x:\n    #|     return 1\n"
        "    return 2\n    ### END SOLUTION"
    )
    edit_model(course, set_answer(text))
    assert answer_cell(handed_out(course)).source == "def f(x):\n    if x:\n        return 1"


def test_empty_lines_of_what_is_given_have_no_blanks(course):
    text = (
        "class F:\n    ### BEGIN SOLUTION\n    #| a = 1\n    #|\n    #| b = 2\n"
        "    a = 3\n    ### END SOLUTION"
    )
    edit_model(course, set_answer(text))
    given = "class F:\n    a = 1\n\n    b = 2"
    assert answer_cell(handed_out(course)).source == given
    assert broken_answer(load_rubric(course[0] / "01_small"), "square") == given


def test_given_lines_in_a_cell_with_two_answers_are_refused(course):
    one = "### BEGIN SOLUTION\n#| a = ...\na = 1\n### END SOLUTION"
    edit_model(course, set_answer(f"{one}\n{one}"))
    with pytest.raises(ExerciseError, match="several solutions"):
        write_exercises(*course)


def test_written_answers_are_cleared_too(course):
    def add_essay(notebook):
        essay = nbformat.v4.new_markdown_cell("My thoughts.", id="essay")
        essay.metadata["nbgrader"] = dict(
            grade=True,
            grade_id="essay",
            locked=False,
            points=1,
            schema_version=3,
            solution=True,
            task=False,
        )
        notebook.cells.append(essay)

    edit_model(course, add_essay)
    assert handed_out(course).cells[-1].source == TEXT_STUB


def test_nothing_of_the_solution_is_handed_out(course):
    write_exercises(*course)
    files = {file.name for file in course[1].rglob("*") if file.is_file()}
    assert files == {"small.ipynb", "handout.json"}
    text = "".join(file.read_text() for file in course[1].rglob("*") if file.is_file())
    assert "x**2" not in text and "SOLUTION" not in text and "cubed" not in text


def test_other_files_of_an_exercise_are_handed_out(course):
    (course[0] / "01_small" / "data.csv").write_text("1,2")
    write_exercises(*course)
    assert (course[1] / "01_small" / "data.csv").read_text() == "1,2"


def test_the_handout_holds_the_public_half_only(course):
    write_exercises(*course)
    handout = json.loads((course[1] / "01_small" / "handout.json").read_text())
    assert handout["exercise"] == "01_small"
    question = handout["questions"]["square"]
    assert set(question) == {"points", "hints", "by_gradient", "probes"}
    assert question["probes"][0]["target"] == "square"


def test_the_notebook_is_one_that_nbgrader_understands(course):
    cell = answer_cell(handed_out(course))
    assert (
        cell.metadata.nbgrader.items()
        >= {
            "grade": True,
            "solution": True,
            "locked": False,
            "points": 2,
            "grade_id": "square",
            "schema_version": 3,
        }.items()
    )
    assert len(cell.metadata.nbgrader.checksum) == 32
    assert cell.metadata.deletable is False


def test_nbgrader_gives_an_untouched_answer_nothing_and_leaves_others_to_the_grader(course):
    from nbgrader.utils import determine_grade

    cell = answer_cell(handed_out(course))
    assert determine_grade(cell) == (0, 2.0)
    cell.source = "def square(x):\n    return 0"
    assert determine_grade(cell) == (None, 2.0)


def test_outputs_and_the_machines_details_are_left_behind(course):
    def run_it(notebook):
        notebook.metadata["language_info"] = {"name": "python", "version": "3.9.1"}
        cell = notebook.cells[1]
        cell.execution_count = 7
        cell.outputs = [nbformat.v4.new_output("stream", text="noise")]

    edit_model(course, run_it)
    notebook = handed_out(course)
    assert notebook.metadata.language_info == {"name": "python"}
    assert [cell.outputs for cell in notebook.cells if cell.cell_type == "code"] == [[], [], []]
    assert all(cell.execution_count is None for cell in notebook.cells[1:])


def test_the_same_source_gives_the_same_bytes(small_rubric):
    assert exercise_files(small_rubric) == exercise_files(small_rubric)


def test_cell_ids_are_those_of_the_source(course):
    assert [cell.id for cell in handed_out(course).cells] == ["title", "setup", "answer", "check"]


# Drift -------------------------------------------------------------------------------------------


def test_generate_writes_once_and_then_finds_nothing_to_do(course):
    first, second = run(course), run(course)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "small.ipynb written" in first.output
    assert second.output.endswith("is up to date.\n")


def test_check_names_a_file_that_was_edited_by_hand(course):
    write_exercises(*course)
    file = course[1] / "01_small" / "small.ipynb"
    file.write_text(file.read_text().replace("# Small", "# Smaller"))
    result = run(course, "--check")
    assert result.exit_code == 1
    assert f"{file} is not what solutions/ generates" in result.output
    assert "Smaller" in file.read_text(), "a check writes nothing"


def test_check_names_what_is_missing_and_what_is_too_much(course):
    write_exercises(*course)
    missing = course[1] / "01_small" / "handout.json"
    surplus = course[1] / "09_gone" / "gone.ipynb"
    missing.unlink()
    surplus.parent.mkdir()
    surplus.write_text("{}")
    assert drifted(*course) == [missing, surplus]
    assert run(course).exit_code == 0
    assert drifted(*course) == []
    assert not surplus.exists()


def test_check_of_what_is_up_to_date_passes(course):
    write_exercises(*course)
    assert run(course, "--check").exit_code == 0


# Refusals ----------------------------------------------------------------------------------------


def drop_metadata(notebook):
    del answer_cell(notebook).metadata["nbgrader"]
    answer_cell(notebook).source = "square = 1"


def other_points(notebook):
    answer_cell(notebook).metadata.nbgrader.points = 5


def drop_check(notebook):
    notebook.cells.pop()


def unknown_answer(notebook):
    extra = nbformat.from_dict(json.loads(json.dumps(answer_cell(notebook))))
    extra.id, extra.metadata.nbgrader.grade_id = "extra", "cube"
    notebook.cells.append(extra)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop_metadata, "the cell for 'square' needs the nbgrader metadata"),
        (other_points, "'points': 2"),
        (drop_check, r'add a cell check\("square"\)'),
        (unknown_answer, r"no question of the rubric grades the cells \['cube'\]"),
        (set_answer("def square(x):\n    return x**2"), "mark the answer"),
    ],
)
def test_a_notebook_that_does_not_fit_its_rubric_is_refused(course, change, words):
    edit_model(course, change)
    with pytest.raises(ExerciseError, match=words):
        write_exercises(*course)
    result = run(course)
    assert result.exit_code == 2
    assert "small.ipynb" in result.output


def test_an_exercise_without_its_notebook_is_refused(course):
    (course[0] / "01_small" / "small.ipynb").unlink()
    assert "needs its notebook at" in run(course).output


def test_a_rubric_file_without_a_rubric_is_refused(course):
    (course[0] / "01_small" / "rubric.py").write_text("points = 3\n")
    with pytest.raises(ExerciseError, match="defines no rubric"):
        load_rubric(course[0] / "01_small")


def test_generate_outside_the_course_says_so(tmp_path):
    result = run((tmp_path / "solutions", tmp_path / "exercises"))
    assert result.exit_code == 2
    assert "There is no exercise in" in result.output


def test_exercises_come_in_any_number(course):
    shutil.copytree(course[0] / "01_small", course[0] / "02_other")
    (course[0] / "02_other" / "small.ipynb").unlink()
    write_model(course[0] / "02_other", "square", "square = abs", points=2)
    write_exercises(*course)
    assert sorted(folder.name for folder in course[1].iterdir()) == ["01_small", "02_other"]
