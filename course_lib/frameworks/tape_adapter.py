"""The tape."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from course_lib.frameworks.protocol import (
    BackwardStep,
    Gradients,
    Pullback,
    Watched,
    as_outputs,
    is_differentiable,
)
from course_lib.tape import Node, Variable, grad, no_grad


class TapeAdapter:
    name, label, suffix = "tape", "the tape", "tape"

    def tensor(self, array: Any) -> Variable:
        return Variable(array)

    def numpy(self, tensor: Any) -> np.ndarray:
        return np.array(tensor.value if self.is_tensor(tensor) else tensor)

    def is_tensor(self, x: Any) -> bool:
        return isinstance(x, Variable)

    def call(self, rule: Callable, *inputs: Any) -> tuple[np.ndarray, ...]:
        with no_grad():
            variables = [Variable(x) if is_differentiable(x) else x for x in inputs]
            outputs = as_outputs(rule(*variables), rule, self.label, self.is_tensor)
        return tuple(map(self.numpy, outputs))

    def vjp(self, rule: Callable, *inputs: Any) -> tuple[tuple[np.ndarray, ...], Pullback]:
        leaves, outputs = self._record(rule, inputs)
        return tuple(map(self.numpy, outputs)), self._pullback(leaves, outputs)

    def second_vjp(
        self, rule: Callable, inputs: tuple, upstreams: tuple, directions: tuple
    ) -> Gradients:
        leaves, outputs = self._record(rule, inputs)
        firsts = self._gradients(leaves, outputs, upstreams, create_graph=True)
        pairs = [(g, d) for g, d in zip(firsts, directions, strict=True) if g is not None]
        seconds = self._gradients(leaves, [g for g, _ in pairs], [d for _, d in pairs])
        return tuple(None if g is None else self.numpy(g) for g in seconds)

    def watch(self, rule: Callable, *inputs: Any) -> Watched:
        # The tape would stop a rule that overwrites its input. Here it may, to be seen doing it.
        leaves, outputs = self._record(rule, inputs, writeable=True)
        pull, steps = self._pullback(leaves, outputs), []
        nodes = list(_custom_nodes(outputs))
        for node in nodes:
            node.params["grad_fn"] = self._watched(node, leaves, steps)

        def pullback(*upstreams: np.ndarray) -> Gradients:
            steps.clear()
            _thaw(leaves)
            return pull(*upstreams)

        def inputs_now() -> tuple:
            return tuple(self.numpy(x) if self.is_tensor(x) else x for x in leaves)

        values = tuple(map(self.numpy, outputs))
        return Watched(values, pullback, bool(nodes), inputs_now, steps)

    def _record(self, rule: Callable, inputs: tuple, writeable: bool = False) -> tuple[list, tuple]:
        leaves = [Variable(x) if is_differentiable(x) else x for x in inputs]
        if writeable:
            _thaw(leaves)
        return leaves, as_outputs(rule(*leaves), rule, self.label, self.is_tensor)

    def _pullback(self, leaves: list, outputs: tuple) -> Pullback:
        def pullback(*upstreams: np.ndarray) -> Gradients:
            gradients = self._gradients(leaves, outputs, upstreams)
            return tuple(None if g is None else np.array(g) for g in gradients)

        return pullback

    def _gradients(
        self, leaves: list, outputs: Any, upstreams: Any, create_graph: bool = False
    ) -> list:
        """One gradient a leaf, None for constants; outputs without a history are left out."""
        pairs = [
            (y, np.array(u, y.dtype))
            for y, u in zip(outputs, upstreams, strict=True)
            if self.is_tensor(y) and y.node is not None
        ]
        places = [i for i, x in enumerate(leaves) if self.is_tensor(x)]
        if not pairs:
            return [None] * len(leaves)
        ys, us = zip(*pairs, strict=True)
        found = grad(ys, tuple(leaves[i] for i in places), us, create_graph=create_graph)
        by_place = dict(zip(places, found, strict=True))
        return [by_place.get(i) for i in range(len(leaves))]

    def _watched(self, node: Node, leaves: list, steps: list) -> Callable:
        grad_fn = node.params["grad_fn"]
        positions = tuple(_position(x, leaves) for x in node.inputs)

        def watched(*upstreams: np.ndarray) -> Any:
            given = [u.copy() for u in upstreams]
            returned = grad_fn(*given)
            raw = tuple(returned) if isinstance(returned, (tuple, list)) else (returned,)
            changed = any(
                not np.array_equal(g, u, equal_nan=True)
                for g, u in zip(given, upstreams, strict=True)
            )
            steps.append(BackwardStep(positions, raw, changed))
            return returned

        return watched


def _thaw(leaves: list) -> None:
    for x in leaves:
        if isinstance(x, Variable):
            x.value.flags.writeable = True


def _custom_nodes(outputs: tuple) -> Iterator[Node]:
    """The nodes of the tape that have a backward of somebody's own."""
    seen = set()
    waiting = [y.node for y in outputs if isinstance(y, Variable) and y.node is not None]
    while waiting:
        node = waiting.pop()
        if node.moment in seen:
            continue
        seen.add(node.moment)
        waiting.extend(
            x.node for x in node.inputs if isinstance(x, Variable) and x.node is not None
        )
        if "grad_fn" in node.params:
            yield node


def _position(x: Any, leaves: list) -> int | None:
    found = [i for i, leaf in enumerate(leaves) if leaf is x]
    return found[0] if found else None


ADAPTER = TapeAdapter()
