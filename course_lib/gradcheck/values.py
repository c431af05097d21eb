"""Faults in the numbers: which pattern do the wrong entries follow?

The rule has run, and returned arrays of the right shape. Every function that looks for a pattern
takes what is wrong with one input and returns a fault or None; they are asked in turn.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product

import numpy as np

from course_lib.gradcheck.case import Case
from course_lib.gradcheck.faults import Fault
from course_lib.gradcheck.numeric import Truth

_COMPARED = ("ones", "random", "another")
_SMALL_ENOUGH_TO_TRANSPOSE = 2500


@dataclass
class Wrong:
    """The gradient for one input, which is wrong somewhere."""

    case: Case
    i: int

    def given(self, name: str) -> np.ndarray:
        return self.case.gradient(name, self.i)

    def truth(self, name: str) -> Truth:
        return self.case.truth(name, self.i)

    def rejected(self, name: str) -> np.ndarray:
        return self.truth(name).rejects(self.given(name))

    @cached_property
    def entries(self) -> np.ndarray:
        """A mask of the entries that are wrong for some upstream."""
        return np.any([self.rejected(name) for name in _COMPARED], axis=0)

    @property
    def subject(self) -> str:
        if len(self.case.places) == 1:
            return "the gradient"
        return f"the gradient for {self.case.argument(self.i)}"

    def fault(self, code: str, message: str, name: str | None = None, **more) -> Fault:
        """The fault with its worst entry, seen with the first upstream that shows it."""
        shown = [name] if name else [n for n in _COMPARED if self.rejected(n).any()]
        fault = Fault(code, message[0].upper() + message[1:], input=self.i, **more)
        if not shown:
            return fault
        fault = worst_entry(fault, self.truth(shown[0]), self.given(shown[0]))
        return fault.at(upstream=shown[0])


def wrong_values(case: Case) -> list[Fault]:
    """The faults in the numbers, one an input, the most telling first."""
    wrong = [w for w in (Wrong(case, i) for i in case.places) if w.entries.any()]
    if not wrong:
        return [fault for i in case.places if (fault := _bends_upstream(Wrong(case, i)))][:1]
    if found := _loses_output(case, wrong) or _negated(wrong) or _swapped(case, wrong):
        return found
    faults = []
    for w in wrong:
        order, fault = next((k, f) for k, look in enumerate(_PATTERNS) if (f := look(w)))
        faults.append((order, fault))
    faults.sort(key=lambda pair: pair[0])
    return _without_consequences([fault for _, fault in faults])


def is_unstable(case: Case) -> Fault | None:
    """Not a number, or infinite, where the truth is a number."""
    for name in ("ones", "random"):
        outputs = case.pull(name).outputs
        finite = all(np.isfinite(y).all() for y in outputs)
        for i in case.places:
            given, truth = case.gradient(name, i), case.truth(name, i)
            bad = ~np.isfinite(given) & truth.known & np.isfinite(truth.low + truth.high)
            if not finite:
                bad |= np.isnan(given) & np.isfinite(np.asarray(case.exact[i]))
            if bad.any():
                index = _index(np.argmax(bad), bad.shape)
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


# -- patterns over several inputs ---------------------------------------------------------------


def _loses_output(case: Case, wrong: list[Wrong]) -> list[Fault]:
    """One output sends nothing back, though several inputs should hear of it."""
    for k, name in _each_output(case):
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
    linear = not any(_bends_upstream(w) or _ignores_upstream(w) for w in wrong)
    acting = [i for i in case.places if np.any(case.truth("random", i).value)]
    if linear and 1 < len(wrong) == len(acting) and all(_factor(w) == -1.0 for w in wrong):
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
        not case.truth(name, j).rejects(case.gradient(name, i)).any() for name in _COMPARED
    ) and bool(np.any(case.gradient("random", i)))


# -- patterns of one input ----------------------------------------------------------------------


def _is_missing(w: Wrong) -> Fault | None:
    if any(np.any(w.given(name)) for name in w.case.upstreams):
        return None
    given = w.case.pull("random").gradients[w.i]
    what = "there is none (None)" if given is None else "it is zero everywhere"
    return w.fault(
        "missing-gradient", f"{w.subject} is missing: {what}, but the output depends on this input."
    )


def _ignores_upstream(w: Wrong) -> Fault | None:
    """Some entries are the same whatever comes from upstream, even nothing."""
    names = ("random", "another", "zeros", "minus", "twice", "thousandfold")
    values = np.stack([w.given(name) for name in names])
    truths = np.stack([w.truth(name).value for name in names])
    moves = np.any(truths != truths[0], axis=0) | ~np.any(truths, axis=0)
    frozen = np.all(values == values[0], axis=0) & (values[0] != 0) & moves & w.entries
    if frozen.any():
        part = "" if (frozen | ~w.entries).all() and frozen.all() else f", in {_count(frozen)}"
        return w.fault(
            "upstream-ignored",
            f"{w.subject} ignores the upstream gradient{part}: it is the same whether the loss is"
            " multiplied by 1, 2, −1 or 0.",
        )
    return _ignores_one_upstream(w)


def _ignores_one_upstream(w: Wrong) -> Fault | None:
    """One output's upstream gradient changes nothing, but its contribution is there."""
    for k, name in _each_output(w.case):
        silent = np.array_equal(w.given(name), w.given("zeros"))
        if silent and np.any(w.given("zeros")) and np.any(w.truth(name).rejects(0 * w.given(name))):
            return w.fault(
                "upstream-ignored",
                f"{w.subject} ignores the upstream gradient of output {k}: it is the same whatever"
                " that gradient is.",
                output=k,
            )
    return None


