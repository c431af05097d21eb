"""Finding submissions: nbgrader's layout, and everything that students make of it."""

import contextlib
import os
import tempfile

import pytest
from submissions import (
    CLIPPED_RIGHT,
    EXERCISE,
    RECTIFIED_RIGHT,
    STUB,
    cell,
    course_folder,
    hand_in,
    notebook,
    right_notebook,
)

from course_lib.grading.collect import NothingToGrade, collect
from course_lib.grading.extract import Unreadable, filled, read_notebook
from course_lib.grading.shelf import load_rubrics


@pytest.fixture
def find(course):
    """Collect what was handed in, below a path of the course's folder."""
    rubrics = load_rubrics(course / "solutions")
    return lambda *paths: collect([course / path for path in paths or ("submitted",)], rubrics)


def _names(submissions):
    return [(each.student, each.exercise) for each in submissions]


def test_a_class_a_student_an_exercise_and_a_notebook_are_all_paths(course, find):
    for student in ("ada", "bob"):
        hand_in(course, student, right_notebook())
    assert _names(find()) == [("ada", EXERCISE), ("bob", EXERCISE)]
    assert _names(find("submitted/ada")) == [("ada", EXERCISE)]
    assert _names(find(f"submitted/bob/{EXERCISE}")) == [("bob", EXERCISE)]
    assert _names(find(f"submitted/bob/{EXERCISE}/clipped.ipynb")) == [("bob", EXERCISE)]
    assert _names(find("submitted/ada", "submitted/bob")) == [("ada", EXERCISE), ("bob", EXERCISE)]


def test_ones_own_notebook_is_ones_own(course, find):
    mine = course / "exercises" / EXERCISE / "clipped.ipynb"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(right_notebook())
    assert _names(find(f"exercises/{EXERCISE}/clipped.ipynb")) == [("you", EXERCISE)]


def test_loose_notebooks_are_a_student_each(course, find):
    for student in ("ada", "bob"):
        (course / "submitted" / f"{student}.ipynb").write_bytes(right_notebook())
    assert _names(find()) == [("ada", EXERCISE), ("bob", EXERCISE)]
    assert [submission.notes for submission in find()] == [(), ()]


@pytest.mark.parametrize("name", ["clipped (1).ipynb", "Untitled.ipynb", "CLIPPED.IPYNB"])
def test_a_renamed_notebook_is_found_and_noted(name, course, find):
    hand_in(course, "ada", right_notebook(), name=name)
    (submission,) = find()
    assert submission.path.name == name
    assert f"is called {name}" in submission.notes[0]


@pytest.mark.parametrize("name", ["1_clipped", "01-clipped", "Clipped", "clipped", "final version"])
def test_a_renamed_folder_is_found_by_its_name_or_its_contents(name, course, find):
    hand_in(course, "ada", right_notebook(), exercise=name)
    (submission,) = find()
    assert _names([submission]) == [("ada", EXERCISE)]
    assert name in " ".join(submission.notes)


def test_of_several_notebooks_the_one_with_most_answers_is_graded(course, find):
    hand_in(course, "ada", notebook(STUB, "def rectified(u, x):\n    raise NotImplementedError"))
    hand_in(course, "ada", right_notebook(), name="clipped-Copy1.ipynb")
    (submission,) = find()
    assert submission.path.name == "clipped-Copy1.ipynb"
    assert "Of 2 notebooks" in submission.notes[0]


def test_the_expected_name_decides_between_equals(course, find):
    hand_in(course, "ada", right_notebook())
    hand_in(course, "ada", right_notebook(), name="zzz.ipynb")
    assert find()[0].path.name == "clipped.ipynb"


def test_two_folders_for_one_exercise_are_one_submission(course, find):
    hand_in(course, "ada", notebook(STUB))
    hand_in(course, "ada", right_notebook(), exercise="01-clipped")
    (submission,) = find()
    assert submission.path.parent.name == "01-clipped"


def test_a_notebook_in_a_folder_too_deep_is_found(course, find):
    hand_in(course, "ada", right_notebook(), exercise=f"{EXERCISE}/clipped/clipped")
    assert find()[0].path is not None


@pytest.mark.parametrize("files", [[], ["clipped.py", "timestamp.txt"]])
def test_a_missing_notebook_is_said_plainly(files, course, find):
    folder = course / "submitted" / "ada" / EXERCISE
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).touch()
    (submission,) = find()
    assert submission.path is None
    assert "There is no notebook" in submission.notes[0]
    assert all(file in submission.notes[0] for file in files)


def test_an_exercise_that_nobody_knows_is_not_passed_over(course, find):
    hand_in(course, "ada", notebook("print('hello')"), exercise="poem", name="poem.ipynb")
    (submission,) = find()
    assert (submission.rubric, submission.exercise) == (None, "poem")
    assert "belongs to no exercise" in submission.notes[0]


def test_checkpoints_and_hidden_files_are_not_submissions(course, find):
    hand_in(course, "ada", right_notebook())
    hand_in(course, "ada", right_notebook(), exercise=f"{EXERCISE}/.ipynb_checkpoints")
    hand_in(course, ".trash", right_notebook())
    assert _names(find()) == [("ada", EXERCISE)]
    assert find()[0].notes == ()


