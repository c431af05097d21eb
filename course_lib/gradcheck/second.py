"""Second derivatives: the gradient is a function too, and so has a numeric derivative."""

import numpy as np

from course_lib.gradcheck.case import Case
from course_lib.gradcheck.faults import Fault
from course_lib.gradcheck.numeric import Jacobian
from course_lib.gradcheck.wrong import worst_entry


def wrong_second_order(case: Case) -> Fault | None:
    """The derivative of the (right) gradient, as the framework finds it, against differences."""
    upstreams = case.upstreams["random"]
    arrays = [case.exact[i] for i in case.places]
    rng = case.rng()
    directions = [rng.uniform(0.5, 1.5, x.shape) * rng.choice([-1.0, 1.0], x.shape) for x in arrays]
    by_place = dict(zip(case.places, directions, strict=True))
    ways = tuple(by_place.get(i) for i in range(len(case.inputs)))
    try:
        seconds = case.adapter.second_vjp(case.rule, case.exact, upstreams, ways)
    except Exception as error:
        said = str(error).strip().split("\n")[0]
        return Fault("second-order", f"The second derivative raises {type(error).__name__}: {said}")

    def gradients(xs):
        inputs = list(case.exact)
        for i, x in zip(case.places, xs, strict=True):
            inputs[i] = x
        _, pullback = case.adapter.vjp(case.rule, *inputs)
        found = pullback(*upstreams)
        return [
            np.zeros(x.shape) if found[i] is None else np.asarray(found[i])
            for i, x in zip(case.places, xs, strict=True)
        ]

    for place, i in enumerate(case.places):
        truth = Jacobian(gradients, arrays, place, case.rng()).pull(directions, 10 * case.relative)
        given = (
            np.zeros(arrays[place].shape) if seconds[i] is None else np.asarray(seconds[i], float)
        )
        if given.shape != truth.value.shape:
            return Fault(
                "second-order",
                f"The second derivative for {case.argument(i)} has shape {given.shape}, but the"
                f" input has shape {truth.value.shape}.",
                input=i,
                expected=truth.value.shape,
                actual=given.shape,
            )
        # Where the gradient is exactly zero, differences see no rounding; the framework has some.
        if (truth.rejects(given) & ~(np.abs(given - truth.value) <= 1e-12)).any():
            missing = not np.any(given)
            story = "is missing or zero" if missing else "is wrong"
            fault = Fault(
                "second-order",
                f"The gradient is right, but its own derivative for {case.argument(i)} {story}.",
                input=i,
            )
            return worst_entry(fault, truth, given)
    return None
