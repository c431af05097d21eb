"""What every framework can do for the rest of the course, in NumPy arrays.

A rule is a function of the framework's own tensors. Of its inputs, the floating-point NumPy arrays
are differentiated; everything else (a number, a string, an array of indices) reaches the rule as it
is, and its gradient is None.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_lib.frameworks.rules import as_outputs, is_differentiable

Gradients = tuple[np.ndarray | None, ...]
Pullback = Callable[..., Gradients]


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


@dataclass(frozen=True)
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
    steps: list[BackwardStep]


@dataclass(frozen=True)
class Recording:
    """A rule that was run: its leaves (tensors and constants) and its outputs, and the way back.

    ``gradients(outputs, upstreams, lifted=False)`` gives one tensor, array or None a leaf; `lifted`
    ones can be differentiated again.
    """

    leaves: list
    outputs: tuple
    gradients: Callable[..., list]


class Adapter(ABC):
    """One framework.

    Attributes
    ----------
    name
        ``"tape"``, ``"tensorflow"`` or ``"torch"``.
    label
        Its name in a sentence: ``"the tape"``, ``"TensorFlow"``, ``"PyTorch"``.
    suffix
        How the names of its rules end: ``"tape"``, ``"tf"``, ``"torch"``.
    """

    name: str
    label: str
    suffix: str

    @abstractmethod
    def tensor(self, array: Any) -> Any:
        """A tensor of the framework with a copy of the array."""

    @abstractmethod
    def numpy(self, tensor: Any) -> np.ndarray:
        """A copy of a tensor's values."""

    @abstractmethod
    def is_tensor(self, x: Any) -> bool:
        """Whether x is a tensor of this framework."""

    def call(self, rule: Callable, *inputs: Any) -> tuple[np.ndarray, ...]:
        """The outputs of the rule, with nothing recorded."""
        with self._unrecorded():
            return tuple(map(self.numpy, self._outputs(rule, self._leaves(inputs))))

    def vjp(self, rule: Callable, *inputs: Any) -> tuple[tuple[np.ndarray, ...], Pullback]:
        """The outputs, and the function that carries upstream gradients back to the inputs.

        ``pullback(*upstreams)`` takes one array an output and gives one gradient an input: None for
        constants, and where the framework gave none. It can be called again and again.
        """
        recording = self._record(rule, self._leaves(inputs))
        return tuple(map(self.numpy, recording.outputs)), self._pullback(recording)

    def second_vjp(
        self, rule: Callable, inputs: tuple, upstreams: tuple, directions: tuple
    ) -> Gradients:
        """The gradients of ``sum_i <directions[i], gradient_i(upstreams)>`` for the inputs."""
        recording = self._record(rule, self._leaves(inputs), twice=True)
        firsts = recording.gradients(recording.outputs, upstreams, lifted=True)
        pairs = [(g, d) for g, d in zip(firsts, directions, strict=True) if g is not None]
        seconds = recording.gradients([g for g, _ in pairs], [d for _, d in pairs])
        return tuple(None if g is None else self.numpy(g) for g in seconds)

    @abstractmethod
    def watch(self, rule: Callable, *inputs: Any) -> Watched:
        """Like `vjp`, but looking over the rule's shoulder."""

    # -- what the frameworks share --------------------------------------------------------------

    @abstractmethod
    def _record(self, rule: Callable, leaves: list, twice: bool = False) -> Recording:
        """Run the rule so that it can be differentiated, `twice` if asked."""

    @abstractmethod
    def _unrecorded(self) -> AbstractContextManager:
        """A context in which nothing is recorded."""

    def _leaves(self, inputs: tuple) -> list:
        return [self.tensor(x) if is_differentiable(x) else x for x in inputs]

    def _outputs(self, rule: Callable, leaves: list) -> tuple:
        return as_outputs(rule(*leaves), rule, self.label, self.is_tensor)

    def _pullback(self, recording: Recording) -> Pullback:
        def pullback(*upstreams: np.ndarray) -> Gradients:
            gradients = recording.gradients(recording.outputs, upstreams)
            return tuple(None if g is None else self.numpy(g) for g in gradients)

        return pullback

    def _watched(self, recording: Recording, custom: bool, steps: list[BackwardStep]) -> Watched:
        pull = self._pullback(recording)

        def pullback(*upstreams: np.ndarray) -> Gradients:
            steps.clear()
            return pull(*upstreams)

        def inputs_now() -> tuple:
            return tuple(self.numpy(x) if self.is_tensor(x) else x for x in recording.leaves)

        outputs = tuple(map(self.numpy, recording.outputs))
        return Watched(outputs, pullback, custom, inputs_now, steps)


def place_of(x: Any, leaves: list) -> int | None:
    """Which of the leaves x is, None if it is another value."""
    return next((i for i, leaf in enumerate(leaves) if leaf is x), None)


def as_tuple(x: Any) -> tuple:
    """One or several things, as a tuple."""
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)
