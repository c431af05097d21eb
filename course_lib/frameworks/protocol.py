"""What every framework can do for the rest of the course, in NumPy arrays.

A rule is a function of the framework's own tensors. Of its inputs, the floating-point NumPy arrays
are differentiated; everything else (a number, a string, an array of indices) reaches the rule as it
is, and its gradient is None.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

Gradients = tuple[np.ndarray | None, ...]
Pullback = Callable[..., Gradients]


class Adapter(Protocol):
    """One framework."""

    name: str
    """``"tape"``, ``"tensorflow"`` or ``"torch"``."""
    label: str
    """Its name in a sentence: ``"the tape"``, ``"TensorFlow"``, ``"PyTorch"``."""
    suffix: str
    """How the names of its rules end: ``"tape"``, ``"tf"``, ``"torch"``."""

    def tensor(self, array: Any) -> Any:
        """A tensor of the framework with a copy of the array."""

    def numpy(self, tensor: Any) -> np.ndarray:
        """A copy of a tensor's values."""

    def is_tensor(self, x: Any) -> bool:
        """Whether x is a tensor of this framework."""

    def call(self, rule: Callable, *inputs: Any) -> tuple[np.ndarray, ...]:
        """The outputs of the rule, with nothing recorded."""

    def vjp(self, rule: Callable, *inputs: Any) -> tuple[tuple[np.ndarray, ...], Pullback]:
        """The outputs, and a function from upstream gradients (one an output) to gradients (one an
        input; None for constants and where the framework gave none). It can be called repeatedly.
        """

    def second_vjp(
        self, rule: Callable, inputs: tuple, upstreams: tuple, directions: tuple
    ) -> Gradients:
        """The gradients of ``sum_i <directions[i], gradient_i(upstreams)>`` for the inputs."""

    def watch(self, rule: Callable, *inputs: Any) -> "Watched":
        """Like `vjp`, but looking over the rule's shoulder."""


@dataclass(frozen=True)
class BackwardStep:
    """One run of a backward that somebody wrote, before the framework touches what it returned.

    PyTorch sums and casts it, TensorFlow takes whatever it is, the tape refuses it.

    Attributes
    ----------
    positions
        For each argument of the forward: which of the rule's inputs it is, None if it is another
        value.
    returned
        What the backward returned, tensors as NumPy arrays; always a tuple, `(None,)` for nothing.
    upstream_changed
        Whether it changed an upstream gradient in place.
    """

    positions: tuple[int | None, ...]
    returned: tuple[Any, ...]
    upstream_changed: bool


@dataclass
class Watched:
    """A rule that was run, and what its custom gradients do as its pullback is called.

    Attributes
    ----------
    outputs, pullback
        As from `Adapter.vjp`.
    custom
        Whether a custom gradient was recorded on the way from the inputs to the outputs.
    inputs_now
        Gives the inputs' present values: they differ from those given if the rule overwrote them.
    steps
        The custom backward steps of the pullback's latest call.
    """

    outputs: tuple[np.ndarray, ...]
    pullback: Pullback
    custom: bool
    inputs_now: Callable[[], tuple]
    steps: list[BackwardStep] = field(default_factory=list)


class BadOutput(TypeError):
    """A rule returned something that is neither a tensor nor a tuple of tensors."""


def is_differentiable(x: Any) -> bool:
    """Whether an input is differentiated (a floating-point array) or passed on as a constant."""
    return isinstance(x, np.ndarray) and x.dtype.kind in "fc"


def rule_name(rule: Callable) -> str:
    """What to call a rule in a sentence: for ``Square.apply``, ``Square``."""
    name = getattr(rule, "__name__", type(rule).__name__)
    owner = getattr(rule, "__self__", None)
    if name == "apply" and isinstance(owner, type):
        return owner.__name__
    return "the rule" if name == "<lambda>" else name


def as_outputs(result: Any, rule: Callable, label: str, is_tensor: Callable) -> tuple:
    """What a rule returned, as a tuple of tensors, arrays or numbers.

    Raises
    ------
    BadOutput
        If it is, or holds, anything else.
    """
    outputs = tuple(result) if isinstance(result, (tuple, list)) else (result,)
    for output in outputs or (None,):
        if is_tensor(output):
            continue
        if output is None:
            raise BadOutput(
                f"{rule_name(rule)} returned nothing where {label} expects an output. Does its"
                " forward end in `return`?"
            )
        if not isinstance(output, (np.ndarray, np.generic, int, float)):
            raise BadOutput(
                f"{rule_name(rule)} returned {describe(output)}. A rule returns a tensor of"
                f" {label}, or a tuple of them."
            )
    return outputs


def describe(x: Any) -> str:
    """A value in a few words, for a message."""
    text = repr(x)
    return f"a {type(x).__name__} ({text if len(text) <= 40 else text[:37] + '...'})"