def _bends_upstream(w: Wrong) -> Fault | None:
    """Twice the upstream gradient must give twice the gradient, and so on."""
    if w.case.surrogate:
        return None
    g = w.given
    tests = [
        ("zeros", 0 * g("random"), "with nothing from upstream, it is not zero"),
        ("minus", -g("random"), "minus the upstream gradient does not give minus the gradient"),
        ("twice", 2 * g("random"), "twice the upstream gradient does not give twice the gradient"),
        (
            "thousandfold",
            1000 * g("random"),
            "1000 times the upstream gradient does not give 1000 times the gradient",
        ),
        (
            "sum",
            g("random") + g("another"),
            "the sum of two upstream gradients does not give the sum of their gradients",
        ),
    ]
    if not all(np.isfinite(g(name)).all() for name in ("random", "another")):
        return None
    for name, expected, story in tests:
        straight = w.case.same(g(name), expected)
        size = np.max(np.abs(w.truth(name).value), initial=0.0)
        straight |= np.abs(g(name) - expected) <= 1e-12 * size
        if name == "sum":  # rounding counts beside what was added
            straight |= w.case.same(g(name) + np.abs(g("random")), expected + np.abs(g("random")))
        if not straight.all():
            truth = Truth.exactly(expected, w.case.relative)
            fault = Fault(
                "nonlinear-upstream",
                f"{w.subject} is not linear in the upstream gradient: {story}.".capitalize(),
                input=w.i,
            )
            return worst_entry(fault, truth, g(name), ~straight)
    return None


def _ignores_output(w: Wrong) -> Fault | None:
    for k, name in _each_output(w.case):
        if not np.any(w.given(name)) and w.truth(name).rejects(w.given(name)).any():
            return w.fault(
                "output-ignored",
                f"{w.subject} ignores output {k}: an upstream gradient that arrives only there"
                " gives zero.",
                name,
                output=k,
            )
    return None


def _misses_kink(w: Wrong) -> Fault | None:
    kinked = np.any([w.truth(name).kinked for name in _COMPARED], axis=0)
    if (w.entries & ~kinked).any():
        return None
    name = next(n for n in _COMPARED if w.rejected(n).any())
    fault = w.fault("wrong-at-kink", w.subject, name)
    low, high = (float(end[fault.index]) for end in (w.truth(name).low, w.truth(name).high))
    x = float(w.case.exact[w.i][fault.index])
    message = f"{fault.message} is outside the slopes on both sides of a kink, where the input is {x:.6g}."
    return fault.at(message=message, expected=(low, high))


def _has_factor(w: Wrong) -> Fault | None:
    """All entries are off by the same factor, here and at other inputs."""
    if (factor := _factor(w)) is None:
        return None
    if factor == -1.0:
        return w.fault(
            "wrong-sign", f"{w.subject} has the wrong sign: it is minus what it should be."
        )
    return w.fault("wrong-scale", f"{w.subject} is {_times(factor)} what it should be.")


