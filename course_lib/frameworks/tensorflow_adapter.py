"""TensorFlow."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
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

tf = load("tensorflow")
from tensorflow.python.eager import record  # noqa: E402  the only way to see what is recorded
from tensorflow.python.ops import custom_gradient as custom_gradients  # noqa: E402


class TensorFlowAdapter(Adapter):
    """TensorFlow, in eager mode."""

    name, label, suffix = "tensorflow", "TensorFlow", "tf"

    def tensor(self, array: Any) -> Any:
        return tf.constant(np.array(array))

    def numpy(self, tensor: Any) -> np.ndarray:
        return np.array(tensor)

    def is_tensor(self, x: Any) -> bool:
        return tf.is_tensor(x)

    def watch(self, rule: Callable, *inputs: Any) -> Watched:
        leaves = self._leaves(inputs)
        steps: list[BackwardStep] = []
        with _watching(leaves, steps) as recorded:
            recording = self._record(rule, leaves)
        return self._watched(recording, bool(recorded), steps)

    def _unrecorded(self) -> AbstractContextManager:
        return nullcontext()

    def _record(self, rule: Callable, leaves: list, twice: bool = False) -> Recording:
        wanted = [x for x in leaves if self.is_tensor(x)]
        outer: Any = tf.GradientTape(persistent=True) if twice else nullcontext()
        inner = tf.GradientTape(persistent=True)
        with outer, inner:
            for tape in (outer, inner) if twice else (inner,):
                tape.watch(wanted)
            outputs = self._outputs(rule, leaves)

        def gradients(ys: tuple, upstreams: tuple, lifted: bool = False) -> list:
            pairs = [
                (y, tf.constant(u, y.dtype))
                for y, u in zip(ys, upstreams, strict=True)
                if self.is_tensor(y) and y.dtype.is_floating
            ]
            if not pairs:
                return [None] * len(leaves)
            targets, us = map(list, zip(*pairs, strict=True))
            if lifted:
                with outer:
                    found = inner.gradient(targets, wanted, output_gradients=us)
            else:
                found = (outer if twice else inner).gradient(targets, wanted, output_gradients=us)
            found = map(_dense, found)
            return [next(found) if self.is_tensor(x) else None for x in leaves]

        return Recording(leaves, outputs, gradients)


@contextmanager
def _watching(leaves: list, steps: list[BackwardStep]) -> Iterator[list[str]]:
    """Note what is recorded meanwhile, and put a watch on every custom gradient that is made.

    TensorFlow's own ops are recorded in C++. What passes through Python's `record_operation` is a
    custom gradient or a whole ``tf.function``.
    """
    record_operation = record.record_operation
    decorate = custom_gradients._eager_mode_decorator
    recorded: list[str] = []

    def noting(name: str, *args: Any, **options: Any) -> Any:
        if name != "captured_value":
            recorded.append(name)
        return record_operation(name, *args, **options)

    def watching(f: Callable, args: tuple, kwargs: dict) -> Any:
        positions = tuple(place_of(x, leaves) for x in tf.nest.flatten((args, kwargs)))

        def watched(*args: Any, **kwargs: Any) -> Any:
            outputs, grad_fn = f(*args, **kwargs)
            return outputs, _watched_backward(grad_fn, positions, steps)

        watched.__name__ = getattr(f, "__name__", "rule")
        return decorate(watched, args, kwargs)

    record.record_operation = noting
    custom_gradients._eager_mode_decorator = watching
    try:
        yield recorded
    finally:
        record.record_operation = record_operation
        custom_gradients._eager_mode_decorator = decorate


def _watched_backward(grad_fn: Callable, positions: tuple, steps: list[BackwardStep]) -> Callable:
    """The same backward, which is noted. `options` holds the tf.Variables that it captured."""

    def watched(*upstreams: Any, **options: Any) -> Any:
        before = [np.array(u) for u in upstreams]
        returned = grad_fn(*upstreams, **options)
        raw = as_tuple(returned[0] if options else returned)
        changed = any(
            not np.array_equal(np.array(u), b, equal_nan=True)
            for u, b in zip(upstreams, before, strict=True)
        )
        values = tuple(np.array(_dense(g)) if tf.is_tensor(g) else g for g in raw)
        steps.append(BackwardStep(positions, values, changed))
        return returned

    return watched


def _dense(g: Any) -> Any:
    return tf.convert_to_tensor(g) if isinstance(g, tf.IndexedSlices) else g


ADAPTER = TensorFlowAdapter()
