"""Faults in the numbers: which pattern do the wrong entries follow?

The rule has run, and returned arrays of the right shape. Patterns over several inputs are looked
for first, then those of each input by itself, in the order of the table at the end: from what
explains most to what explains nothing.
"""

from collections.abc import Callable

import numpy as np

from course_lib.gradcheck.case import Case
from course_lib.gradcheck.factors import (
    constant_factor,
    has_factor,
    has_factor_for_one_output,
    negates_some,
)
from course_lib.gradcheck.faults import Fault
from course_lib.gradcheck.transposes import is_transposed
from course_lib.gradcheck.upstreams import (
    bends_upstream,
    ignores_output,
    ignores_upstream,
    mixes_upstream,
)
from course_lib.gradcheck.wrong import COMPARED, Wrong, count, each_output


def wrong_values(case: Case) -> list[Fault]:
    """The faults in the numbers, one an input, the most telling first."""
    wrong = [w for w in (Wrong(case, i) for i in case.places) if w.entries.any()]
    if not wrong:
        return [fault for i in case.places if (fault := bends_upstream(Wrong(case, i)))][:1]
    if found := _loses_output(case, wrong) or _negated(wrong) or _swapped(case, wrong):
        return found
    faults = []
    for w in wrong:
        order, fault = next((k, f) for k, look in enumerate(_PATTERNS) if (f := look(w)))
        faults.append((order, fault))
    faults.sort(key=lambda pair: pair[0])
    return _without_consequences([fault for _, fault in faults])


def _without_consequences(faults: list[Fault]) -> list[Fault]:
    """One fault a kind: the same mistake in several inputs is one mistake."""
    kinds: dict[str, Fault] = {}
    for fault in faults:
        kinds.setdefault(fault.code, fault)
    if len(kinds) > 1:
        kinds.pop("wrong-values", None)
    return list(kinds.values())


# -- patterns over several inputs -----------------------------------------------------------------


def _loses_output(case: Case, wrong: list[Wrong]) -> list[Fault]:
    """One output sends nothing back, though several inputs should hear of it."""
    for k, name in each_output(case):
        deaf = [w for w in wrong if w.rejected(name).any()]
        if len(deaf) < 2 or any(np.any(w.given(name)) for w in deaf):
            continue
        if any(np.any(case.gradient("random", i)) for i in case.places):
            text = f"output {k} is ignored: an upstream gradient that arrives only there is lost."
            return [deaf[0].fault("output-ignored", text, name, output=k)]
    return []


def _negated(wrong: list[Wrong]) -> list[Fault]:
    """All gradients have the wrong sign (x − y, swapped, is the same: a sign is likelier)."""
    case = wrong[0].case
    linear = not any(bends_upstream(w) or ignores_upstream(w) for w in wrong)
    acting = [i for i in case.places if np.any(case.truth("random", i).value)]
    if linear and 1 < len(wrong) == len(acting) and all(constant_factor(w) == -1.0 for w in wrong):
        text = "all gradients have the wrong sign: each is minus what it should be."
        return [wrong[0].fault("wrong-sign", text)]
    return []


def _swapped(case: Case, wrong: list[Wrong]) -> list[Fault]:
    """The gradient of one input is returned for another one."""
    for w in wrong:
        for other in case.places:
            if other == w.i or case.exact[other].shape != case.exact[w.i].shape:
                continue
            if _is_gradient_of(case, w.i, other) and _is_gradient_of(case, other, w.i):
                a, b = sorted((w.i, other))
                text = f"the gradients for {case.argument(a)} and {case.argument(b)} are swapped."
                return [w.fault("inputs-swapped", text)]
    cycle = {w.i: [j for j in case.places if _is_gradient_of(case, w.i, j)] for w in wrong}
    if len(wrong) > 2 and all(cycle.values()):
        text = "the gradients are right, but in another order than the inputs."
        return [wrong[0].fault("inputs-swapped", text)]
    return []


def _is_gradient_of(case: Case, i: int, j: int) -> bool:
    """Whether what is given for input i is what belongs to input j, and not zero."""
    if case.exact[i].shape != case.exact[j].shape:
        return False
    return all(
        not case.truth(name, j).rejects(case.gradient(name, i)).any() for name in COMPARED
    ) and bool(np.any(case.gradient("random", i)))


# -- patterns of one input ------------------------------------------------------------------------


def _is_missing(w: Wrong) -> Fault | None:
    if any(np.any(w.given(name)) for name in w.case.upstreams):
        return None
    given = w.case.pull("random").gradients[w.i]
    what = "there is none (None)" if given is None else "it is zero everywhere"
    return w.fault(
        "missing-gradient", f"{w.subject} is missing: {what}, but the output depends on this input."
    )


def _misses_kink(w: Wrong) -> Fault | None:
    kinked = np.any([w.truth(name).kinked for name in COMPARED], axis=0)
    if (w.entries & ~kinked).any():
        return None
    name = next(n for n in COMPARED if w.rejected(n).any())
    fault = w.fault("wrong-at-kink", w.subject, name)
    low, high = (float(end[fault.index]) for end in (w.truth(name).low, w.truth(name).high))
    x = float(w.case.exact[w.i][fault.index])
    message = f"{fault.message} is outside the slopes on both sides of the kink at {x:.6g}."
    return fault.at(message=message, expected=(low, high))


def _is_just_wrong(w: Wrong) -> Fault:
    how_many = "" if w.entries.all() else f" in {count(w.entries)}"
    return w.fault("wrong-values", f"{w.subject} is wrong{how_many}.")


_PATTERNS: tuple[Callable[[Wrong], Fault | None], ...] = (
    _is_missing,
    ignores_upstream,
    _misses_kink,
    bends_upstream,
    ignores_output,
    has_factor,
    has_factor_for_one_output,
    is_transposed,
    mixes_upstream,
    negates_some,
    _is_just_wrong,
)
