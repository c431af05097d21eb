"""StepSizeCurve and DescentRace without a browser."""

import numpy as np
import pytest

from course_lib.tape import custom_gradient
from course_lib.widgets import DescentRace, StepSizeCurve


def parabola(x):
    return (x - 1) ** 2


@custom_gradient
def half_gradient(x):
    return (x - 1) ** 2, lambda upstream: upstream * (x - 1)


def test_the_step_is_dragged():
    view = StepSizeCurve(np.sin, 1.0)
    assert view.figure.alt.startswith("derivative of sin at x = 1: error at h = 1e−8:")
    view.stage.set_state({"value": -2.0})
    assert "error at h = 1e−2: forward difference 1e−2" in view.figure.alt
    assert view.stage.says == view.figure.alt


def test_the_truth_is_the_tapes_or_given():
    by_tape = StepSizeCurve(np.exp, 0.5)
    given = StepSizeCurve(np.exp, 0.5, true=np.exp)
    for one, other in zip(by_tape.methods, given.methods, strict=True):
        np.testing.assert_allclose(one.errors, other.errors, atol=1e-15)


def test_a_function_off_the_tape_needs_a_given_truth():
    with pytest.raises(ValueError, match="give true="):
        StepSizeCurve(lambda x: np.float64(3.0) + 0 * np.ones(np.shape(x)), 1.0)


def test_each_runner_follows_its_own_gradient():
    view = DescentRace({"true": parabola, "half": half_gradient}, 2.0, rate=0.1, steps=10)
    true, half = view.race.runners
    np.testing.assert_allclose(true.path[:, 0] - 1, 0.8 ** np.arange(11))
    np.testing.assert_allclose(half.path[:, 0] - 1, 0.9 ** np.arange(11))
    np.testing.assert_allclose(half.losses, 0.81 ** np.arange(11))


def test_two_variables_race_too():
    def bowl(p):
        return p[0] ** 2 + 4 * p[1] ** 2

    view = DescentRace({"true": bowl}, [1.0, 1.0], rate=0.1, steps=3)
    np.testing.assert_allclose(view.race.runners[0].path[-1], [0.8**3, 0.2**3])
    assert "(0.512, 0.008)" in view.figure.alt


def test_the_race_needs_no_kernel():
    view = DescentRace({"true": parabola, "half": half_gradient}, 2.0, steps=12)
    assert len(view.stage.frames) == len(view.stage.sentences) == 13
    assert view.stage.sentences[0].startswith("Step 0 of 12: true: loss 1 at x = 2.000;")
    assert view.stage.drawing
    assert sum(map(len, view.stage.frames)) < 300_000


@pytest.mark.parametrize(
    ("losses", "start", "words"),
    [
        ({}, 1.0, "give one to 3"),
        ({"a": parabola}, [1.0, 2.0, 3.0], "one number or two"),
        ({"a": lambda p: p * 2}, [1.0, 2.0], "a single number"),
        ({"a": lambda p: p * np.nan}, 1.0, "start elsewhere"),
        (parabola, 1.0, "give a dict"),
    ],
)
def test_bad_races_are_explained(losses, start, words):
    with pytest.raises((ValueError, TypeError), match=words):
        DescentRace(losses, start)


@pytest.mark.parametrize("steps", [0, -1, 2.5])
def test_a_race_has_steps(steps):
    with pytest.raises(ValueError, match="whole number"):
        DescentRace({"a": parabola}, 1.0, steps=steps)


@pytest.mark.parametrize(
    ("x", "options", "words"),
    [(1.0, {"exponent": 3}, "from -16 to 0"), (0.0, {"true": lambda x: np.nan}, "Take an x")],
)
def test_bad_step_sizes_are_explained(x, options, words):
    with pytest.raises(ValueError, match=words):
        StepSizeCurve(np.sin, x, **options)


def test_a_race_that_diverges_is_drawn_all_the_same():
    race = DescentRace({"plain": lambda w: (w**10 - 1) ** 2}, 1.6, rate=0.05, steps=30)
    assert "undefined" in race.figure.alt and race.figure.png().startswith(b"\x89PNG")


def test_the_window_shows_the_best_runner_whoever_comes_first():
    def loss(w):
        return (w - 1) ** 2

    stays, arrives = (custom_gradient(lambda x, s=s: (x, lambda u: s * u)) for s in (0.0, 1.0))
    race = DescentRace(
        {"stays": lambda w: loss(stays(w)), "arrives": lambda w: loss(arrives(w))}, -1.0
    )
    low, high = race.race.window[0]
    assert low <= -1.0 and high >= 0.99
