"""A rule in one framework, as NumPy sees it: its value, and the gradient that it claims."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from course_lib import frameworks
from course_lib.widgets.at_once import at_once


@dataclass(frozen=True)
class Dialect:
    """An elementwise rule with its framework's adapter.

    Attributes
    ----------
    rule
        Called as ``rule(x, **params)`` with the framework's own tensor.
    adapter
        The way in and out of the framework.
    """

    rule: Callable
    adapter: frameworks.Adapter

    @property
    def name(self) -> str:
        return self.adapter.name

    @property
    def label(self) -> str:
        return self.adapter.label

    @property
    def called(self) -> str:
        """The rule's own name, without the ending that says its framework."""
        name = getattr(self.rule, "__name__", "f")
        return "f" if name == "<lambda>" else name.removesuffix(f"_{self.adapter.suffix}")

    def value(self, x: np.ndarray, params: Mapping[str, float]) -> np.ndarray:
        """The rule's value at each point of `x`, shape ``(n,)``."""
        rule = self._bound(params)
        return self._one(at_once(lambda at: self.adapter.call(rule, at), x), x)

    def value_and_gradient(self, x: np.ndarray, params: Mapping[str, float]) -> np.ndarray:
        """Value and gradient at each point, shape ``(2, n)``, in one backward pass.

        The rule is elementwise, so the gradient of the sum has every point's own derivative.
        """
        rule = self._bound(params)
        outputs, pullback = at_once(lambda at: self.adapter.vjp(rule, at), x)
        value = self._one(outputs, x)
        (gradient,) = pullback(np.ones_like(value))
        if gradient is None:
            gradient = np.full(x.shape, np.nan)
        return np.array([value, gradient], dtype=float)

    def _bound(self, params: Mapping[str, float]):
        return lambda x: self.rule(x, **params)

    def _one(self, outputs: tuple[np.ndarray, ...], x: np.ndarray) -> np.ndarray:
        shapes = [np.shape(output) for output in outputs]
        if shapes != [x.shape]:
            raise ValueError(
                f"The rule of {self.label} gave outputs of shapes {shapes} for an x of shape "
                f"{x.shape}; a pair of curves needs one output of the shape of x. Wrap the rule in "
                "a function that picks one output, or evaluates one element."
            )
        return outputs[0]


def dialects(rules: object) -> tuple[list[Dialect], list[str]]:
    """The rules whose framework is here, and the labels of the frameworks that are missing.

    `rules` is a dict from a framework's name to its rule, or a single rule of the tape. A false
    rule is left out: that is what a notebook holds where the framework is missing.
    """
    named = rules if isinstance(rules, Mapping) else {"tape": rules}
    here, missing = [], []
    for name, rule in named.items():
        try:
            adapter = frameworks.get(name)
        except frameworks.FrameworkMissing:
            missing.append(frameworks.LABELS[name])
            continue
        if callable(rule):
            here.append(Dialect(rule, adapter))
        elif rule:
            raise TypeError(
                f"The rule of {adapter.label} is {rule!r}; expected a function of a tensor."
            )
    if not here:
        raise ValueError(
            f"None of the rules can be drawn: {list(named)} were given. Give at least one rule "
            'whose framework is installed, for instance {"tape": square_tape}.'
        )
    return here, missing
