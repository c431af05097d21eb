"""Ways to spoil a right rule, each with the code that it should be given.

A spoiler takes a framework and a right rule and returns a wrong rule, or None where the fault makes
no sense for that rule.
"""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
from dialects import DIALECTS, build
from right_rules import RightRule

from course_lib.frameworks import tensorflow as tf
from course_lib.frameworks import torch

SPOILERS: list[tuple[str, str, Callable]] = []


def spoiler(code):
    def register(make):
        SPOILERS.append((code, make.__name__.replace("_", " "), make))
        return make

    return register


def with_backward(framework, rule: RightRule, backward):
    return build(framework, rule.forward, backward)


def changed(framework, rule: RightRule, change):
    """The rule with ``change(F, gradients, upstreams, inputs)`` for its gradients."""

    def backward(F, us, xs):
        return tuple(change(F, list(rule.backward(F, us, xs)), us, xs))

    return build(framework, rule.forward, backward)


def arrays(rule):
    return [x for x in rule.inputs if isinstance(x, np.ndarray)]


def depends(rule):
    """Whether the derivative is not zero everywhere, and there is one."""
    return not rule.kinds & {"flat", "empty"} and rule.name != "norm at zero"


# -- the upstream gradient ------------------------------------------------------------------------


@spoiler("upstream-ignored")
def ones_for_the_upstream(framework, rule):
    if depends(rule) and rule.name != "softmax":  # ones have the gradient zero there
        return with_backward(
            framework, rule, lambda F, us, xs: rule.backward(F, [F.ones_like(u) for u in us], xs)
        )


@spoiler("upstream-ignored")
def upstream_ignored_for_negative_inputs(framework, rule):
    if (
        "elementwise" in rule.kinds
        and depends(rule)
        and rule.inputs[0].min() < 0 < rule.inputs[0].max()
    ):
        return changed(
            framework, rule, lambda F, gs, us, xs: [F.where(xs[0] < 0, -0.5 + 0 * gs[0], gs[0])]
        )


@spoiler("nonlinear-upstream")
def clipped(framework, rule):
    if depends(rule) and "float32" not in rule.kinds:
        return changed(
            framework,
            rule,
            lambda F, gs, us, xs: [
                g if g is None else F.minimum(F.maximum(g, -0.2 + 0 * g), 0.2 + 0 * g) for g in gs
            ],
        )


@spoiler("nonlinear-upstream")
def size_of_the_upstream(framework, rule):
    if depends(rule):
        return with_backward(
            framework, rule, lambda F, us, xs: rule.backward(F, [F.abs(u) for u in us], xs)
        )


@spoiler("nonlinear-upstream")
def upstream_squared(framework, rule):
    if depends(rule):
        return with_backward(
            framework, rule, lambda F, us, xs: rule.backward(F, [u * u for u in us], xs)
        )


@spoiler("not-elementwise")
def mean_of_the_upstream(framework, rule):
    if (
        depends(rule)
        and sum(x.size for x in arrays(rule)) > 1
        and not rule.kinds & {"scalar", "many"}
    ):
        if rule.name in ("one number", "one entry", "softmax"):
            return None
        return with_backward(
            framework,
            rule,
            lambda F, us, xs: rule.backward(F, [0 * u + F.sum(u) / u.shape[0] for u in us], xs),
        )


@spoiler("not-elementwise")
def upstream_backwards(framework, rule):
    if (
        "elementwise" in rule.kinds
        and depends(rule)
        and len(rule.inputs[0].shape) == 1
        and rule.inputs[0].size > 1
        and "kinked" not in rule.kinds
    ):
        return with_backward(
            framework, rule, lambda F, us, xs: rule.backward(F, [F.flip(u) for u in us], xs)
        )


@spoiler("output-ignored")
def second_output_ignored(framework, rule):
    if "many" in rule.kinds:
        return with_backward(
            framework,
            rule,
            lambda F, us, xs: rule.backward(F, [us[0], 0 * us[1], *us[2:]], xs),
        )


@spoiler("output-ignored")
def first_output_ignored(framework, rule):
    if "many" in rule.kinds:
        return with_backward(
            framework, rule, lambda F, us, xs: rule.backward(F, [0 * us[0], *us[1:]], xs)
        )