def _has_factor_for_one_output(w: Wrong) -> Fault | None:
    for k, name in _each_output(w.case):
        if not w.rejected(name).any() or (factor := _ratio(w, (name,))) is None:
            continue
        others = [n for j, n in _each_output(w.case) if j != k]
        if any(w.rejected(n).any() for n in others):
            continue
        what = f"{w.subject}: the contribution of output {k}"
        if factor == -1.0:
            return w.fault("wrong-sign", f"{what} has the wrong sign.", name, output=k)
        return w.fault(
            "wrong-scale", f"{what} is {_times(factor)} what it should be.", name, output=k
        )
    return None


def _negates_some(w: Wrong) -> Fault | None:
    """Several entries, all that are wrong, have just the wrong sign."""
    if np.count_nonzero(w.entries) < 2:
        return None
    for name in ("random", "another"):
        wrong = w.rejected(name)
        if (wrong & w.truth(name).rejects(-w.given(name))).any():
            return None
    return w.fault("wrong-sign", f"{w.subject} has the wrong sign in {_count(w.entries)}.")


def _is_transposed(w: Wrong) -> Fault | None:
    """The truth with the gradient, the upstream or some input transposed."""
    shape = w.case.exact[w.i].shape
    if len(shape) < 2 or w.case.exact[w.i].size > _SMALL_ENOUGH_TO_TRANSPOSE:
        return None
    for what, turned in _turned_truths(w):
        if all(not turned(name).any() for name in ("random", "another")):
            return w.fault("transposed", f"{w.subject} would be right with {what} transposed.")
    return None


def _turned_truths(w: Wrong) -> Iterator[tuple[str, Callable]]:
    case = w.case
    square = [j for j in case.places if _is_square(case.exact[j])]
    turnable = all(_is_square(y) for y in case.outputs if y.ndim >= 2)
    for inputs in [(), *combinations(square, 1), *combinations(square, 2)]:
        turned = list(case.exact)
        for j in inputs:
            turned[j] = np.swapaxes(turned[j], -1, -2)
        turned = tuple(turned) if inputs else case.exact
        if inputs and [y.shape for y in case.run(inputs=turned).outputs or ()] != [
            y.shape for y in case.outputs
        ]:
            continue
        derivative = None if case.surrogate else case.derivative(turned, w.i)
        for upstream, result in product((False, True) if turnable else (False,), (False, True)):
            names = [case.argument(j) for j in inputs]
            names += ["the upstream gradient"] * upstream + ["the result"] * result
            if not names or (result and not _is_square(case.exact[w.i])):
                continue

            def rejected(
                name, turned=turned, derivative=derivative, upstream=upstream, result=result
            ):
                us = case.upstreams[name]
                us = tuple(np.swapaxes(u, -1, -2) if upstream and u.ndim >= 2 else u for u in us)
                truth = (
                    derivative.pull(us, case.relative)
                    if derivative
                    else case.truth_at(turned, us, w.i)
                )
                given = w.given(name)
                return truth.rejects(np.swapaxes(given, -1, -2) if result else given)

            yield " and ".join(names), rejected


def _mixes_upstream(w: Wrong) -> Fault | None:
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
    one_number = all(_proportional(w.given(n), ones) for n in _COMPARED)
    if one_number and not all(_proportional(w.truth(n).value, ones) for n in _COMPARED):
        return w.fault(
            "not-elementwise",
            f"{w.subject} uses one number made from the whole upstream gradient (its sum, its"
            " mean or one entry) instead of each entry in its place.",
        )
    return None


def _is_just_wrong(w: Wrong) -> Fault:
    how_many = "" if w.entries.all() else f" in {_count(w.entries)}"
    return w.fault("wrong-values", f"{w.subject} is wrong{how_many}.")


_PATTERNS: tuple[Callable[[Wrong], Fault | None], ...] = (
    _is_missing,
    _ignores_upstream,
    _misses_kink,
    _bends_upstream,
    _ignores_output,
    _has_factor,
    _has_factor_for_one_output,
    _is_transposed,
    _mixes_upstream,
    _negates_some,
    _is_just_wrong,
)


# -- small things -------------------------------------------------------------------------------


