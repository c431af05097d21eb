"""The picture of a race: paths so far, in one variable or two."""

import numpy as np
import pytest

from course_lib.figures.descent_race import Race, Runner, descent_race, race_at, race_ground
from course_lib.figures.svg import draw


def bowl(point):
    return float(point @ point)


def straight(label, start, factor, steps=5):
    path = np.array([np.array(start) * factor**k for k in range(steps + 1)])
    return Runner(label, path, np.array([bowl(p) for p in path]))


@pytest.fixture(params=[[2.0], [2.0, 1.0]], ids=["one variable", "two variables"])
def race(request):
    runners = [straight("true", request.param, 0.5), straight("modified", request.param, 0.9)]
    return Race(runners, bowl)


def test_the_sentence_tells_step_losses_and_places(race):
    alt = descent_race(race, 1).alt
    loss = bowl(race.runners[0].path[1])
    assert alt.startswith("Step 1 of 5: true: loss ")
    assert f"loss {loss:g}".rstrip("0") in alt or f"loss {loss:.3f}" in alt
    assert "modified: loss" in alt


def test_paths_grow_with_the_steps(race, read):
    def longest(step):
        return max(len(path) for path in read(race_at(race, step)).paths("tape"))

    assert [longest(step) for step in (1, 3, 5)] == [2, 4, 6]


def test_ground_and_runners_make_the_whole(race):
    ground, runners, whole = race_ground(race), race_at(race, 3), descent_race(race, 3)
    assert draw(whole.marks) == draw((*ground.marks, *runners.marks))
    assert whole.alt == runners.alt
    assert "f-page" in ground.drawing
    assert 'class="f-page" width="760"' not in runners.drawing


def test_two_variables_are_seen_from_above(read):
    race = Race([straight("true", [2.0, 1.0], -0.7)], bowl)
    closed = [p for p in read(race_ground(race)).paths("frame") if np.allclose(p[0], p[-1])]
    assert closed, "a bowl has closed contours"


def test_who_runs_away_leaves_the_page_but_not_the_others(read):
    runners = [straight("true", [2.0], 0.5, 30), straight("away", [2.0], -9.0, 30)]
    runners[1].path[-1] = np.inf
    runners[1].losses[-1] = np.inf
    race = Race(runners, bowl)
    low, high = race.window[0]
    assert -10 < low < 0 < 2 < high < 10
    figure = descent_race(race, 30)
    assert "inf" not in figure.svg and "nan" not in figure.svg
    assert "away: loss ∞" in figure.alt
    assert figure.png().startswith(b"\x89PNG")
