"""TensorFlow."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

tf = load("tensorflow")
from tensorflow.python.eager import record  # noqa: E402  the only way to see what is recorded
from tensorflow.python.ops import custom_gradient as custom_gradients  # noqa: E402


class TensorFlowAdapter:
    name, label, suffix = "tensorflow", "TensorFlow", "tf"

    def tensor(self, array: Any) -> Any:
        return tf.constant(np.array(array))

    def numpy(self, tensor: Any) -> np.ndarray:
        return np.array(tensor)

    def is_tensor(self, x: Any) -> bool:
        return tf.is_tensor(x)

    def call(self, rule: Callable, *inputs: Any) -> tuple[np.ndarray, ...]:
        tensors = [self.tensor(x) if is_differentiable(x) else x for x in inputs]
        outputs = as_outputs(rule(*tensors), rule, self.label, self.is_tensor)
        return tuple(map(self.numpy, outputs))

    def vjp(self, rule: Callable, *inputs: Any) -> tuple[tuple[np.ndarray, ...], Pullback]:
        leaves, outputs, tape = self._record(rule, inputs)
        return tuple(map(self.numpy, outputs)), self._pullback(tape, leaves, outputs)

    def second_vjp(
        self, rule: Callable, inputs: tuple, upstreams: tuple, directions: tuple
    ) -> Gradients:
        with tf.GradientTape(persistent=True) as outer:
            leaves, outputs, tape = self._record(rule, inputs, outer)
            firsts = self._gradients(tape, leaves, outputs, upstreams)
        pairs = [(g, d) for g, d in zip(firsts, directions, strict=True) if g is not None]
        seconds = self._gradients(outer, leaves, [g for g, _ in pairs], [d for _, d in pairs])
        return tuple(None if g is None else self.numpy(g) for g in seconds)

    def watch(self, rule: Callable, *inputs: Any) -> Watched:
        leaves = self._leaves(inputs)
        steps: list[BackwardStep] = []
        with _watched(leaves, steps) as recorded:
            leaves, outputs, tape = self._record(rule, inputs, leaves=leaves)
        pull = self._pullback(tape, leaves, outputs)

        def pullback(*upstreams: np.ndarray) -> Gradients:
            steps.clear()
            return pull(*upstreams)

        def inputs_now() -> tuple:
            return tuple(
                self.numpy(x) if is_differentiable(y) else y
                for x, y in zip(leaves, inputs, strict=True)
            )

        values = tuple(map(self.numpy, outputs))
        return Watched(values, pullback, bool(recorded), inputs_now, steps)

    def _leaves(self, inputs: tuple) -> list:
        return [self.tensor(x) if is_differentiable(x) else x for x in inputs]

    def _record(
        self, rule: Callable, inputs: tuple, outer: Any = None, leaves: list | None = None
    ) -> tuple[list, tuple, Any]:
        leaves = leaves or self._leaves(inputs)
        differentiable = [x for x, y in zip(leaves, inputs, strict=True) if is_differentiable(y)]
        if outer:
            outer.watch(differentiable)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(differentiable)
            outputs = as_outputs(rule(*leaves), rule, self.label, self.is_tensor)
        return leaves, outputs, tape

    def _pullback(self, tape: Any, leaves: list, outputs: tuple) -> Pullback:
        def pullback(*upstreams: np.ndarray) -> Gradients:
            gradients = self._gradients(tape, leaves, outputs, upstreams)
            return tuple(None if g is None else self.numpy(g) for g in gradients)

        return pullback

    def _gradients(self, tape: Any, leaves: list, outputs: Any, upstreams: Any) -> list:
        """One gradient a leaf, None where there is none."""
        pairs = [
            (y, tf.constant(np.asarray(u, y.dtype.as_numpy_dtype)))
            for y, u in zip(outputs, upstreams, strict=True)
            if self.is_tensor(y) and y.dtype.is_floating
        ]
        wanted = [i for i, x in enumerate(leaves) if self.is_tensor(x)]
        if not pairs:
            return [None] * len(leaves)
        ys, us = map(list, zip(*pairs, strict=True))
        found = tape.gradient(ys, [leaves[i] for i in wanted], output_gradients=us)
        by_place = dict(zip(wanted, found, strict=True))
        return [_dense(by_place.get(i)) for i in range(len(leaves))]


@contextmanager
def _watched(leaves: list, steps: list[BackwardStep]) -> Iterator[list[str]]:
    """Note what is recorded on the way, and put a watch on every custom gradient that is made.

    TensorFlow checks and shows nothing of this. What it records through Python is a custom gradient
    or a whole ``tf.function``; its own ops are recorded in C++ and do not pass here.
    """
    record_operation = record.record_operation
    decorate = custom_gradients._eager_mode_decorator
    recorded: list[str] = []

    def noting(name: str, *args: Any, **options: Any) -> Any:
        if name != "captured_value":
            recorded.append(name)
        return record_operation(name, *args, **options)

    def watching(f: Callable, args: tuple, kwargs: dict) -> Any:
        flat = tf.nest.flatten((args, kwargs))
        positions = tuple(_position(x, leaves) for x in flat)

        def watched_f(*args: Any, **kwargs: Any) -> Any:
            outputs, grad_fn = f(*args, **kwargs)
            return outputs, _watched_backward(grad_fn, positions, steps)

        watched_f.__name__ = getattr(f, "__name__", "rule")
        return decorate(watched_f, args, kwargs)

    record.record_operation = noting
    custom_gradients._eager_mode_decorator = watching
    try:
        yield recorded
    finally:
        record.record_operation = record_operation
        custom_gradients._eager_mode_decorator = decorate


def _watched_backward(grad_fn: Callable, positions: tuple, steps: list[BackwardStep]) -> Callable:
    def watched(*upstreams: Any, **options: Any) -> Any:
        before = [np.array(u) for u in upstreams]
        returned = grad_fn(*upstreams, **options)
        gradients = returned[0] if options else returned
        raw = tuple(gradients) if isinstance(gradients, (tuple, list)) else (gradients,)
        changed = any(
            not np.array_equal(b, np.array(u), equal_nan=True)
            for b, u in zip(before, upstreams, strict=True)
        )
        values = tuple(np.array(_dense(g)) if tf.is_tensor(g) else g for g in raw)
        steps.append(BackwardStep(positions, values, changed))
        return returned

    return watched


def _position(x: Any, leaves: list) -> int | None:
    found = [i for i, leaf in enumerate(leaves) if leaf is x and tf.is_tensor(x)]
    return found[0] if found else None


def _dense(g: Any) -> Any:
    return tf.convert_to_tensor(g) if isinstance(g, tf.IndexedSlices) else g


ADAPTER = TensorFlowAdapter()