# -- factors and signs ----------------------------------------------------------------------------


def scaled(factor):
    def change(F, gs, us, xs):
        return [g if g is None else factor * g for g in gs]

    return change


@spoiler("wrong-scale")
def twice(framework, rule):
    return (
        changed(framework, rule, scaled(2))
        if depends(rule) and "kinked" not in rule.kinds
        else None
    )


@spoiler("wrong-scale")
def a_third(framework, rule):
    return (
        changed(framework, rule, scaled(1 / 3))
        if depends(rule) and "kinked" not in rule.kinds
        else None
    )


@spoiler("wrong-sign")
def negated(framework, rule):
    return (
        changed(framework, rule, scaled(-1))
        if depends(rule) and "kinked" not in rule.kinds
        else None
    )


@spoiler("wrong-sign")
def second_gradient_negated(framework, rule):
    if "two" in rule.kinds and depends(rule) and "kinked" not in rule.kinds:
        return changed(framework, rule, lambda F, gs, us, xs: [gs[0], -gs[1], *gs[2:]])


# -- form -----------------------------------------------------------------------------------------


@spoiler("wrong-arity")
def one_too_few(framework, rule):
    if len(arrays(rule)) == len(rule.inputs) > 1:
        return changed(framework, rule, lambda F, gs, us, xs: gs[:-1])


@spoiler("wrong-arity")
def one_too_many(framework, rule):
    return changed(framework, rule, lambda F, gs, us, xs: [*gs, gs[0]])


@spoiler("wrong-arity")
def a_none_too_many(framework, rule):
    if framework == "tensorflow":  # the others take no offence
        return changed(framework, rule, lambda F, gs, us, xs: [*gs, None])


@spoiler("wrong-shape")
def one_number(framework, rule):
    if arrays(rule)[0].ndim and "empty" not in rule.kinds:
        return changed(framework, rule, lambda F, gs, us, xs: [F.sum(gs[0]), *gs[1:]])


@spoiler("wrong-shape")
def doubled(framework, rule):
    if depends(rule) and "kinked" not in rule.kinds:
        return changed(framework, rule, lambda F, gs, us, xs: [F.stack([gs[0], gs[0]]), *gs[1:]])


@spoiler("wrong-shape")
def a_dimension_more(framework, rule):
    return changed(framework, rule, lambda F, gs, us, xs: [F.stack([gs[0]]), *gs[1:]])


@spoiler("not-unbroadcast")
def left_stretched(framework, rule):
    if "stretched" in rule.kinds:
        plain = SimpleNamespace(**vars(DIALECTS[framework]))
        plain.unbroadcast = lambda g, x: g
        return with_backward(framework, rule, lambda F, us, xs: rule.backward(plain, us, xs))


@spoiler("transposed")
def turned_result(framework, rule):
    x = arrays(rule)[0]
    if x.ndim == 2 and depends(rule) and min(x.shape) > 1:
        return changed(framework, rule, lambda F, gs, us, xs: [F.transpose(gs[0], 0, 1), *gs[1:]])


@spoiler("transposed")
def transposes_forgotten(framework, rule):
    if "turned" in rule.kinds:
        plain = SimpleNamespace(**vars(DIALECTS[framework]))
        plain.transpose = lambda x, a, b: x
        return with_backward(framework, rule, lambda F, us, xs: rule.backward(plain, us, xs))


@spoiler("inputs-swapped")
def swapped(framework, rule):
    if "two" in rule.kinds and rule.name not in ("sum of two", "difference", "squared error"):
        return changed(framework, rule, lambda F, gs, us, xs: [gs[1], gs[0], *gs[2:]])


@spoiler("wrong-dtype")
def single_precision(framework, rule):
    if "float32" not in rule.kinds:
        return changed(
            framework,
            rule,
            lambda F, gs, us, xs: [g if g is None else F.cast(g, "float32") for g in gs],
        )


@spoiler("wrong-dtype")
def whole_numbers(framework, rule):
    return changed(
        framework, rule, lambda F, gs, us, xs: [g if g is None else F.cast(g, "int64") for g in gs]
    )


# -- missing --------------------------------------------------------------------------------------


@spoiler("missing-gradient")
def return_forgotten(framework, rule):
    if depends(rule):
        return build(framework, rule.forward, lambda F, us, xs: None)


