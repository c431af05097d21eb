"""Many submissions: the journal, a run that is killed, and the command."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from adversaries import HOARDERS
from command import ROOT, run
from submissions import (
    CLIPPED_RIGHT,
    CLIPPED_WRONG,
    EXERCISE,
    RECTIFIED_RIGHT,
    STUB,
    cell,
    hand_in,
    notebook,
    right_notebook,
)

from course_lib.grading.batch import Conditions, Task, grade_all, grade_task, on_this_machine
from course_lib.grading.collect import collect
from course_lib.grading.graded import Graded, GradedQuestion, harmless
from course_lib.grading.handed_out import handed_out
from course_lib.grading.jail.limits import Limits
from course_lib.grading.journal import Journal, JournalBusy
from course_lib.grading.shelf import load_rubric, load_rubrics


def _class_of(course, count, content=None):
    for number in range(count):
        hand_in(course, f"student{number:03}", content or right_notebook())


class TestCommand:
    def test_its_json_is_as_agreed(self, course, house):
        hand_in(course, "ada", notebook(CLIPPED_WRONG, RECTIFIED_RIGHT))
        done = run(course, "--output", "grades.json")
        assert done.returncode == 0, done.stderr
        (entry,) = json.loads((course / "grades.json").read_text())
        assert entry == {
            "student": "ada",
            "exercise": EXERCISE,
            "points": 2,
            "max_points": 5,
            "isolated": True,
            "questions": [
                {
                    "name": "clipped",
                    "status": "wrong",
                    "points": 0,
                    "max_points": 3,
                    "mistake": "not-clipped",
                    "hint": "Where does it stop?",
                },
                {
                    "name": "rectified",
                    "status": "right",
                    "points": 2,
                    "max_points": 2,
                    "mistake": None,
                    "hint": None,
                },
            ],
        }

    def test_its_table_names_students_mistakes_and_totals(self, course, house):
        hand_in(course, "ada [bold]", notebook(CLIPPED_WRONG, RECTIFIED_RIGHT))
        hand_in(course, "bob", b"{ nope")
        said = run(course).stdout
        assert "ada [bold]: 2 of 5 points" in said
        assert "not-clipped: Where does it stop?" in said
        assert "2 submissions: 1 right, 1 wrong, 2 REVIEW. 1 submission for a person" in said
        assert "NOT ISOLATED" not in said

    def test_its_csv_has_a_row_for_every_question_and_no_formulas(self, course, house):
        hand_in(
            course, "=cmd()", notebook(STUB, "def rectified(u, x):\n    raise ValueError('=1')")
        )
        hand_in(course, "ada", notebook("1"), exercise="poem", name="poem.ipynb")
        run(course, "--output", "grades.csv")
        with open(course / "grades.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["status"] for row in rows] == ["not attempted", "error", "REVIEW"]
        assert rows[0]["student"] == "'=cmd()"
        assert "belongs to no exercise" in rows[2]["notes"]
        assert {row["isolated"] for row in rows} == {"yes"}

    def test_its_pages_tell_mistakes_and_never_the_reference(self, course, house):
        script = "def clipped(upstream, x):\n    raise ValueError('<script>alert(1)</script>')"
        hand_in(course, "ada", notebook(CLIPPED_WRONG, RECTIFIED_RIGHT))
        hand_in(course, "bob <b>", notebook(script, "0"))
        run(course, "--feedback", "feedback")
        ada = (course / "feedback" / "ada.html").read_text()
        assert "not clipped" in ada and "Where does it stop?" in ada and "2 of 5 points" in ada
        pages = list((course / "feedback").glob("**/*.html"))
        assert len(pages) == 4
        for page in pages:
            assert "<script>" not in page.read_text()
            assert "np.abs(x) <= 1" not in page.read_text()

    def test_a_name_too_long_for_its_page_costs_nobody_a_page(self, course, house):
        for student in ("ada", "é" * 127):
            hand_in(course, student, right_notebook())
        done = run(course, "--feedback", "feedback")
        assert done.returncode == 0, done.stderr
        assert len(list((course / "feedback").glob("*.html"))) == 2

    def test_without_a_jail_every_report_says_so(self, course):
        hand_in(course, "ada", right_notebook())
        command = [sys.executable, "-m", "course_lib.cli", "grade", "submitted"]
        environment = {"PATH": "/nowhere", "PYTHONPATH": str(ROOT), "HOME": str(course)}
        options = ["--output", "grades.json", "--feedback", "feedback"]
        done = subprocess.run(
            command + options,
            cwd=course,
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        assert "NOT ISOLATED" in done.stdout
        assert "NOT ISOLATED" in (course / "feedback" / "ada.html").read_text()
        (entry,) = json.loads((course / "grades.json").read_text())
        assert (entry["isolated"], entry["points"]) == (False, 5)
        done = subprocess.run(
            [*command, "--output", "grades.csv", "--resume"],
            cwd=course,
            env=environment,
            check=True,
        )
        assert "NOT ISOLATED" in (course / "grades.csv").read_text()

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--output", "grades.xlsx"], "neither .csv nor .json"),
            (["--solutions", "nowhere"], "There are no rubrics in nowhere"),
            (["--cluster", "tcp://127.0.0.1:9"], "No Dask scheduler answers"),
            (["--gradebook", "mysterious://x"], "cannot be written"),
        ],
    )
    def test_what_it_cannot_do_it_says(self, options, said, course):
        hand_in(course, "ada", right_notebook())
        done = run(course, *options)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_written_answer_is_left_to_a_person(self, course, house):
        model = course / "solutions" / EXERCISE / "clipped.ipynb"
        marks = {"grade": True, "grade_id": "why", "points": 4, "solution": True}
        question = cell("Because ...", "markdown", **marks)
        model.write_bytes(
            notebook(cell(CLIPPED_RIGHT, grade_id="clipped", solution=True), question)
        )
        hand_in(course, "ada", notebook(CLIPPED_RIGHT, RECTIFIED_RIGHT, question))
        blank = cell("*Your answer here.*", "markdown", **marks)
        hand_in(course, "bob", notebook(CLIPPED_RIGHT, RECTIFIED_RIGHT, blank))
        run(course, "--output", "grades.json")
        ada, bob = json.loads((course / "grades.json").read_text())
        assert ada["questions"][-1]["status"] == "REVIEW" and ada["max_points"] == 9
        assert bob["questions"][-1]["status"] == "not attempted"


def test_hoarders_cost_their_neighbours_nothing(course, house):
    """Two at a time, each beside one who takes all that can be taken."""
    for number, case in enumerate(HOARDERS):
        hand_in(course, f"{number:02}a", notebook(*case.cells))
        hand_in(course, f"{number:02}b", right_notebook())
    limits = ("--jobs", "2", "--cell-seconds", "2", "--memory", "512")
    done = run(course, *limits, "--output", "grades.json")
    assert done.returncode == 0, done.stderr
    grades = json.loads((course / "grades.json").read_text())
    assert {entry["points"] for entry in grades} == {5}


class TestKilled:
    """A run that is killed loses nothing and grades nothing twice."""

    @pytest.mark.parametrize(
        "count", [40, pytest.param(500, marks=pytest.mark.slow)], ids="{} submissions".format
    )
    def test_kill_and_resume(self, count, course, house):
        _class_of(course, count)
        command = [sys.executable, "-m", "course_lib.cli", "grade", "submitted", "--jobs", "2"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        journal = course / ".course_grade.journal"
        with open(os.devnull, "w") as nothing:
            running = subprocess.Popen(
                command, cwd=course, env=environment, stdout=nothing, stderr=nothing
            )
            while not journal.exists() or _lines(journal) < count // 3:
                time.sleep(0.002)
            running.send_signal(signal.SIGKILL)
            running.wait()
        kept = _lines(journal)
        assert count // 3 <= kept < count
        done = run(course, "--resume", "--jobs", "2", "--output", "grades.json")
        assert done.returncode == 0, done.stderr
        grades = json.loads((course / "grades.json").read_text())
        assert len(grades) == count == len({entry["student"] for entry in grades})
        assert {entry["points"] for entry in grades} == {5}
        assert set(Counter(_students(journal)).values()) == {1}

    def test_a_line_cut_off_in_the_middle_is_graded_again(self, course, house):
        _class_of(course, 2)
        run(course)
        journal = course / ".course_grade.journal"
        journal.write_bytes(journal.read_bytes()[:-30])
        run(course, "--resume", "--output", "grades.json")
        assert len(json.loads((course / "grades.json").read_text())) == 2


@pytest.mark.parametrize(
    ("edit", "status", "mistake"),
    [
        (("(1 + np.exp(x))", "(np.exp(x) + 1)"), "wrong", "mirrored"),
        (("(1 + np.exp(x))", "( 1 + np.exp(x) )  # mine"), "not attempted", None),
    ],
)
def test_code_to_repair_is_attempted_once_it_is_edited(house, edit, status, mistake):
    rubric = load_rubric(ROOT / "solutions" / "01_tape")
    handout = handed_out(rubric)
    edited = handout.broken["softplus_tape"].replace(*edit)
    assert edited != handout.broken["softplus_tape"]
    task = Task("ada", rubric.exercise, rubric, notebook(edited), None, (), handout, "")
    (got,) = (q for q in grade_task(task, house, Limits()).questions if q.name == "softplus_tape")
    assert (got.status, got.mistake) == (status, mistake)


def _lines(path):
    return path.read_bytes().count(b"\n")


def _students(journal):
    return [json.loads(line)["graded"]["student"] for line in journal.read_text().splitlines()]


class TestJournal:
    @pytest.fixture
    def grade_class(self, course):
        """Grade the class with a journal; return what was graded now, and what stands."""
        rubrics = load_rubrics(course / "solutions")
        engine = on_this_machine()

        def graded_now(tasks, conditions):
            for task, graded in engine(tasks, conditions):
                now.append(task.student)
                yield task, graded

        now = []

        def grade_class():
            now.clear()
            with Journal(course / "journal", resume=True) as journal:
                submissions = collect([course / "submitted"], rubrics)
                grades = grade_all(submissions, graded_now, journal, Conditions())
            return list(now), {graded.student: graded.points for graded in grades}

        return grade_class

    def test_what_has_not_changed_is_not_graded_again(self, course, grade_class, house):
        _class_of(course, 2)
        assert grade_class() == (["student000", "student001"], {"student000": 5, "student001": 5})
        assert grade_class() == ([], {"student000": 5, "student001": 5})

    def test_what_has_changed_is(self, course, grade_class, house):
        _class_of(course, 2)
        grade_class()
        hand_in(course, "student001", notebook(CLIPPED_WRONG, RECTIFIED_RIGHT))
        assert grade_class() == (["student001"], {"student000": 5, "student001": 2})
        rubric = course / "solutions" / EXERCISE / "rubric.py"
        rubric.write_text(rubric.read_text() + "\n# a correction\n")
        assert grade_class()[0] == ["student000", "student001"]

    def test_one_run_at_a_time_holds_it(self, tmp_path):
        with Journal(tmp_path / "journal"), pytest.raises(JournalBusy, match="Another run"):
            Journal(tmp_path / "journal")

    def test_a_new_run_begins_afresh(self, tmp_path):
        graded = Graded("ada", "01", (GradedQuestion("q", "right", 1, 1),))
        with Journal(tmp_path / "journal") as journal:
            journal.write(graded, "digest")
        with Journal(tmp_path / "journal", resume=True) as journal:
            assert journal.find("ada", "01", "digest") == graded
            assert journal.find("ada", "01", "another") is None
        with Journal(tmp_path / "journal") as journal:
            assert journal.find("ada", "01", "digest") is None


def test_what_students_write_becomes_one_harmless_line():
    assert harmless("a\x1b[31m\nb\t\ud800c") == "a [31m b ?c"
    assert len(harmless("x" * 10_000)) == 600
