"""What the gradient makes of its upstream: nothing, something bent, or the wrong mixture."""

import numpy as np

from course_lib.gradcheck.faults import Fault
from course_lib.gradcheck.numeric import Truth
from course_lib.gradcheck.wrong import COMPARED, Wrong, count, each_output, worst_entry


def ignores_upstream(w: Wrong) -> Fault | None:
    """Some entries are the same whatever comes from upstream, even nothing."""
    names = ("random", "another", "zeros", "minus", "twice", "thousandfold")
    values = np.stack([w.given(name) for name in names])
    truths = np.stack([w.truth(name).value for name in names])
    moves = np.any(truths != truths[0], axis=0) | ~np.any(truths, axis=0)
    frozen = np.all(values == values[0], axis=0) & (values[0] != 0) & moves & w.entries
    if frozen.any():
        part = "" if frozen.all() else f", in {count(frozen)}"
        return w.fault(
            "upstream-ignored",
            f"{w.subject} ignores the upstream gradient{part}: it is the same whether the loss is"
            " multiplied by 1, 2, −1 or 0.",
        )
    return _ignores_one_upstream(w)


def _ignores_one_upstream(w: Wrong) -> Fault | None:
    """One output's upstream gradient changes nothing, but its contribution is there."""
    for k, name in each_output(w.case):
        always = w.given("zeros")
        matters = w.truth(name).rejects(0 * always).any()
        if matters and np.any(always) and np.array_equal(w.given(name), always):
            return w.fault(
                "upstream-ignored",
                f"{w.subject} ignores the upstream gradient of output {k}: it is the same whatever"
                " that gradient is.",
                output=k,
            )
    return None


def bends_upstream(w: Wrong) -> Fault | None:
    """Twice the upstream gradient must give twice the gradient, and so on."""
    one, other = w.given("random"), w.given("another")
    if w.case.surrogate or not (np.isfinite(one).all() and np.isfinite(other).all()):
        return None
    straight_lines = {
        "zeros": (0 * one, "nothing from upstream does not give zero"),
        "minus": (-one, "minus the upstream gradient does not give minus the gradient"),
        "twice": (2 * one, "twice the upstream gradient does not give twice the gradient"),
        "thousandfold": (1000 * one, "a thousandfold upstream does not give a thousandfold one"),
        "sum": (one + other, "two upstream gradients together do not give the sum of theirs"),
    }
    for name, (expected, story) in straight_lines.items():
        given = w.given(name)
        added = np.abs(one) + np.abs(other) if name == "sum" else np.abs(expected)
        rounding = 1e-12 * np.max(np.abs(w.truth(name).value), initial=0.0)
        near = np.abs(given - expected) <= 0.1 * w.case.relative * added + rounding
        bent = ~(near | w.case.same(given, expected))
        if bent.any():
            text = f"{w.subject} is not linear in the upstream gradient: {story}."
            fault = Fault("nonlinear-upstream", text[0].upper() + text[1:], input=w.i)
            return worst_entry(fault, Truth.exactly(expected, w.case.relative), given, bent)
    return None


def ignores_output(w: Wrong) -> Fault | None:
    """Nothing comes back from one of the outputs."""
    for k, name in each_output(w.case):
        if not np.any(w.given(name)) and w.truth(name).rejects(w.given(name)).any():
            return w.fault(
                "output-ignored",
                f"{w.subject} ignores output {k}: an upstream gradient that arrives only there"
                " gives zero.",
                name,
                output=k,
            )
    return None


def mixes_upstream(w: Wrong) -> Fault | None:
    """Right, or right but for a factor, only if all entries of the upstream gradient are alike."""
    if sum(y.size for y in w.case.outputs) < 2:
        return None
    truth, ones = w.truth("ones"), w.truth("ones").value
    telling = np.abs(ones) > 10 * truth.tolerance
    if not w.rejected("ones").any() and (telling & w.entries).any():
        return w.fault(
            "not-elementwise",
            f"{w.subject} is right only when the upstream gradient is the same everywhere: its"
            " entries do not reach where they belong.",
        )
    one_number = all(_proportional(w.given(n), ones) for n in COMPARED)
    if one_number and not all(_proportional(w.truth(n).value, ones) for n in COMPARED):
        return w.fault(
            "not-elementwise",
            f"{w.subject} uses one number made from the whole upstream gradient (its sum, its"
            " mean or one entry) instead of each entry in its place.",
        )
    return None


def _proportional(a: np.ndarray, b: np.ndarray) -> bool:
    a, b = np.ravel(a), np.ravel(b)
    norms = np.linalg.norm(a) * np.linalg.norm(b)
    return bool(norms > 0 and abs(abs(a @ b) / norms - 1) < 1e-8)
