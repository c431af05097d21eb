"""PyTorch."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from course_lib.frameworks.packages import load
from course_lib.frameworks.protocol import (
    Adapter,
    BackwardStep,
    Recording,
    Watched,
    as_tuple,
    place_of,
)

torch = load("torch")
CustomNode = torch.autograd.function.BackwardCFunction


class TorchAdapter(Adapter):
    """PyTorch, with the functions of its own autograd."""

    name, label, suffix = "torch", "PyTorch", "torch"

    def tensor(self, array: Any) -> Any:
        return torch.from_numpy(np.array(array))

    def numpy(self, tensor: Any) -> np.ndarray:
        return np.array(tensor.numpy(force=True) if self.is_tensor(tensor) else tensor)

    def is_tensor(self, x: Any) -> bool:
        return isinstance(x, torch.Tensor)

    def watch(self, rule: Callable, *inputs: Any) -> Watched:
        recording = self._record(rule, self._leaves(inputs))
        steps: list[BackwardStep] = []
        nodes = list(_custom_nodes(recording.outputs))
        for node in nodes:
            # The engine asks the node itself for `apply`, so an attribute of the instance is used.
            node.apply = self._watched_backward(node, node.apply, recording.leaves, steps)
        return self._watched(recording, bool(nodes), steps)

    def _unrecorded(self) -> AbstractContextManager:
        return torch.no_grad()

    def _record(self, rule: Callable, leaves: list, twice: bool = False) -> Recording:
        wanted = [x.requires_grad_() for x in leaves if self.is_tensor(x)]
        with torch.enable_grad():
            outputs = self._outputs(rule, leaves)

        def gradients(ys: tuple, upstreams: tuple, lifted: bool = False) -> list:
            pairs = [
                (y, torch.tensor(u, dtype=y.dtype))
                for y, u in zip(ys, upstreams, strict=True)
                if self.is_tensor(y) and y.requires_grad
            ]
            if not pairs:  # nothing leads back
                return [None] * len(leaves)
            ys, us = zip(*pairs, strict=True)
            options = {"retain_graph": True, "create_graph": lifted, "allow_unused": True}
            found = iter(torch.autograd.grad(ys, wanted, us, **options))
            return [next(found) if self.is_tensor(x) else None for x in leaves]

        return Recording(leaves, outputs, gradients)

    def _watched_backward(
        self, node: Any, apply: Callable, leaves: list, steps: list[BackwardStep]
    ) -> Callable:
        positions = _positions(node, leaves)

        def watched(*upstreams: Any) -> Any:
            before = [(u, self.numpy(u)) for u in upstreams if u is not None]
            returned = apply(*upstreams)
            raw = tuple(self.numpy(g) if self.is_tensor(g) else g for g in as_tuple(returned))
            changed = any(not np.array_equal(self.numpy(u), b, equal_nan=True) for u, b in before)
            steps.append(BackwardStep(positions, raw, changed))
            return returned

        return watched


def _custom_nodes(outputs: tuple) -> Iterator[Any]:
    """The nodes of the graph that are somebody's own Function."""
    seen = set()
    waiting = [y.grad_fn for y in outputs if isinstance(y, torch.Tensor)]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        waiting += [parent for parent, _ in node.next_functions]
        if isinstance(node, CustomNode):
            yield node


def _positions(node: Any, leaves: list) -> tuple[int | None, ...]:
    """Which leaf each argument of a Function is. Only those that need a gradient have a parent."""
    parents = iter([parent for parent, _ in node.next_functions if parent is not None])
    variables = [
        getattr(next(parents), "variable", None) if needed else None
        for needed in node.needs_input_grad
    ]
    return tuple(None if v is None else place_of(v, leaves) for v in variables)


ADAPTER = TorchAdapter()
