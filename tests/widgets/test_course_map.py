"""The map of the course and what it remembers."""

import json

import pytest

from course_lib import progress
from course_lib.widgets.course_map import course_map


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    for name in ("notebooks", "exercises/01_tape"):
        (tmp_path / name).mkdir(parents=True)
    for name, header in {
        "00_start": "# 0 · Start\n\n| **Minutes** | 5 |",
        "01_tape": "# 1 · A <tape>\n\n| **Minutes** | 35 |",
    }.items():
        cells = [{"source": [header]}]
        (tmp_path / "notebooks" / f"{name}.ipynb").write_text(json.dumps({"cells": cells}))
    handout = {"questions": {"multiply": {}, "unbroadcast": {}}}
    (tmp_path / "exercises/01_tape/handout.json").write_text(json.dumps(handout))
    monkeypatch.chdir(tmp_path / "notebooks")


def test_shows_what_was_passed(course):
    progress.record("exercise", "01_tape/unbroadcast", "right")
    progress.record("exercise", "01_tape/multiply", "wrong")
    assert str(course_map()).splitlines() == [
        "0 · Start (5 min): no exercise",
        "1 · A <tape> (35 min): 1 of 2: unbroadcast",
    ]


def test_as_a_table(course):
    html = course_map()._repr_html_()
    assert '<a href="01_tape.ipynb">1 · A &lt;tape&gt;</a>' in html
    assert "0 of 2" in html and html.count("<tr>") == 3
