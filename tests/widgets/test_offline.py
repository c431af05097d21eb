"""What a view hands to a page without a kernel."""

import base64
import json
import zlib

import numpy as np

from course_lib.widgets import CurvePair, DescentRace, TapeStepper, predict


def unpacked(view):
    """What the picture of a view carries along, or None."""
    _, metadata = view._repr_mimebundle_()
    packed = metadata["image/png"].get("offline")
    return packed and json.loads(zlib.decompress(base64.b64decode(packed)))


def stepper():
    return TapeStepper(lambda x, y: x * y, 2.0, 3.0)


def test_a_stepper_takes_all_its_pages_along():
    view = stepper()
    shown = unpacked(view)
    assert shown["frames"] == [page.drawing for page in view.pages]
    assert shown["sentences"] == [page.alt for page in view.pages]
    assert (shown["value"], shown["high"]) == (0.0, len(view.pages) - 1)
    assert "asked" not in shown


def test_a_race_takes_its_ground_along_and_stays_small():
    view = DescentRace({"true": lambda x: x**2}, 1.0, steps=20)
    shown = unpacked(view)
    assert len(shown["frames"]) == 21
    assert shown["drawing"] == view.stage.drawing
    _, metadata = view._repr_mimebundle_()
    assert len(metadata["image/png"]["offline"]) < 20_000


def test_a_prediction_knows_what_to_say_to_each_choice():
    asked = unpacked(predict("∂x?", ["2", "3"], "3", then=stepper))["asked"]
    assert asked["choices"][asked["answer"]] == "3"
    assert asked["verdicts"] == [
        "You said: 2. It is: 3. Now see for yourself:",
        "Right: 3. Now see for yourself:",
    ]


def test_a_prediction_before_a_view_with_a_kernel_knows_its_picture():
    view = predict("Is it?", ["yes", "no"], "no", then=lambda: CurvePair(np.square))
    picture = unpacked(view)["picture"]
    assert picture["says"] == view.following.figure.alt
    assert 0.5 < picture["share"] < 1


def test_a_prediction_without_a_view_has_its_verdicts_alone():
    assert list(unpacked(predict("Is it?", ["yes", "no"], "no"))) == ["asked"]


def test_what_needs_its_kernel_is_a_picture():
    assert unpacked(CurvePair(np.square)) is None


def test_a_prediction_whose_view_fails_is_still_shown():
    def fails():
        raise ValueError("no such rule")

    view = predict("Is it?", ["yes", "no"], "no", then=fails)
    assert list(unpacked(view)) == ["asked"]
    assert "no such rule" in view.notice
