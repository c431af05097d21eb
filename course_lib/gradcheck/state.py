"""Faults that show only when the rule is run more than once, or its gradients are added up."""

import numpy as np

from course_lib.frameworks.protocol import as_tuple
from course_lib.gradcheck.case import Case, Pull
from course_lib.gradcheck.faults import Fault
from course_lib.gradcheck.running import is_read_only


def remembers_other_calls(case: Case) -> Fault | None:
    """A backward depends on more than its own forward and its upstream gradient."""
    if is_read_only(case.again.error):  # the tape froze the array when it was first returned
        return Fault(
            "overwrites",
            f"{case.name} writes its gradient into an array that it has returned before: whoever"
            " still holds the earlier gradient finds it overwritten.",
        )
    for story in (_differs_when_repeated, _repeats_its_first_answer, _takes_another_calls_values):
        if found := story(case):
            i, message, expected, actual = found
            return _fault("stale-state", case, i, message, expected, actual)
    return None


def _differs_when_repeated(case: Case) -> tuple | None:
    """Run twice, from the start and from the same forward."""
    again = "gives another gradient when everything is run once more in the same way."
    if found := _difference(case, case.first, case.again):
        return found[0], f"{case.name} {again}", *found[1:]
    pulls = _pull_together(case, [case.inputs], [0, 0])
    if found := _difference(case, case.first, pulls[1]):
        return (
            found[0],
            f"The backward of {case.name}, called twice after one forward, {again}",
            *found[1:],
        )
    return None


def _repeats_its_first_answer(case: Case) -> tuple | None:
    """The first answer was right, and then it never changed."""
    if case.exact is not case.inputs:
        return None
    for i in case.places:
        truth, first, second = (
            case.truth("random", i),
            *(case.gradient(n, i) for n in ("random", "another")),
        )
        if truth.rejects(first).any() or not np.array_equal(first, second):
            continue
        if case.truth("another", i).rejects(second).any():
            return (
                i,
                (
                    f"{case.name} gives its first answer again, though the upstream gradient is"
                    " another one by now: it was right the first time only."
                ),
                case.truth("another", i).value,
                second,
            )
    return None


def _takes_another_calls_values(case: Case) -> tuple | None:
    """Two forwards, then their backwards: each must remember its own inputs."""
    here, there = case.exact, case.elsewhere()
    alone = [case.run(inputs=x) for x in (here, there)]
    if not all(pull.gradients for pull in alone):
        return None
    together = _pull_together(case, [here, there], [0, 1])
    for one, other in zip(alone, together, strict=True):
        if found := _difference(case, one, other):
            return (
                found[0],
                (
                    f"{case.name} mixes up two calls: when it is called for other inputs before its"
                    " backward is run, the gradient is that of the other call."
                ),
                *found[1:],
            )
    return _keeps_first_derivative(case, there, alone)


def _keeps_first_derivative(case: Case, there: tuple, alone: list[Pull]) -> tuple | None:
    """The derivative of the first inputs is used for all others."""
    here_pull, there_pull = alone
    outputs = there_pull.outputs
    if [y.shape for y in outputs] != [y.shape for y in here_pull.outputs]:
        return None
    for i in case.places:
        g, h = here_pull.gradients[i], there_pull.gradients[i]
        if g is None or h is None or not np.array_equal(g, h) or not np.any(h):
            continue
        direction = case.rng().uniform(0.5, 1.0, np.shape(h))
        upstreams = case.random(outputs)
        if case.surrogate:
            truth = case.truth_at(there, upstreams, i)
            wrong, expected, actual = truth.rejects(h).any(), truth.value, h
        else:
            truth = case.slope(there, {i: direction}).pull(upstreams, case.relative)
            expected, actual = truth.value, np.array([np.sum(h * direction)])
            wrong = truth.rejects(actual).any()
        if wrong and not case.truth("random", i).rejects(case.gradient("random", i)).any():
            return (
                i,
                (
                    f"{case.name} gives the gradient of an earlier call also for other inputs: it"
                    " seems to be kept from the first call on."
                ),
                expected,
                actual,
            )
    return None


def does_not_accumulate(case: Case) -> Fault | None:
    """Gradients of two uses of one input must add up, and not overwrite each other."""
    return _used_in_two_calls(case) or _used_in_two_places(case)


