"""Is the gradient right but for one constant factor?"""

import numpy as np

from course_lib.gradcheck.faults import Fault
from course_lib.gradcheck.wrong import COMPARED, Wrong, count, each_output

_ALIKE = 3e-3
"""How much the factors of single entries may differ, relative to the factor."""


def has_factor(w: Wrong) -> Fault | None:
    """All entries are off by the same factor, here and at other inputs."""
    factor = constant_factor(w)
    if factor is None:
        return None
    if factor == -1.0:
        text = f"{w.subject} has the wrong sign: it is minus what it should be."
        return w.fault("wrong-sign", text)
    return w.fault("wrong-scale", f"{w.subject} is {_times(factor)}.")


def has_factor_for_one_output(w: Wrong) -> Fault | None:
    """What one output contributes is off by a factor; the others are right."""
    wrong = [(k, name) for k, name in each_output(w.case) if w.rejected(name).any()]
    if len(wrong) != 1:
        return None
    k, name = wrong[0]
    factor = _common_ratio(w, (name,))
    if factor is None:
        return None
    what = f"{w.subject}: the contribution of output {k}"
    if factor == -1.0:
        return w.fault("wrong-sign", f"{what} has the wrong sign.", name, output=k)
    return w.fault("wrong-scale", f"{what} is {_times(factor)}.", name, output=k)


def negates_some(w: Wrong) -> Fault | None:
    """Several entries, and all that are wrong, have just the wrong sign."""
    if np.count_nonzero(w.entries) < 2:
        return None
    for name in ("random", "another"):
        if (w.rejected(name) & w.truth(name).rejects(-w.given(name))).any():
            return None
    return w.fault("wrong-sign", f"{w.subject} has the wrong sign in {count(w.entries)}.")


def constant_factor(w: Wrong) -> float | None:
    """The factor that the whole gradient is off by, if it is the same at other inputs too.

    (With few entries, any wrong number is some multiple of the right one.)
    """
    factor = _common_ratio(w, COMPARED)
    if factor is None or all(_holds_elsewhere(w, factor, which) for which in (0, 1)):
        return factor
    return None


def _holds_elsewhere(w: Wrong, factor: float, which: int) -> bool:
    there = w.case.elsewhere(which)
    pull = w.case.run(inputs=there)
    if not pull.gradients or pull.gradients[w.i] is None:
        return True  # nothing is learnt outside the domain
    upstreams = w.case.random(pull.outputs)
    given = np.asarray(pull.gradients[w.i], float)
    if w.case.surrogate:
        truth = w.case.truth_at(there, upstreams, w.i)
    else:
        direction = w.case.rng().uniform(0.5, 1.0, given.shape)
        truth = w.case.slope(there, {w.i: direction}).pull(upstreams, w.case.relative)
        given = np.array([np.sum(given * direction)])
    clear = truth.known & ~truth.kinked & np.isfinite(given)
    allowed = 2 * abs(factor) * truth.tolerance + 1e-3 * np.abs(given)
    return not (clear & (np.abs(given - factor * truth.value) > allowed)).any()


def _common_ratio(w: Wrong, names: tuple[str, ...]) -> float | None:
    """The one number that given / truth is in all entries, where the truth is not zero."""
    ratios = np.concatenate([_ratios(w, name) for name in names])
    if not ratios.size or not np.isfinite(ratios).all():
        return None
    factor = float(np.median(ratios))
    spread = np.abs(ratios - factor).max()
    if spread > _ALIKE * abs(factor) or spread > 0.1 * abs(factor - 1) or factor == 0:
        return None
    return -1.0 if abs(factor + 1) < 1e-4 else factor


def _ratios(w: Wrong, name: str) -> np.ndarray:
    """given / truth, entry by entry; nan among them if an entry that should be zero is not."""
    truth, given = w.truth(name), w.given(name)
    size = np.abs(truth.value)
    clear = truth.known & ~truth.kinked & np.isfinite(given)
    largest = np.max(size, initial=0.0, where=clear)
    usable = clear & (size > 30 * truth.tolerance) & (size > 1e-9 * largest)
    stray = truth.rejects(given) & clear & ~usable & (np.abs(given) > 1e-6 * largest)
    return np.append(given[usable] / truth.value[usable], [np.nan] if stray.any() else [])


def _times(factor: float) -> str:
    text = f"{factor:.6g} times what it should be".replace("-", "−")
    inverse = 1 / factor
    if inverse > 1.5 and abs(inverse - round(inverse)) < 1e-4 * inverse:
        text += f", a factor {round(inverse)} is missing"
    return text
