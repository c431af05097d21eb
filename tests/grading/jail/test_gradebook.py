"""Grades in nbgrader's own gradebook, and out of it again."""

import csv
import os
import shutil
import subprocess
import sys

import postgresql
import pytest
from command import run
from nbgrader.api import Gradebook
from submissions import hand_in, right_notebook

from course_lib.grading.gradebook import GradebookError, write_gradebook
from course_lib.grading.graded import Graded, GradedQuestion


def _graded(student, clipped=3, status="right", exercise="01_clipped"):
    questions = (
        GradedQuestion("clipped", status, clipped, 3),
        GradedQuestion("rectified", "wrong", 0, 2, "some-mistake", "A hint."),
    )
    return Graded(student, exercise, questions)


@pytest.fixture(scope="module")
def empty_gradebook(tmp_path_factory):
    """Making one takes nbgrader seconds: it is made once, and copied."""
    path = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    write_gradebook([], str(path))
    return path


@pytest.fixture
def url(tmp_path, empty_gradebook):
    shutil.copy(empty_gradebook, tmp_path)
    return f"sqlite:///{tmp_path}/gradebook.db"


def _scores(url):
    with Gradebook(url) as gradebook:
        return {
            submission.student_id: (submission.score, submission.max_score)
            for submission in gradebook.assignment_submissions("01_clipped")
        }


def test_scores_arrive_and_nbgrader_exports_them(url, tmp_path):
    assert write_gradebook([_graded("ada"), _graded("bob", 0, "wrong")], url) == 2
    assert _scores(url) == {"ada": (3, 5), "bob": (0, 5)}
    rows = _exported(url, tmp_path)
    assert (rows["ada"]["score"], rows["ada"]["max_score"]) == ("3.0", "5.0")
    assert rows["bob"]["score"] == "0.0"


def test_postgresql_is_a_gradebook_too(postgresql_url, course, tmp_path, house):
    """The whole way: graded by the command, exported by nbgrader."""
    for student in ("ada", "bob"):
        hand_in(course, student, right_notebook())
    done = run(course, "--gradebook", postgresql_url)
    assert done.returncode == 0, done.stderr
    assert "Written: 2 submissions in the gradebook" in done.stdout
    rows = _exported(postgresql_url, tmp_path)
    assert {student: row["score"] for student, row in rows.items()} == {"ada": "5.0", "bob": "5.0"}


@pytest.fixture
def postgresql_url():
    with postgresql.server() as url:
        yield url


def _exported(url, tmp_path):
    """The rows of `nbgrader export`, by student."""
    command = [sys.executable, "-m", "nbgrader", "export", f"--db={url}", "--to=out.csv"]
    path = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        command, cwd=tmp_path, check=True, capture_output=True, env={**os.environ, "PATH": path}
    )
    with open(tmp_path / "out.csv", newline="") as file:
        return {row["student_id"]: row for row in csv.DictReader(file)}


def test_writing_twice_changes_nothing(url):
    write_gradebook([_graded("ada")], url)
    write_gradebook([_graded("ada")], url)
    assert _scores(url) == {"ada": (3, 5)}


def test_a_new_grade_replaces_the_old_but_not_a_persons(url):
    write_gradebook([_graded("ada", 0, "wrong"), _graded("bob", 0, "wrong")], url)
    with Gradebook(url) as gradebook:
        grade = gradebook.find_grade("clipped", "clipped", "01_clipped", "bob")
        grade.manual_score = 1.5
        gradebook.db.commit()
    write_gradebook([_graded("ada"), _graded("bob")], url)
    assert _scores(url) == {"ada": (3, 5), "bob": (1.5, 5)}


def test_review_asks_for_a_person_and_is_no_zero(url):
    write_gradebook([_graded("ada", 0, "REVIEW")], url)
    with Gradebook(url) as gradebook:
        grade = gradebook.find_grade("clipped", "clipped", "01_clipped", "ada")
        assert grade.needs_manual_grade and grade.auto_score is None
        other = gradebook.find_grade("rectified", "clipped", "01_clipped", "ada")
        assert not other.needs_manual_grade and other.auto_score == 0


def test_a_question_that_came_later_is_filled_in(url):
    one = Graded("ada", "01_clipped", (GradedQuestion("rectified", "right", 2, 2),))
    write_gradebook([one], url)
    write_gradebook([_graded("ada")], url)
    assert _scores(url) == {"ada": (3, 5)}


def test_a_submission_to_no_exercise_is_left_out(url):
    assert write_gradebook([Graded("ada", "poem", ()), _graded("bob")], url) == 1


def test_a_gradebook_that_cannot_be_opened_says_so(tmp_path):
    with pytest.raises(GradebookError, match="cannot be written"):
        write_gradebook([_graded("ada")], f"sqlite:///{tmp_path}/no/such/folder.db")
