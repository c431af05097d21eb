"""A rule on trial: it can be run in every way that a question about it asks for.

Nothing here judges. What is measured is remembered where several questions share it.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from course_lib.frameworks import Adapter, BackwardStep, is_differentiable, rule_name
from course_lib.gradcheck.numeric import Jacobian, Truth, along

Upstreams = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Pull:
    """What came of running a rule and its backward once.

    `gradients` has an array or None for each input; it is empty if something raised `error`, in the
    forward if `outputs` is empty too.
    """

    outputs: tuple[np.ndarray, ...] = ()
    gradients: tuple[np.ndarray | None, ...] = ()
    error: Exception | None = None
    custom: bool = False
    steps: list[BackwardStep] = field(default_factory=list)
    overwritten: tuple[int, ...] = ()


class Case:
    """A rule with its inputs, in one framework.

    Attributes
    ----------
    inputs
        As given.
    exact
        The same in float64, if the rule takes that: values are compared there, where rounding
        excuses nothing.
    places
        Which of the inputs are differentiated.
    relative
        How far a right rule may be off, relative to what it adds up.
    """

    def __init__(
        self, rule: Callable, inputs: tuple, adapter: Adapter, surrogate: Callable | None, seed: int
    ) -> None:
        self.rule, self.inputs, self.adapter, self.surrogate = rule, inputs, adapter, surrogate
        self.places = [i for i, x in enumerate(inputs) if is_differentiable(x)]
        self.name = rule_name(rule)
        self._seed = seed
        self._quick = True
        self._pulls: dict[str, Pull] = {}
        self._jacobians: dict[int, Jacobian] = {}

    # -- running it ------------------------------------------------------------------------------

    @cached_property
    def first(self) -> Pull:
        """The very first run, on the inputs as given, with a random upstream gradient."""
        return self._run(self.rule, self.inputs, None)

    @cached_property
    def again(self) -> Pull:
        """The second run, the same in every way."""
        return self._run(self.rule, self.inputs, None)

    @cached_property
    def exact(self) -> tuple:
        """The inputs in float64, or as they are if the rule does not take that."""
        wide = tuple(x.astype(float) if is_differentiable(x) else x for x in self.inputs)
        if all(w is x or w.dtype == x.dtype for w, x in self._pairs(wide)):
            return self.inputs
        pull = self._run(self.rule, wide, None)
        right = pull.error is None and all(y.dtype != np.float32 for y in pull.outputs)
        return wide if right else self.inputs

    @cached_property
    def relative(self) -> float:
        eps = max(np.finfo(self.exact[i].dtype).eps for i in self.places)
        return 1e-5 if eps < 1e-12 else min(0.5, 1e4 * float(eps))

    def run(
        self, upstreams: Upstreams | None = None, inputs: tuple | None = None, rule: Any = None
    ) -> Pull:
        """Run the rule and its backward afresh; random upstream gradients if none are given."""
        return self._run(rule or self.rule, self.exact if inputs is None else inputs, upstreams)

    def _run(self, rule: Callable, inputs: tuple, upstreams: Upstreams | None) -> Pull:
        try:
            watched = self.adapter.watch(rule, *inputs)
        except Exception as error:
            return Pull(error=error)
        outputs, custom = watched.outputs, watched.custom
        given = self.random(outputs) if upstreams is None else upstreams
        gradients: tuple[np.ndarray | None, ...] = ()
        raised: Exception | None = None
        try:
            gradients = watched.pullback(*given)
        except Exception as error:
            raised = error
        now = watched.inputs_now()
        overwritten = tuple(i for i in self.places if not _identical(now[i], inputs[i]))
        return Pull(outputs, gradients, raised, custom, list(watched.steps), overwritten)

    def random(self, outputs: tuple, which: int = 0) -> Upstreams:
        """Upstream gradients between 0.5 and 1.5 in size, of both signs."""
        rng = np.random.default_rng([self._seed, which])
        return tuple(
            rng.uniform(0.5, 1.5, y.shape) * rng.choice([-1.0, 1.0], y.shape) for y in outputs
        )

    # -- upstream gradients to try ---------------------------------------------------------------

    @cached_property
    def outputs(self) -> tuple[np.ndarray, ...]:
        return self.pull("random").outputs

    @cached_property
    def upstreams(self) -> dict[str, Upstreams]:
        """The upstream gradients to try, by name."""
        first, second = self.random(self.first.outputs), self.random(self.first.outputs, 1)
        ones = tuple(np.ones(u.shape) for u in first)
        several = {
            f"output {k}": tuple(u if i == k else 0 * u for i, u in enumerate(first))
            for k in range(len(first))
        }
        return {
            "random": first,
            "another": second,
            "ones": ones,
            "zeros": tuple(0 * u for u in first),
            "minus": tuple(-u for u in first),
            "twice": tuple(2 * u for u in first),
            "thousandfold": tuple(1000 * u for u in first),
            "sum": tuple(u + v for u, v in zip(first, second, strict=True)),
        } | (several if len(first) > 1 else {})

    def pull(self, name: str) -> Pull:
        """What comes back for one of these."""
        if name not in self._pulls:
            as_first = name == "random" and self.exact is self.inputs
            self._pulls[name] = self.first if as_first else self.run(self.upstreams[name])
        return self._pulls[name]

    def gradient(self, name: str, i: int) -> np.ndarray:
        """The gradient for input i, zeros where there is none."""
        gradients = self.pull(name).gradients
        found = gradients[i] if gradients else None
        return np.zeros(np.shape(self.exact[i])) if found is None else np.asarray(found, float)

    # -- what it should be -----------------------------------------------------------------------

    def truth(self, name: str, i: int) -> Truth:
        """What the gradient for input i should be, for one of these upstream gradients."""
        return self.truth_at(self.exact, self.upstreams[name], i)

    def truth_at(self, inputs: tuple, upstreams: Upstreams, i: int) -> Truth:
        """The same for other inputs, or another upstream gradient."""
        return self.truths(inputs, i)(upstreams)

    def truths(self, inputs: tuple, i: int) -> Callable[[Upstreams], Truth]:
        """The same for any upstream gradient: what is measured is measured once."""
        if self.surrogate:
            precision = 0.1 * self.relative
            return lambda us: Truth.exactly(self.declared(inputs, us)[i], precision)
        derivative = self.derivative(inputs, i)
        return lambda us: derivative.pull(us, self.relative)

    def derivative(self, inputs: tuple, i: int) -> Jacobian:
        """The numeric derivatives of the rule's forward for input i."""
        if inputs is not self.exact:
            return self._jacobian(inputs, i)
        if i not in self._jacobians:
            self._jacobians[i] = self._jacobian(inputs, i)
        return self._jacobians[i]

    def _jacobian(self, inputs: tuple, i: int) -> Jacobian:
        arrays = [inputs[j] for j in self.places]
        return Jacobian(self.forward, arrays, self.places.index(i), self.rng(), self._quick)

    def look_closer(self) -> bool:
        """From now on measure with the utmost care; whether that is more than before."""
        closer = self._quick and any(not j.elementwise for j in self._jacobians.values())
        self._quick = False
        if closer:
            self._jacobians.clear()
        return closer

    def slope(self, inputs: tuple, directions: dict[int, np.ndarray]) -> Jacobian:
        """The numeric derivative of all outputs along a direction through the inputs."""
        arrays = [inputs[j] for j in self.places]
        ways = [directions.get(j, np.zeros_like(inputs[j])) for j in self.places]
        return along(self.forward, arrays, ways, self.rng())

    def forward(self, arrays: Any) -> tuple[np.ndarray, ...]:
        """The outputs, as a function of the differentiable inputs alone."""
        inputs = list(self.inputs)
        for i, x in zip(self.places, arrays, strict=True):
            inputs[i] = x
        return self.adapter.call(self.rule, *inputs)

    def declared(self, inputs: tuple, upstreams: Upstreams) -> tuple:
        """The surrogate's gradients, one an input (None for constants).

        Raises
        ------
        ValueError
            If the surrogate does not return one array for each array, of its shape.
        """
        assert self.surrogate, "there is nothing that the rule declares"
        returned = self.surrogate(*upstreams, *inputs)
        given = tuple(returned) if isinstance(returned, (tuple, list)) else (returned,)
        if len(given) == len(self.places):
            by_place = dict(zip(self.places, given, strict=True))
        elif len(given) == len(inputs):
            by_place = dict(enumerate(given))
        else:
            raise ValueError(
                f"The surrogate returned {len(given)} gradients, but the rule has"
                f" {len(self.places)} array inputs. Return one for each, in their order."
            )
        for i in self.places:
            by_place[i] = (
                np.zeros(inputs[i].shape) if by_place[i] is None else np.asarray(by_place[i])
            )
            if by_place[i].shape != inputs[i].shape:
                raise ValueError(
                    f"The surrogate's gradient for input {i} has shape {by_place[i].shape}, but the"
                    f" input has shape {inputs[i].shape}. Return one entry for each of its entries."
                )
        return tuple(by_place[i] if i in self.places else None for i in range(len(inputs)))

    # -- small things ----------------------------------------------------------------------------

    def rng(self) -> np.random.Generator:
        return np.random.default_rng([self._seed, 7])

    def elsewhere(self, which: int = 0) -> tuple:
        """Other inputs nearby, a little closer to zero so that they stay in the rule's domain."""
        rng = np.random.default_rng([self._seed, 100 + which])
        moved = list(self.exact)
        for i in self.places:
            x = self.exact[i]
            size = np.abs(x[x != 0]).mean() if np.any(x) else 1.0
            factor, shift = rng.uniform(0.8, 0.98, x.shape), rng.uniform(0.02, 0.05, x.shape) * size
            moved[i] = np.where(x == 0, shift, x * factor).astype(x.dtype)
        return tuple(moved)

    def same(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Where two gradients of the same rule are equal up to rounding."""
        size = np.maximum(np.abs(a), np.abs(b))
        near = 0.1 * self.relative * (size + 1e-3 * _largest(size))
        both_nan = np.isnan(a) & np.isnan(b)
        return (np.abs(a - b) <= near) | (a == b) | both_nan

    def argument(self, i: int) -> str:
        """What to call input i in a sentence."""
        names = argument_names(self.rule)
        return f"{names[i]} (input {i})" if i < len(names) else f"input {i}"

    def _pairs(self, others: tuple) -> list[tuple]:
        return [(others[i], self.inputs[i]) for i in self.places]


def argument_names(rule: Callable) -> list[str]:
    """The names of a rule's arguments, none if they cannot be known."""
    owner = getattr(rule, "__self__", None)
    source = getattr(owner, "forward", rule) if isinstance(owner, type) else rule
    try:
        parameters = list(inspect.signature(source).parameters.values())
    except (TypeError, ValueError):
        return []
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return []
    names = [p.name for p in parameters]
    return names[1:] if source is not rule and names[:1] == ["ctx"] else names


def _identical(a: Any, b: Any) -> bool:
    return np.array_equal(a, b, equal_nan=True)


def _largest(size: np.ndarray) -> float:
    return float(np.max(size, initial=0.0, where=np.isfinite(size)))