def worst_entry(
    fault: Fault, truth: Truth, given: np.ndarray, among: np.ndarray | None = None
) -> Fault:
    """The fault, with the entry that is furthest from the truth and both numbers."""
    gap = np.abs(given - truth.value)
    gap = np.where(truth.rejects(given) if among is None else among, gap, -1.0)
    gap = np.where(np.isnan(gap), np.inf, gap)
    if not gap.size:
        return fault
    index = _index(np.argmax(gap), gap.shape)
    return fault.at(index=index, expected=float(truth.value[index]), actual=float(given[index]))


def _factor(w: Wrong) -> float | None:
    """The constant that the whole gradient is off by, if there is one also at other inputs."""
    factor = _ratio(w, _COMPARED)
    if factor is None:
        return None
    for which in (0, 1):
        there = w.case.elsewhere(which)
        pull = w.case.run(inputs=there)
        if pull.gradients is None or pull.gradients[w.i] is None:
            continue
        upstreams = w.case.random(pull.outputs)
        given = np.asarray(pull.gradients[w.i], float)
        if w.case.surrogate:
            truth = w.case.truth_at(there, upstreams, w.i)
        else:
            direction = w.case.rng().uniform(0.5, 1.0, given.shape)
            truth = w.case.slope(there, {w.i: direction}).pull(upstreams, w.case.relative)
            given = np.array([np.sum(given * direction)])
        clear = truth.known & ~truth.kinked & np.isfinite(given)
        off = np.abs(given - factor * truth.value) > 2 * abs(
            factor
        ) * truth.tolerance + 1e-3 * np.abs(given)
        if (clear & off).any():
            return None
    return factor


def _ratio(w: Wrong, names: tuple[str, ...]) -> float | None:
    """The one number that given / truth is, in all entries that are not zero."""
    ratios = []
    for name in names:
        truth, given = w.truth(name), w.given(name)
        size = np.abs(truth.value)
        clear = truth.known & ~truth.kinked & np.isfinite(given)
        largest = np.max(size, initial=0.0, where=clear)
        usable = clear & (size > 30 * truth.tolerance) & (size > 1e-9 * largest)
        if (truth.rejects(given) & clear & ~usable & (np.abs(given) > 1e-6 * largest)).any():
            return None
        ratios.append(given[usable] / truth.value[usable])
    ratios = np.concatenate(ratios)
    if not ratios.size:
        return None
    factor = float(np.median(ratios))
    if (
        factor == 0
        or np.abs(ratios - factor).max() > 3e-3 * max(abs(factor), 0.0)
        or abs(factor - 1) < 1e-6
    ):
        return None
    if np.ptp(ratios) > 0.2 * abs(factor - 1):  # not constant beside what is to be explained
        return None
    return -1.0 if abs(factor + 1) < 1e-4 else factor


def _proportional(a: np.ndarray, b: np.ndarray) -> bool:
    a, b = np.ravel(a), np.ravel(b)
    norms = np.linalg.norm(a) * np.linalg.norm(b)
    return bool(norms > 0 and abs(abs(a @ b) / norms - 1) < 1e-8)


def _without_consequences(faults: list[Fault]) -> list[Fault]:
    """One fault a kind: the same mistake in several inputs is one mistake."""
    kinds: dict[str, Fault] = {}
    for fault in faults:
        kinds.setdefault(fault.code, fault)
    if len(kinds) > 1:
        kinds.pop("wrong-values", None)
    return list(kinds.values())


def _each_output(case: Case) -> list[tuple[int, str]]:
    count = len(case.outputs)
    return [(k, f"output {k}") for k in range(count)] if count > 1 else []


def _times(factor: float) -> str:
    whole = f"{factor:.6g} times"
    inverse = 1 / factor
    if abs(factor) < 1 and abs(inverse - round(inverse)) < 1e-4 * abs(inverse):
        return f"{whole} (1/{round(inverse)} of)" if inverse > 0 else whole
    return whole


def _count(mask: np.ndarray) -> str:
    n = int(np.count_nonzero(mask))
    return f"{n} of {mask.size} entries" if mask.size > 1 else "its entry"


def _is_square(x: np.ndarray) -> bool:
    return np.ndim(x) >= 2 and np.shape(x)[-1] == np.shape(x)[-2]


def _index(flat: int, shape: tuple) -> tuple[int, ...]:
    return tuple(int(k) for k in np.unravel_index(int(flat), shape))
