"""The rubric of an exercise to attack: two backward rules with a boundary."""

import numpy as np

from course_lib.grading import FunctionQuestion, Mistake, Rubric


def draw(rng):
    """Random entries, some on either side of the clip, and its boundary."""
    boundary = [1.5, -1.5, 1.0, -1.0, 0.0]
    return [(rng.normal(size=8), np.concatenate([rng.normal(size=3), boundary])) for _ in range(3)]


clipped = FunctionQuestion(
    "clipped",
    points=3,
    hints=["Look.", "Think.", "Nearly there."],
    inputs=draw,
    reference=lambda upstream, x: upstream * (np.abs(x) <= 1),
    mistakes=[
        Mistake(
            "upstream-ignored",
            "Multiply by the upstream gradient.",
            lambda upstream, x: 1.0 * (np.abs(x) <= 1),
        ),
        Mistake("not-clipped", "Where does it stop?", lambda upstream, x: upstream),
    ],
)
rectified = FunctionQuestion(
    "rectified",
    points=2,
    hints=["Look.", "Think.", "Nearly there."],
    inputs=draw,
    reference=lambda upstream, x: upstream * (x > 0),
)

rubric = Rubric(__file__, [clipped, rectified])
