"""PyTorch."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from course_lib.frameworks.packages import load
from course_lib.frameworks.protocol import (
    BackwardStep,
    Gradients,
    Pullback,
    Watched,
    as_outputs,
    is_differentiable,
)

torch = load("torch")
CustomNode = torch.autograd.function.BackwardCFunction


class TorchAdapter:
    name, label, suffix = "torch", "PyTorch", "torch"

    def tensor(self, array: Any) -> Any:
        return torch.from_numpy(np.array(array))

    def numpy(self, tensor: Any) -> np.ndarray:
        return np.array(tensor.detach().resolve_conj() if self.is_tensor(tensor) else tensor)

    def is_tensor(self, x: Any) -> bool:
        return isinstance(x, torch.Tensor)

    def call(self, rule: Callable, *inputs: Any) -> tuple[np.ndarray, ...]:
        with torch.no_grad():
            tensors = [self.tensor(x) if is_differentiable(x) else x for x in inputs]
            outputs = as_outputs(rule(*tensors), rule, self.label, self.is_tensor)
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
        leaves, outputs = self._record(rule, inputs)
        pull, steps = self._pullback(leaves, outputs), []
        nodes = list(_custom_nodes(outputs))
        for node in nodes:
            # The engine asks the node itself for `apply`, so an attribute of the instance is used.
            node.apply = self._watched(node, node.apply, leaves, steps)

        def pullback(*upstreams: np.ndarray) -> Gradients:
            steps.clear()
            return pull(*upstreams)

        def inputs_now() -> tuple:
            return tuple(
                self.numpy(x) if is_differentiable(y) else y
                for x, y in zip(leaves, inputs, strict=True)
            )

        values = tuple(map(self.numpy, outputs))
        return Watched(values, pullback, bool(nodes), inputs_now, steps)

    def _record(self, rule: Callable, inputs: tuple) -> tuple[list, tuple]:
        leaves = [self.tensor(x).requires_grad_() if is_differentiable(x) else x for x in inputs]
        with torch.enable_grad():
            return leaves, as_outputs(rule(*leaves), rule, self.label, self.is_tensor)

    def _pullback(self, leaves: list, outputs: tuple) -> Pullback:
        def pullback(*upstreams: np.ndarray) -> Gradients:
            gradients = self._gradients(leaves, outputs, upstreams)
            return tuple(None if g is None else self.numpy(g) for g in gradients)

        return pullback

    def _gradients(
        self, leaves: list, outputs: Any, upstreams: Any, create_graph: bool = False
    ) -> list:
        """One gradient a leaf, None where there is none; outputs without a history are left out."""
        pairs = [
            (y, self.tensor(np.asarray(u, self.numpy(y).dtype)))
            for y, u in zip(outputs, upstreams, strict=True)
            if self.is_tensor(y) and y.requires_grad
        ]
        wanted = [x for x in leaves if self.is_tensor(x) and x.requires_grad]
        if not pairs:
            return [None] * len(leaves)
        found = torch.autograd.grad(
            [y for y, _ in pairs],
            wanted,
            [u for _, u in pairs],
            retain_graph=True,
            create_graph=create_graph,
            allow_unused=True,
        )
        by_leaf = {id(x): g for x, g in zip(wanted, found, strict=True)}
        return [by_leaf.get(id(x)) for x in leaves]

    def _watched(self, node: Any, apply: Callable, leaves: list, steps: list) -> Callable:
        positions = _positions(node, leaves)

        def watched(*upstreams: Any) -> Any:
            before = [None if u is None else u.detach().clone() for u in upstreams]
            returned = apply(*upstreams)
            raw = returned if isinstance(returned, tuple) else (returned,)
            steps.append(
                BackwardStep(
                    positions,
                    tuple(self.numpy(g) if self.is_tensor(g) else g for g in raw),
                    any(_differ(u, b) for u, b in zip(upstreams, before, strict=True)),
                )
            )
            return returned

        return watched


def _custom_nodes(outputs: tuple) -> Iterator[Any]:
    """The nodes of the graph that are somebody's own Function."""
    seen: set = set()
    waiting = [y.grad_fn for y in outputs if isinstance(y, torch.Tensor) and y.grad_fn is not None]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        waiting.extend(parent for parent, _ in node.next_functions if parent is not None)
        if isinstance(node, CustomNode):
            yield node


def _positions(node: Any, leaves: list) -> tuple[int | None, ...]:
    """Which leaf each argument of a Function is. Only those that need a gradient have a parent."""
    parents = iter([parent for parent, _ in node.next_functions if parent is not None])
    positions: list[int | None] = []
    for needed in node.needs_input_grad:
        variable = getattr(next(parents), "variable", None) if needed else None
        found = [i for i, leaf in enumerate(leaves) if leaf is variable] if needed else []
        positions.append(found[0] if found else None)
    return tuple(positions)


def _differ(a: Any, b: Any) -> bool:
    return a is not None and not torch.equal(torch.nan_to_num(a), torch.nan_to_num(b))


ADAPTER = TorchAdapter()
