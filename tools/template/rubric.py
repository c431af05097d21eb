"""Exercise NUMBER: TITLE."""

import numpy as np

from course_lib.grading import Edit, FunctionQuestion, Mistake, Rubric, RuleQuestion


def inputs(rng):
    """Random numbers, and the points where an answer may go wrong: the kink, and beside it."""
    return [rng.normal(size=5), rng.normal(size=(2, 3)), np.array([-1.0, 0.0, 1.0, 2.0])]


slope = FunctionQuestion(
    "slope",
    points=1,
    inputs=inputs,
    reference=lambda x: 2 * np.abs(x),
    mistakes=[
        Mistake(
            "sign-kept", "Look at the curve left of zero: does it rise or fall?", lambda x: 2 * x
        )
    ],
    hints=[
        "Left of zero the function is −x², right of it x².",
        "Differentiate both, and find one formula for the two.",
        "It is twice the distance of `x` from zero.",
    ],
    right=[
        Edit("2 * np.abs(x)", "np.abs(2 * x)"),
        Edit("2 * np.abs(x)", "2 * x * np.sign(x)"),
        Edit("2 * np.abs(x)", "np.where(x > 0, 2 * x, -2 * x)"),
    ],
    wrong=[
        ("sign-kept", Edit("np.abs(x)", "x")),
        Edit("2 * np.abs(x)", "np.abs(x)"),
        Edit("2 * np.abs(x)", "-2 * np.abs(x)"),
        Edit("2 * np.abs(x)", "2 * np.sign(x)"),
        Edit("2 * np.abs(x)", "2 * x**2"),
        Edit("2 * np.abs(x)", "x * np.abs(x)"),
        Edit("2 * np.abs(x)", "2 * np.maximum(x, 0)"),
        Edit("2 * np.abs(x)", "2 * np.abs(x).sum()"),
    ],
)

signed_square_tape = RuleQuestion(
    "signed_square_tape",
    framework="tape",
    points=2,
    inputs=inputs,
    forward=lambda x: x * np.abs(x),
    backward=lambda upstream, x: upstream * 2 * np.abs(x),
    mistakes=[
        Mistake(
            "sign-kept",
            "The derivative is that of x². Look at the curve left of zero.",
            backward=lambda upstream, x: upstream * 2 * x,
        )
    ],
    hints=[
        "Two factors: one comes from outside, and one is the slope.",
        "You wrote the slope in the first question.",
        "`return upstream * slope(x)`",
    ],
    right=[
        Edit("upstream * 2 * np.abs(x)", "2 * upstream * np.abs(x)"),
        Edit("upstream * 2 * np.abs(x)", "upstream * slope(x)"),
        Edit("upstream * 2 * np.abs(x)", "2 * upstream * x * np.sign(x)"),
    ],
    wrong=[
        ("sign-kept", Edit("np.abs(x)\n", "x\n")),
        ("upstream-ignored", Edit("upstream * 2", "2")),
        ("wrong-sign", Edit("upstream * 2", "-2 * upstream")),
        Edit("upstream * 2", "upstream"),
        Edit("upstream * 2", "upstream + 2"),
        Edit("upstream * 2", "upstream.sum() * 2"),
        Edit("upstream * 2 * np.abs(x)", "upstream * x * np.abs(x)"),
        Edit("return x * np.abs(x)", "return x * x"),
    ],
)

rubric = Rubric(__file__, [slope, signed_square_tape])