def _used_in_two_calls(case: Case) -> Fault | None:
    def twice(*inputs):
        return *as_tuple(case.rule(*inputs)), *as_tuple(case.rule(*inputs))

    one, other = case.upstreams["random"], case.upstreams["another"]
    both = case.run((*one, *other), case.inputs, twice)
    apart = [case.run(upstreams, case.inputs) for upstreams in (one, other)]
    if not all(pull.gradients for pull in apart):
        return None
    for i in case.places:
        parts = [_filled(pull.gradients[i], case.inputs[i]) for pull in apart]
        expected, rounding = sum(parts), 100 * np.finfo(case.inputs[i].dtype).eps
        added = _filled(both.gradients[i], case.inputs[i]) if both.gradients else None
        size = sum(map(np.abs, parts))
        if added is None or not np.all(
            (np.abs(added - expected) <= rounding * size) | np.isnan(expected)
        ):
            return _fault(
                "overwrites",
                case,
                i,
                f"When {case.argument(i)} is used in two calls of {case.name}, the two gradients do"
                " not add up: the later one overwrites the earlier one.",
                expected,
                added,
            )
    return None


def _used_in_two_places(case: Case) -> Fault | None:
    """One tensor as two arguments, against two tensors with the same values."""
    for i, j in _interchangeable(case):
        equal = list(case.exact)
        equal[j] = equal[i]
        apart = case.run(inputs=tuple(equal))
        if not apart.gradients:
            continue

        def same_tensor(*inputs, i=i, j=j):
            shared = list(inputs)
            shared[j] = shared[i]
            return case.rule(*shared)

        at_once = case.run(inputs=tuple(equal), rule=same_tensor)
        one, other = (_filled(apart.gradients[k], equal[k]) for k in (i, j))
        found = at_once.gradients[i] if at_once.gradients else None
        if not at_once.gradients or _differ(case, one + other, found):
            return _fault(
                "overwrites",
                case,
                i,
                f"When one tensor is given as both {case.argument(i)} and {case.argument(j)}, its"
                " gradient is not the sum of the two.",
                one + other,
                found,
            )
    return None


# -- small things -------------------------------------------------------------------------------


def _pull_together(case: Case, inputs: list[tuple], order: list[int]) -> list[Pull]:
    """Run all forwards first, then the backwards in this order."""
    pulls = []
    try:
        watched = [case.adapter.watch(case.rule, *x) for x in inputs]
        for k in order:
            gradients = watched[k].pullback(*case.random(watched[k].outputs))
            pulls.append(Pull(watched[k].outputs, gradients))
    except Exception as error:
        pulls += [Pull(error=error)] * (len(order) - len(pulls))
    return pulls


def _difference(case: Case, one: Pull, other: Pull) -> tuple | None:
    """The first input whose gradients differ, with both; None if none does."""
    if not one.gradients:
        return None
    for i in case.places:
        g, h = one.gradients[i], other.gradients[i] if other.gradients else None
        if not other.gradients or (g is None) != (h is None):
            return i, g, h
        if g is not None and _differ(case, np.asarray(g), h):
            return i, g, h
    return None


def _differ(case: Case, a: np.ndarray, b: np.ndarray | None) -> bool:
    b = np.zeros_like(a) if b is None else np.asarray(b)
    return a.shape != b.shape or not case.same(a.astype(float), b.astype(float)).all()


def _interchangeable(case: Case) -> list[tuple[int, int]]:
    kinds = {i: (case.exact[i].shape, case.exact[i].dtype) for i in case.places}
    return [(i, j) for i in kinds for j in kinds if i < j and kinds[i] == kinds[j]]


def _filled(g: np.ndarray | None, x: np.ndarray) -> np.ndarray:
    return np.zeros(x.shape) if g is None else np.asarray(g, float)


def _fault(code: str, case: Case, i: int, message: str, expected, actual) -> Fault:
    fault = Fault(code, message, input=i)
    if expected is None or actual is None or np.shape(expected) != np.shape(actual):
        return fault
    gap = np.abs(np.asarray(expected, float) - np.asarray(actual, float))
    if not gap.size:
        return fault
    largest = int(np.argmax(np.nan_to_num(gap, nan=np.inf)))
    index = tuple(int(k) for k in np.unravel_index(largest, gap.shape))
    return fault.at(index=index, expected=float(expected[index]), actual=float(actual[index]))
