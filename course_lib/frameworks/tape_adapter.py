"""The tape."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any

import numpy as np

from course_lib.frameworks.protocol import (
    Adapter,
    BackwardStep,
    Recording,
    Watched,
    as_tuple,
    place_of,
)
from course_lib.tape import Variable, grad, no_grad
from course_lib.tape.custom import Rule


class TapeAdapter(Adapter):
    """The tape, whose backward steps are watched where its nodes keep them."""

    name, label, suffix = "tape", "the tape", "tape"

    def tensor(self, array: Any) -> Variable:
        return Variable(array)

    def numpy(self, tensor: Any) -> np.ndarray:
        return np.array(tensor.value if self.is_tensor(tensor) else tensor)

    def is_tensor(self, x: Any) -> bool:
        return isinstance(x, Variable)

    def watch(self, rule: Callable, *inputs: Any) -> Watched:
        leaves = self._leaves(inputs)
        _thaw(leaves)
        recording = self._record(rule, leaves)
        steps: list[BackwardStep] = []
        nodes = list(_custom_nodes(recording.outputs))
        for node in nodes:
            grad_fn, *rest = node.params
            positions = tuple(place_of(x, leaves) for x in node.inputs)
            node.params = (_watched_backward(grad_fn, positions, leaves, steps), *rest)
        return self._watched(recording, bool(nodes), steps)

    def _unrecorded(self) -> AbstractContextManager:
        return no_grad()

    def _record(self, rule: Callable, leaves: list, twice: bool = False) -> Recording:
        outputs = self._outputs(rule, leaves)
        wanted = tuple(x for x in leaves if self.is_tensor(x))

        def gradients(ys: tuple, upstreams: tuple, lifted: bool = False) -> list:
            pairs = [
                (y, np.array(u, y.dtype))
                for y, u in zip(ys, upstreams, strict=True)
                if self.is_tensor(y) and y.node is not None
            ]
            if not pairs:  # nothing leads back
                return [None] * len(leaves)
            ys, us = zip(*pairs, strict=True)
            found = iter(grad(ys, wanted, us, create_graph=lifted))
            return [next(found) if self.is_tensor(x) else None for x in leaves]

        return Recording(leaves, outputs, gradients)


def _watched_backward(
    grad_fn: Callable, positions: tuple, leaves: list, steps: list[BackwardStep]
) -> Callable:
    """The same backward, which is noted, and may change what the tape would have frozen."""
    remembered = getattr(grad_fn, "__closure__", None) or ()

    def watched(*upstreams: np.ndarray) -> Any:
        _thaw(leaves, remembered)
        given = [u.copy() for u in upstreams]
        returned = grad_fn(*given)
        changed = any(
            not np.array_equal(g, u, equal_nan=True) for g, u in zip(given, upstreams, strict=True)
        )
        steps.append(BackwardStep(positions, as_tuple(returned), changed))
        return returned

    return watched


def _thaw(leaves: list, remembered: tuple = ()) -> None:
    """Let a rule overwrite its inputs and what it saved: to be seen doing what the tape forbids."""
    for x in leaves:
        if isinstance(x, Variable):
            x.value.flags.writeable = True
    for cell in remembered:
        with suppress(ValueError):  # a name not bound yet, or an array that belongs to another
            if isinstance(cell.cell_contents, np.ndarray):
                cell.cell_contents.flags.writeable = True


def _custom_nodes(outputs: tuple) -> Iterator[Variable]:
    """The nodes of the tape that have a backward of somebody's own."""
    seen = set()
    waiting = list(outputs)
    while waiting:
        node = getattr(waiting.pop(), "node", None)
        if node is None or node.moment in seen:
            continue
        seen.add(node.moment)
        waiting += node.inputs
        if isinstance(node.op, Rule):
            yield node


ADAPTER = TapeAdapter()
