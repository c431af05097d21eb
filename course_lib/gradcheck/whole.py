"""Faults of the rule as a whole: is it the rule that ran, and do its entries fit together?"""

import numpy as np

from course_lib.gradcheck.case import Case
from course_lib.gradcheck.faults import Fault
from course_lib.gradcheck.wrong import index_of

_DIRECTIONS = 2


def leads_nowhere(case: Case) -> Fault | None:
    """The output does not lead back to any input: no backward was run."""
    if case.first.steps or any(case.first.gradients[i] is not None for i in case.places):
        return None
    given = {i: case.gradient("random", i) for i in case.places}
    if not any(case.truth("random", i).rejects(given[i]).any() for i in case.places):
        return None
    return Fault(
        "rule-not-run",
        f"No gradient flows through {case.name}: the output that it returns does not lead back to"
        f" the input, so {case.adapter.label} never runs its backward.",
        input=case.places[0],
    )


def is_bypassed(case: Case) -> Fault | None:
    """A surrogate was declared, but the framework's own derivative came back."""
    if case.first.custom or case.surrogate is None:
        return None
    given = {i: case.gradient("random", i) for i in case.places}
    if not any(case.truth("random", i).rejects(given[i]).any() for i in case.places):
        return None
    upstreams = case.upstreams["random"]
    true = {i: case.derivative(case.exact, i).pull(upstreams, case.relative) for i in case.places}
    if any(true[i].rejects(given[i]).any() for i in case.places):
        return None
    return Fault(
        "rule-not-run",
        f"{case.name} gives the true derivative of its forward and not the surrogate: no custom"
        f" gradient was recorded, so this is {case.adapter.label}'s own.",
        input=case.places[0],
    )


def was_not_run(case: Case) -> Fault | None:
    """All is right, but it is the framework's doing."""
    if case.first.custom or case.surrogate:
        return None
    return Fault(
        "rule-not-run",
        f"The gradient is right, but it is {case.adapter.label}'s own: no custom gradient was"
        f" recorded when {case.name} ran, so there is no rule to check.",
    )


def is_unstable(case: Case) -> Fault | None:
    """Not a number, or infinite, where the truth is a number."""
    for name in ("ones", "random"):
        outputs = case.pull(name).outputs
        finite = all(np.isfinite(y).all() for y in outputs)
        for i in case.places:
            given, truth = case.gradient(name, i), case.truth(name, i)
            bounded = np.isfinite(truth.low + truth.high)
            bad = truth.known & (np.isnan(given) | (np.isinf(given) & bounded))
            if not finite:
                bad |= np.isnan(given) & np.isfinite(np.asarray(case.exact[i]))
            if bad.any():
                index = index_of(bad)
                what = "is nan" if np.isnan(given[index]) else "is infinite"
                where = f" at {list(index)}" if index else ""
                x = float(case.exact[i][index])
                cause = (
                    f"though the derivative there is {truth.value[index]:.6g}"
                    if truth.known[index]
                    else "and so is the forward there: it is no finite number either"
                )
                return Fault(
                    "unstable",
                    f"The gradient for {case.argument(i)}{where} {what} (the input is {x:.6g}),"
                    f" {cause}.",
                    input=i,
                    index=index,
                    expected=float(truth.value[index]) if truth.known[index] else None,
                    actual=float(given[index]),
                )
    return None


def wrong_along_directions(case: Case) -> Fault | None:
    """All entries at once along random directions: ties at kinks, and entries not sampled."""
    if case.surrogate or not any(case.exact[i].size for i in case.places):
        return None
    rng = case.rng()
    for _ in range(_DIRECTIONS):
        ways = {i: _direction(case.exact[i], rng) for i in case.places}
        slope = case.slope(case.exact, ways)
        for name in ("ones", "random"):
            truth = slope.pull(case.upstreams[name], case.relative)
            given = sum(np.sum(case.gradient(name, i) * ways[i]) for i in case.places)
            if not truth.rejects(np.array([given])).any():
                continue
            expected, actual = float(truth.value[0]), float(given)
            if truth.kinked.any():
                return Fault(
                    "wrong-at-kink",
                    "Each entry of the gradient may be right at this kink, but not all together:"
                    f" along a direction through them the slope is between {truth.low[0]:.6g} and"
                    f" {truth.high[0]:.6g}, and the gradient says {actual:.6g}.",
                    hint="Where several entries tie (max, norm), share the upstream gradient among"
                    " them instead of giving it to each, or to none.",
                    expected=expected,
                    actual=actual,
                )
            return Fault(
                "wrong-values",
                f"Along a random direction through all entries the slope is {expected:.6g}, but the"
                f" gradient says {actual:.6g}: an entry that was not sampled is wrong.",
                expected=expected,
                actual=actual,
            )
    return None


def _direction(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    size = np.abs(x)
    scale = np.maximum(size, size.mean() if x.size and size.any() else 1.0)
    return rng.uniform(0.5, 1.0, x.shape) * scale


def loses_precision(case: Case) -> Fault | None:
    """Right in float64, but not in the precision of the inputs, beyond what rounding explains."""
    if case.exact is case.inputs or not all(np.isfinite(y).all() for y in case.first.outputs):
        return None
    for i in case.places:
        found, exact = case.first.gradients[i], case.gradient("random", i)
        given = np.zeros(exact.shape) if found is None else np.asarray(found, float)
        dtype = case.inputs[i].dtype
        allowed = min(0.5, 1e5 * float(np.finfo(dtype).eps))
        size = np.max(np.abs(exact), initial=0.0)
        wrong = ~(np.abs(given - exact) <= allowed * (np.abs(exact) + size))
        if wrong.any():
            index = index_of(wrong)
            finite = np.isfinite(given[index])
            return Fault(
                "wrong-values" if finite else "unstable",
                f"The gradient for {case.argument(i)} is right in float64, but in {dtype} it is"
                f" {given[index]:.6g} where it should be {exact[index]:.6g}.",
                input=i,
                index=index,
                expected=float(exact[index]),
                actual=float(given[index]),
            )
    return None