@spoiler("missing-gradient")
def none_for_the_first(framework, rule):
    if depends(rule) and len(rule.inputs) > 1:
        return changed(framework, rule, lambda F, gs, us, xs: [None, *gs[1:]])


@spoiler("missing-gradient")
def zero_for_the_first(framework, rule):
    if depends(rule):
        return changed(framework, rule, lambda F, gs, us, xs: [0 * gs[0], *gs[1:]])


# -- numbers --------------------------------------------------------------------------------------


def one_hot(x, k=0):
    mask = np.zeros(x.shape, x.dtype)
    mask.reshape(-1)[k] = 1.0
    return mask


@spoiler("wrong-values")
def one_entry_off(framework, rule):
    x = arrays(rule)[0]
    if (
        x.size > 2
        and depends(rule)
        and not rule.kinds & {"kinked", "scalar"}
        and rule.name != "hinge squared"
    ):
        mask = one_hot(x, 1)
        return changed(
            framework, rule, lambda F, gs, us, xs: [gs[0] * (1 + 0.3 * F.constant(mask)), *gs[1:]]
        )


@spoiler("wrong-values")
def another_functions_derivative(framework, rule):
    x = arrays(rule)[0]
    if (
        "elementwise" in rule.kinds
        and depends(rule)
        and rule.name != "tiny"
        and x.size < 1000
        and x.size
        and "kinked" not in rule.kinds
    ):
        return changed(framework, rule, lambda F, gs, us, xs: [gs[0] * (1 + xs[0] * xs[0])])


@spoiler("wrong-at-kink")
def twice_at_the_kink(framework, rule):
    if "kinked" in rule.kinds and "elementwise" in rule.kinds:
        at = (rule.inputs[0] == (1.0 if rule.name == "clip" else 0.0)).astype(float)
        return changed(framework, rule, lambda F, gs, us, xs: [gs[0] + 3 * us[0] * F.constant(at)])


@spoiler("unstable")
def zero_by_zero(framework, rule):
    x = arrays(rule)[0]
    if x.size and "float32" not in rule.kinds:
        special = float(x.reshape(-1)[-1])
        return changed(
            framework,
            rule,
            lambda F, gs, us, xs: [gs[0] * ((xs[0] - special) / (xs[0] - special)), *gs[1:]],
        )


# -- memory ---------------------------------------------------------------------------------------


@spoiler("stale-state")
def one_global_for_all_calls(framework, rule):
    if depends(rule) and rule.name not in ("linear",) and not rule.kinds & {"kinked"}:
        latest = {}

        def forward(F, *xs):
            latest["xs"] = xs
            return rule.forward(F, *xs)

        right = build(framework, forward, lambda F, us, xs: rule.backward(F, us, latest["xs"]))
        return right if _derivative_moves(rule) else None


@spoiler("stale-state")
def first_answer_kept(framework, rule):
    if depends(rule) and "float32" not in rule.kinds:
        kept = {}

        def backward(F, us, xs):
            if "gradients" not in kept:
                kept["gradients"] = rule.backward(F, us, xs)
            return kept["gradients"]

        return with_backward(framework, rule, backward)


@spoiler("stale-state")
def summed_over_all_calls(framework, rule):
    if depends(rule):
        total = []

        def change(F, gs, us, xs):
            total.append(gs[0])
            return [sum(total), *gs[1:]]

        return changed(framework, rule, change)


@spoiler("stale-state")
def random_forward(framework, rule):
    if "empty" not in rule.kinds:
        rng = np.random.default_rng(0)

        def forward(F, *xs):
            y = rule.forward(F, *xs)
            noise = float(rng.normal())
            return tuple(part + noise for part in y) if isinstance(y, tuple) else y + noise

        return build(framework, forward, rule.backward)


@spoiler("overwrites")
def one_buffer(framework, rule):
    """The gradient is always the same array, filled anew."""
    if framework == "tensorflow" or not depends(rule) or not arrays(rule)[0].ndim:
        return None  # its tensors cannot be filled
    kept = []

    def change(F, gs, us, xs):
        if not kept:
            kept.append(gs[0] + 0)
        kept[0][...] = gs[0]
        return [kept[0], *gs[1:]]

    return changed(framework, rule, change)


