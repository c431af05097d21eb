"""What can be wrong with a rule: a code, what was seen, and what to do about it."""

from dataclasses import dataclass, replace
from typing import Any

HINTS = {
    "upstream-ignored": "Multiply the local derivative by the upstream gradient: the loss may be"
    " anything downstream, and the upstream gradient is how your rule hears of it.",
    "wrong-scale": "Look for a constant factor: one that is missing (the 2 of x², the 1/n of a"
    " mean) or one too many.",
    "wrong-sign": "Look for a lost or extra minus, as in d(x − y)/dy = −1 or d(cos x) = −sin x.",
    "wrong-arity": "Return one gradient for each argument of the forward, in the same order, and"
    " None for an argument that is not a tensor.",
    "wrong-shape": "A gradient has one entry for each entry of its input. Multiply elementwise by"
    " the upstream gradient and keep the input's shape.",
    "not-unbroadcast": "The input was stretched over the output, so each of its entries acts in"
    " several places: sum the gradient over the stretched axes.",
    "transposed": "For y = a @ b the gradients are u @ bᵀ and aᵀ @ u. Check which factor is"
    " transposed, and on which side it stands.",
    "inputs-swapped": "Return the gradients in the order of the forward's arguments.",
    "output-ignored": "Each output sends back its own upstream gradient. Add the contributions of"
    " all of them.",
    "overwrites": "An input that is used twice collects the sum of both gradients. Return a new"
    " array each time; never reuse a buffer or key a gradient by its input.",
    "nonlinear-upstream": "A gradient is linear in the upstream: twice the loss, twice the"
    " gradient. If you break this on purpose (clipping), say so: surrogate=... with the same"
    " formula.",
    "mutates-input": "Others still need this array. Compute a new one (y = x * 2, not x *= 2), or"
    " copy it first.",
    "mutates-upstream": "Other inputs may receive the same upstream gradient. Write g = g * 2, not"
    " g *= 2.",
    "missing-gradient": "Return a gradient for this input; check that the backward ends in"
    " `return`, and that nothing on the way was detached or turned into NumPy.",
    "stale-state": "Keep what one call remembers inside that call (a closure, or ctx), never in a"
    " global, a class attribute, a default argument or a cache.",
    "not-elementwise": "The upstream gradient is an array. Each output entry must pass back its own"
    " entry of it; do not average, sum or reorder it on the way.",
    "wrong-at-kink": "At a kink any value between the slopes on both sides will do, and nothing"
    " else.",
    "unstable": "Rewrite the formula so that no intermediate overflows or becomes 0/0, for instance"
    " with np.where on the *input* of the dangerous function, log1p, expm1 or a subtracted"
    " maximum.",
    "wrong-dtype": "Let the gradient have the dtype of its input: beware of constants with a dtype"
    " of their own, and of integer arrays.",
    "second-order": "Let the backward use the framework's own differentiable functions on inputs"
    " and outputs. Values computed in the forward and saved, and NumPy code, are constants to"
    " a second derivative.",
    "rule-not-run": "Call what the decorator (or register, or .apply) returned, not the plain"
    " forward. To be sure, multiply the backward by 7 for a moment: the result must change.",
    "rule-raises": "Run the rule by itself on these inputs, and follow the error to its line.",
    "wrong-values": "Derive the gradient again on paper for the entry above. If the rule differs"
    " from the derivative on purpose, say so: surrogate=... with what it means to give.",
}
"""Every code there is, with what to do about it."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes
    ----------
    code
        One of the keys of `HINTS`.
    message
        What was seen, in a sentence or two.
    hint
        What to do about it.
    input, output
        Which argument's gradient, and which output's contribution, counted from 0; None if it is
        not one of them.
    index
        The worst entry of that gradient.
    expected, actual
        The two numbers there; or the two shapes, dtypes or counts.
    upstream
        The name of the upstream gradient for which this was seen: "ones", "random", ...
    """

    code: str
    message: str
    hint: str = ""
    input: int | None = None
    output: int | None = None
    index: tuple[int, ...] | None = None
    expected: Any = None
    actual: Any = None
    upstream: str = ""

    def __post_init__(self) -> None:
        if not self.hint:
            object.__setattr__(self, "hint", HINTS[self.code])

    def at(self, **where: Any) -> "Fault":
        return replace(self, **where)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