def test_nothing_to_grade_is_an_error_that_says_what_was_expected(course, find):
    with pytest.raises(NothingToGrade, match="STUDENT/EXERCISE"):
        find()
    with pytest.raises(NothingToGrade, match="neither a notebook"):
        find("nowhere")


def test_a_folder_that_is_a_link_is_not_followed(course, find):
    (course / "submitted" / "ada").mkdir()
    link = course / "submitted" / "ada" / EXERCISE
    link.symlink_to(course / "solutions" / EXERCISE)
    (submission,) = find()
    assert submission.path is None
    assert "is a link, which is not followed" in submission.notes[0]


def test_a_students_folder_that_is_a_link_is_noted(course, find):
    (course / "submitted" / "mallory").symlink_to(course / "solutions")
    (submission,) = find()
    assert (submission.student, submission.path) == ("mallory", None)
    assert "is a link" in submission.notes[0]


def test_what_is_no_notebook_is_noted(course, find):
    (course / "submitted" / "ada").mkdir()
    (course / "submitted" / "ada" / "answers.txt").touch()
    (submission,) = find()
    assert "only answers.txt is there" in submission.notes[0]


@pytest.mark.parametrize("closed", ["ada", f"ada/{EXERCISE}"])
def test_a_folder_that_is_closed_costs_nobody_else(closed, course, find, unprivileged):
    hand_in(course, "ada", right_notebook())
    hand_in(course, "bob", right_notebook())
    folder = course / "submitted" / closed
    folder.chmod(0)
    try:
        with unprivileged():
            ada, bob = find()
    finally:
        folder.chmod(0o755)
    assert "cannot be looked into" in ada.notes[0]
    assert bob.path is not None


@pytest.fixture
def unprivileged(course):
    """A context in which this process is not root, who may open everything."""

    @contextlib.contextmanager
    def unprivileged():
        if os.geteuid() != 0:
            yield
            return
        for folder in (course, *course.parents):
            if folder.is_relative_to(tempfile.gettempdir()):
                folder.chmod(folder.stat().st_mode | 0o055)
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return unprivileged


class TestReading:
    def test_a_link_is_not_followed(self, course):
        link = course / "submitted" / "link.ipynb"
        link.symlink_to(course / "solutions" / EXERCISE / "clipped.ipynb")
        with pytest.raises(Unreadable, match="is a link"):
            read_notebook(link)

    def test_a_pipe_is_not_waited_for(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.ipynb")
        with pytest.raises(Unreadable, match="is not a file"):
            read_notebook(tmp_path / "pipe.ipynb")

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
    def test_unicode_of_any_kind_is_read(self, encoding):
        content = right_notebook().decode().encode(encoding)
        assert filled(content, {"clipped", "other"}) == {"clipped"}

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"[" + b"[]," * 15_000_000 + b"0]", "parts, more than"),
            (notebook("x = 1\n" * 400_000), "characters, more than"),
        ],
    )
    def test_what_would_fill_the_memory_is_not_read(self, content, said):
        with pytest.raises(Unreadable, match=said):
            filled(content, {"clipped"})

    @pytest.mark.parametrize("answer", ["clipped = [%s]" % ("1," * 500_000), "%%time\n" * 9])
    def test_what_takes_the_parser_minutes_is_not_looked_into(self, answer):
        assert filled(notebook(answer, CLIPPED_RIGHT), {"clipped"}) == {"clipped"}

    def test_pictures_pasted_into_text_are_no_trouble(self):
        text = cell(f"![screenshot](data:image/png;base64,{'A' * 9_000_000})", "markdown")
        assert filled(notebook(text, CLIPPED_RIGHT), {"clipped", "other"}) == {"clipped"}

    def test_an_answer_among_magics_is_seen(self):
        magics = "%matplotlib inline\nfiles = !ls\nnp.abs?\n"
        assert filled(notebook(magics + CLIPPED_RIGHT), {"clipped"}) == {"clipped"}

    def test_a_file_that_is_too_long_is_not_read(self, tmp_path):
        with open(tmp_path / "long.ipynb", "wb") as file:
            file.truncate(300 << 20)
        with pytest.raises(Unreadable, match="314,572,800 bytes"):
            read_notebook(tmp_path / "long.ipynb")


def test_students_with_odd_names_are_kept_apart(course, find):
    names = ["=cmd()", "a b", "İlker", "[red]", "-x", "ada", "ada ", "<b>", "山田"]
    invisible = {"ada\n": r"ada\n", "a\x1bb": r"a\x1bb", "a\u202eb": r"a\u202eb"}
    for name in (*names, *invisible):
        hand_in(course, name, notebook(CLIPPED_RIGHT, RECTIFIED_RIGHT))
    assert sorted(each.student for each in find()) == sorted([*names, *invisible.values()])


def test_the_helper_makes_a_course(tmp_path):
    (rubric,) = load_rubrics(course_folder(tmp_path / "other") / "solutions")
    assert rubric.exercise == EXERCISE