@spoiler("overwrites")
def keyed_by_the_input(framework, rule):
    same_at_equal_inputs = ("product", "sum", "squared error")
    if rule.name.startswith(same_at_equal_inputs) or framework == "torch":
        return None
    if "two" in rule.kinds and "stretched" not in rule.kinds:

        def change(F, gs, us, xs):
            by_input = {id(x): g for x, g in zip(xs, gs, strict=True)}
            return [by_input[id(x)] for x in xs]

        return changed(framework, rule, change)


@spoiler("mutates-upstream")
def upstream_doubled_in_place(framework, rule):
    def backward(F, us, xs):
        if framework == "tensorflow":
            np.asarray(us[0])[...] = 0.0
        u = us[0]
        u *= 2
        return rule.backward(F, [u / 2, *us[1:]], xs)

    if "empty" not in rule.kinds and rule.name != "norm at zero":
        return with_backward(framework, rule, backward)


@spoiler("mutates-input")
def input_changed_by_forward(framework, rule):
    def forward(F, *xs):
        x = np.asarray(xs[0]) if framework == "tensorflow" else xs[0]
        x += 0.25
        return rule.forward(F, *xs)

    if arrays(rule)[0].ndim and "empty" not in rule.kinds and rule.name not in ("arcsin", "huge"):
        return build(framework, forward, rule.backward)


@spoiler("mutates-input")
def input_changed_by_backward(framework, rule):
    def backward(F, us, xs):
        gradients = rule.backward(F, us, xs)
        x = xs[0]
        x *= 1.5
        return gradients

    ndim = arrays(rule)[0].ndim
    if (
        framework != "tensorflow"
        and ndim
        and not rule.kinds & {"empty"}
        and rule.name != "norm at zero"
    ):
        return with_backward(framework, rule, backward)


# -- the rule itself ------------------------------------------------------------------------------


@spoiler("rule-not-run")
def plain_forward(framework, rule):
    unsafe = {"erf", "inverse", "norm at zero", "running sum"}  # not all on the tape, or nan
    if rule.name not in unsafe and "empty" not in rule.kinds:
        return lambda *xs: rule.forward(_plain(framework), *xs)


@spoiler("rule-not-run")
def cut_off(framework, rule):
    cut = {
        "tape": DIALECTS["tape"].stop,
        "tensorflow": tf.stop_gradient,
        "torch": torch.detach,
    }[framework]
    right = build(framework, rule.forward, rule.backward)

    def detached(*xs):
        y = right(*xs)
        return tuple(map(cut, y)) if isinstance(y, tuple) else cut(y)

    return detached if depends(rule) else None


@spoiler("rule-raises")
def raises_in_backward(framework, rule):
    def backward(F, us, xs):
        raise KeyError("saved")

    return with_backward(framework, rule, backward)


@spoiler("rule-raises")
def raises_in_forward(framework, rule):
    def forward(F, *xs):
        raise RuntimeError("no such kernel")

    return build(framework, forward, rule.backward)


@spoiler("rule-raises")
def returns_text(framework, rule):
    return lambda *xs: "the answer"


@spoiler("second-order")
def saved_as_a_constant(framework, rule):
    smooth = "elementwise" in rule.kinds and not rule.kinds & {"kinked", "flat", "empty", "large"}
    if smooth and _derivative_moves(rule) and rule.name not in ("erf", "hinge squared", "tiny"):
        return with_backward(
            framework, rule, lambda F, us, xs: rule.backward(F, us, [F.stop(x) for x in xs])
        )


def _plain(framework):
    """NumPy's functions record themselves on the tape."""
    return DIALECTS[framework]


def _derivative_moves(rule):
    """Whether the gradient depends on the inputs at all."""
    F = DIALECTS["tape"]
    ys = rule.forward(F, *rule.inputs)
    us = [np.ones(np.shape(y)) for y in (ys if isinstance(ys, tuple) else (ys,))]
    moved = [x * 0.9 if isinstance(x, np.ndarray) else x for x in rule.inputs]
    here, there = rule.backward(F, us, rule.inputs), rule.backward(F, us, moved)
    return any(
        g is not None and not np.allclose(g, h, 1e-6) for g, h in zip(here, there, strict=True)
    )
