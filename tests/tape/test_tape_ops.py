"""Each op against finite differences, PyTorch, and itself: first and second order, both modes."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tape_cases import ANY, CALLS, Call, directions, moving, no_options, numbers, title

from course_lib.tape import Variable, core, grad, jvp, logsumexp, numpy_functions, softmax

STEP = 1e-5
CALLS = CALLS | {
    "logsumexp": moving(no_options, logsumexp, lambda x: torch.logsumexp(x, -1)),
    "softmax": moving(no_options, softmax, lambda x: torch.softmax(x, -1)),
}
each_call = pytest.mark.parametrize("calls", CALLS.values(), ids=map(title, CALLS))
quick = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
smooth = {"rtol": 2e-6, "atol": 2e-6}


def moved(arrays, directions, step):
    return [a + step * d for a, d in zip(arrays, directions, strict=True)]


def inner(xs, ys):
    return sum(np.sum(x * y) for x, y in zip(xs, ys, strict=True))


def pulled_back(call, arrays, upstream):
    xs = [Variable(a) for a in arrays]
    return grad(call.numpy(*xs), xs, upstream)


@each_call
@quick
@given(data=st.data())
def test_first_order_is_the_slope_of_the_value(calls, data):
    call = data.draw(calls)
    towards = data.draw(directions(call.arrays))
    upstream = data.draw(numbers(np.shape(call.numpy(*call.arrays))))
    after, before = (call.numpy(*moved(call.arrays, towards, s)) for s in (STEP, -STEP))
    slope = np.sum(upstream * (after - before)) / (2 * STEP)
    np.testing.assert_allclose(
        inner(pulled_back(call, call.arrays, upstream), towards), slope, **smooth
    )


@each_call
@quick
@given(data=st.data())
def test_second_order_is_the_slope_of_the_gradient(calls, data):
    call = data.draw(calls)
    towards, weights = data.draw(directions(call.arrays)), data.draw(directions(call.arrays))
    upstream = data.draw(numbers(np.shape(call.numpy(*call.arrays))))
    after, before = (
        inner(pulled_back(call, moved(call.arrays, towards, s), upstream), weights)
        for s in (STEP, -STEP)
    )
    xs = [Variable(a) for a in call.arrays]
    first = grad(call.numpy(*xs), xs, upstream, create_graph=True)
    second = grad(first, xs, weights)
    np.testing.assert_allclose(inner(second, towards), (after - before) / (2 * STEP), **smooth)


@each_call
@quick
@given(data=st.data())
def test_pytorch_agrees_on_value_and_gradient(calls, data):
    call = data.draw(calls)
    value = call.numpy(*call.arrays)
    upstream = data.draw(numbers(np.shape(value)))
    ts = [torch.tensor(a, requires_grad=True) for a in call.arrays]
    y = call.torch(*ts)
    theirs = torch.autograd.grad(y, ts, torch.tensor(upstream).reshape(y.shape), allow_unused=True)
    np.testing.assert_allclose(
        value, y.detach().numpy().reshape(value.shape), rtol=1e-12, atol=1e-12
    )
    for g, t, x in zip(pulled_back(call, call.arrays, upstream), theirs, ts, strict=True):
        t = torch.zeros_like(x) if t is None else t
        np.testing.assert_allclose(g, t.numpy(), rtol=1e-10, atol=1e-12)


@each_call
@quick
@given(data=st.data())
def test_forward_mode_is_the_transpose_of_reverse_mode(calls, data):
    call = data.draw(calls)
    towards = data.draw(directions(call.arrays))
    value, tangent = jvp(call.numpy, call.arrays, towards)
    np.testing.assert_array_equal(value, call.numpy(*call.arrays))
    assert tangent.shape == value.shape
    upstream = data.draw(numbers(np.shape(value)))
    pulled = inner(pulled_back(call, call.arrays, upstream), towards)
    np.testing.assert_allclose(pulled, np.sum(upstream * tangent), rtol=1e-9, atol=1e-9)


@each_call
@quick
@given(data=st.data())
def test_forward_mode_can_be_differentiated(calls, data):
    call = data.draw(calls)
    towards = data.draw(directions(call.arrays))
    upstream = data.draw(numbers(np.shape(call.numpy(*call.arrays))))
    xs = [Variable(a) for a in call.arrays]
    _, tangent = jvp(call.numpy, tuple(xs), towards)
    forward_then_reverse = grad(tangent, xs, upstream)
    first = grad(call.numpy(*xs), xs, upstream, create_graph=True)
    reverse_twice = grad(first, xs, towards)
    for a, b in zip(forward_then_reverse, reverse_twice, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8)


@each_call
@quick
@given(data=st.data())
def test_float32_stays_float32(calls, data):
    call = data.draw(calls)
    if call.numpy(*[np.float32(a) for a in call.arrays]).dtype != np.float32:
        return  # x.astype(float64) is meant to leave float32
    halves = [Variable(np.asarray(a, np.float32)) for a in call.arrays]
    y = call.numpy(*halves)
    assert y.dtype == np.float32
    values = tuple(h.value for h in halves)
    _, tangent = jvp(call.numpy, values, values)
    assert tangent.dtype == np.float32
    for g, x in zip(grad(y, halves), halves, strict=True):
        assert (g.dtype, g.shape) == (np.float32, x.shape)


def test_every_rule_is_exercised_here():
    ours = {*core.ufuncs, *core.functions}
    assert ours <= CALLS.keys(), f"no calls for {[f.__name__ for f in ours - CALLS.keys()]}"
    operators = {*numpy_functions.arithmetic, "neg", "pos", "abs", "getitem"}
    assert {f"__{name}__" for name in operators} <= {
        f"__{title(key).rpartition('.')[2]}__" for key in CALLS
    }
    assert {f"x.{name}" for name in numpy_functions.methods} <= CALLS.keys()


@pytest.mark.parametrize("reflected", [0, 1])
@pytest.mark.parametrize("key", ["add", "sub", "mul", "truediv", "pow", "mod"])
def test_operators_take_a_number_on_either_side(key, reflected):
    import operator

    x, number = np.array([0.7, 1.9]), 2.5
    op = getattr(operator, key)
    f = (lambda x: op(number, x)) if reflected else (lambda x: op(x, number))
    v = Variable(x)
    slope = (f(x + STEP) - f(x - STEP)) / (2 * STEP)
    np.testing.assert_allclose(grad(f(v), v), slope, **smooth)


@quick
@given(array=numbers((2, 3), ANY), other=numbers((3,), ANY))
def test_arrays_lists_and_scalars_take_part_as_constants(array, other):
    for constant in (other, other.tolist(), np.float64(1.5), 2, True):
        x = Variable(array)
        np.testing.assert_allclose(
            grad(constant * x, x), np.broadcast_to(np.asarray(constant, float), array.shape)
        )


def test_a_variable_as_the_condition_of_where_is_only_looked_at():
    x = Variable([1.0, -1.0, 0.0])
    np.testing.assert_array_equal(grad(np.where(x, x, 0), x), [1, 1, 0])


def test_a_call_shows_its_arrays():
    assert "arrays" in repr(Call(np.sin, torch.sin, (np.ones(2),)))
