"""Would the gradient be right if a matrix on the way were transposed?"""

from itertools import combinations, product

import numpy as np

from course_lib.gradcheck.case import Case
from course_lib.gradcheck.faults import Fault
from course_lib.gradcheck.wrong import Wrong

_SMALL_ENOUGH = 2500
_PROBES = ("random", "another")


def is_transposed(w: Wrong) -> Fault | None:
    """The gradient is the truth for some inputs, the upstream or the result transposed.

    For y = a @ b, ``u @ b`` in the place of ``u @ b.T`` is the right gradient for b transposed.
    """
    case, x = w.case, w.case.exact[w.i]
    if x.ndim < 2 or x.size > _SMALL_ENOUGH:
        return None
    matrices = [j for j in case.places if _is_square(case.exact[j])]
    upstream_turns = all(_is_square(y) for y in case.outputs if y.ndim >= 2)
    for turned in [(), *combinations(matrices, 1), *combinations(matrices, 2)]:
        inputs = tuple(_turn(a) if j in turned else a for j, a in enumerate(case.exact))
        if turned and not _same_outputs(case, inputs):
            continue
        truth = case.truths(inputs if turned else case.exact, w.i)
        for upstream, result in product([False, True], repeat=2):
            if (upstream and not upstream_turns) or (result and not _is_square(x)):
                continue
            if not (turned or upstream or result):
                continue
            if all(_fits(w, truth, name, upstream, result) for name in _PROBES):
                what = [case.argument(j) for j in turned]
                what += ["the upstream gradient"] * upstream + ["the result"] * result
                text = f"{w.subject} would be right with {' and '.join(what)} transposed."
                return w.fault("transposed", text)
    return None


def _fits(w: Wrong, truth, name: str, upstream: bool, result: bool) -> bool:
    us = w.case.upstreams[name]
    if upstream:
        us = tuple(_turn(u) if u.ndim >= 2 else u for u in us)
    given = w.given(name)
    return not truth(us).rejects(_turn(given) if result else given).any()


def _same_outputs(case: Case, inputs: tuple) -> bool:
    outputs = case.run(inputs=inputs).outputs
    return [y.shape for y in outputs] == [y.shape for y in case.outputs]


def _turn(x: np.ndarray) -> np.ndarray:
    return np.swapaxes(x, -1, -2)


def _is_square(x: np.ndarray) -> bool:
    return x.ndim >= 2 and x.shape[-1] == x.shape[-2]
