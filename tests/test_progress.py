"""The local memory of what was passed and predicted."""

import json
import os

import pytest

from course_lib import progress


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "deep" / "progress.json"))
    return tmp_path / "deep" / "progress.json"


def test_remembers(file):
    progress.record("exercise", "01_tape/square", "right")
    progress.record("prediction", "01_tape/order", "that of x")
    assert progress.passed("01_tape", "square")
    assert progress.recall("prediction", "01_tape/order") == "that of x"
    assert json.loads(file.read_text())["exercise"] == {"01_tape/square": "right"}


def test_nothing_yet(file):
    assert progress.read() == {}
    assert not progress.passed("01_tape", "square")


def test_the_last_check_counts(file):
    progress.record("exercise", "01_tape/square", "right")
    progress.record("exercise", "01_tape/square", "wrong")
    assert not progress.passed("01_tape", "square")


@pytest.mark.parametrize("damaged", ["{", "[1, 2]", '{"exercise": 3}', ""])
def test_a_damaged_file_is_put_aside(file, damaged):
    file.parent.mkdir()
    for name in ("progress.json.damaged", "progress.json.damaged.2"):
        file.write_text(damaged)
        with pytest.warns(UserWarning, match="put aside as"):
            progress.record("exercise", "01_tape/square", "right")
        assert (file.parent / name).read_text() == damaged
        assert progress.passed("01_tape", "square")


def test_where_nothing_can_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    with pytest.warns(UserWarning, match="cannot be remembered"):
        progress.record("exercise", "01_tape/square", "right")


def test_beside_the_course(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    (tmp_path / "course_lib").mkdir()
    inside = tmp_path / "exercises" / "01_tape"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert progress.path() == tmp_path / ".course_progress.json"


def test_no_half_written_file_is_left(file):
    progress.record("exercise", "a/b", "right")
    assert os.listdir(file.parent) == [file.name]
