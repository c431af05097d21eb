"""A prediction is committed, told, remembered, and unlocks what follows."""

import json
import subprocess
import sys

import numpy as np
import pytest

from course_lib.widgets import CurvePair, predict

QUESTION = "What is the slope of x² at 3?"
CHOICES = ["3", "6", "9"]


def asked(**options):
    return predict(QUESTION, CHOICES, "6", key="slope", **options)


def test_nothing_is_told_before_the_commitment(progress_file):
    view = asked(then=CurvePair(np.square))
    assert view.choice.right == -1
    assert view.choice.verdict == ""
    assert view.following not in view.children
    assert not progress_file.exists()


def test_a_right_prediction_unlocks_the_view_and_is_remembered(progress_file):
    view = asked(then=lambda: CurvePair(np.square))
    view.choice.picked = 1
    assert view.choice.verdict == "Right: 6. Now see for yourself:"
    assert isinstance(view.children[-1], CurvePair)
    assert json.loads(progress_file.read_text()) == {"prediction": {"slope": "6"}}


def test_a_wrong_prediction_is_told_and_unlocks_the_view_too():
    view = asked(then=CurvePair(np.square))
    view.choice.picked = 2
    assert view.choice.verdict == "You said: 9. It is: 6. Now see for yourself:"
    assert view.choice.right == 1
    assert view.children[-1] is view.following


def test_what_was_said_is_still_there_the_next_time():
    asked().choice.picked = 0
    again = asked(then=CurvePair(np.square))
    assert again.choice.picked == 0
    assert again.choice.verdict.startswith("You said: 3. It is: 6.")
    assert again.children[-1] is again.following


def test_a_damaged_memory_is_put_aside_and_a_new_one_begun(progress_file):
    progress_file.write_text("{not JSON")
    with pytest.warns(UserWarning, match="put aside"):
        view = asked()
    assert view.choice.picked == -1
    view.choice.picked = 1
    assert asked().choice.picked == 1


def test_what_was_said_to_other_choices_is_not_taken_for_an_answer(progress_file):
    progress_file.write_text(json.dumps({"prediction": {"slope": "12"}}))
    assert asked().choice.picked == -1


def test_the_next_view_is_made_once():
    made = []
    view = asked(then=lambda: made.append(CurvePair(np.square)) or made[0])
    view._repr_mimebundle_()
    view.choice.picked = 1
    assert len(made) == 1


def test_in_print_it_is_the_question_with_the_picture_that_follows():
    data, _ = asked()._repr_mimebundle_()
    assert data["text/plain"] == f"Predict: {QUESTION} Choices: 3; 6; 9."
    view = asked(then=lambda: CurvePair(np.square))
    data, metadata = view._repr_mimebundle_()
    assert data["text/plain"] == f"Predict: {QUESTION} Choices: 3; 6; 9."
    assert metadata["image/png"]["height"] > view.following.figure.height


def test_an_error_in_what_follows_is_told_in_the_view():
    def broken():
        raise RuntimeError("no view today")

    view = asked(then=broken)
    view.choice.picked = 1
    assert "RuntimeError: no view today" in view.notice
    assert view.choice.verdict.startswith("Right")


@pytest.mark.parametrize(
    ("choices", "answer", "words"),
    [
        (["1"], "1", "two or more"),
        (["1", "1"], "1", "different"),
        (["1", "2"], "3", "word for word"),
    ],
)
def test_bad_questions_are_explained(choices, answer, words):
    with pytest.raises(ValueError, match=words):
        predict("How many?", choices, answer)


WITHOUT_ANYWIDGET = """
import sys
sys.modules["anywidget"] = None
from course_lib.widgets import predict

view = predict("How many?", ["1", "2"], "2")
_, radios, commit, verdict = view.choice.children
assert commit.disabled
radios.value = 1
commit.click()
assert verdict.value == "Right: 2.", verdict.value
assert radios.disabled
"""


def test_without_anywidget_it_has_radio_buttons():
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_ANYWIDGET], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
