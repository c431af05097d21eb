"""checkpoint, no_grad, stop_gradient and on_backward."""

import gc

import numpy as np
import pytest

from course_lib.tape import (
    TapeError,
    Variable,
    checkpoint,
    custom_gradient,
    grad,
    no_grad,
    on_backward,
    stop_gradient,
)


def block(x, w):
    return np.tanh(x @ w) * np.sin(x @ w)


X, W = np.array([0.3, -0.2]), np.array([[0.5, -1.0], [0.7, 0.2]])


class TestCheckpoint:
    def test_first_and_second_order_of_many_inputs(self):
        x, w = Variable(X), Variable(W)
        plain, again = (
            grad(f(x, w), (x, w), create_graph=True) for f in (block, checkpoint(block))
        )
        for p, a in zip(plain, again, strict=True):
            np.testing.assert_allclose(a.value, p.value, rtol=1e-14)
        for p, a in zip(grad(plain, (x, w)), grad(again, (x, w)), strict=True):
            np.testing.assert_allclose(a, p, rtol=1e-12)

    def test_many_outputs_and_constants(self):
        segment = checkpoint(lambda x, n, scale: (x**n, np.exp(x) * scale))
        x = Variable(X)
        np.testing.assert_allclose(grad(segment(x, 3, 2.0), x), 3 * X**2 + 2 * np.exp(X))

    def test_keeps_its_inputs_and_outputs_only(self):
        def deep(x):
            for _ in range(50):
                x = np.sin(x)
            return x

        x = Variable(X)
        y = checkpoint(deep)(x)
        assert [i is x for i in y.node.inputs] == [True]
        before = len([o for o in gc.get_objects() if isinstance(o, Variable)])
        z = deep(x)
        after = len([o for o in gc.get_objects() if isinstance(o, Variable)])
        assert after - before == 50
        np.testing.assert_allclose(grad(y, x), grad(z, x), rtol=1e-14)

    def test_draws_the_same_random_numbers_again(self):
        rng = np.random.default_rng(1)
        dropout = checkpoint(lambda x: x * (rng.random(x.shape) < 0.5), rng)
        x = Variable(np.arange(1.0, 101.0))
        first, second = dropout(x), dropout(x)
        state = rng.bit_generator.state
        for y in (first, second):
            np.testing.assert_array_equal(grad(y, x), y.value / x.value)
        assert rng.bit_generator.state == state
        assert not np.array_equal(first.value, second.value)

    def test_refuses_variables_from_outside(self):
        w = Variable(W)
        with pytest.raises(TapeError, match="Variable from outside"):
            checkpoint(lambda x: x @ w)(Variable(X))


class TestStopping:
    def test_no_grad_gives_constants(self):
        x = Variable(X)
        with no_grad():
            y = x * x
        assert y.node is None
        np.testing.assert_array_equal(grad(x * y, x), X**2)

    def test_no_grad_ends_with_its_block(self):
        x = Variable(X)
        with pytest.raises(RuntimeError), no_grad():
            raise RuntimeError
        np.testing.assert_array_equal(grad(x * x, x), 2 * X)

    def test_stop_gradient(self):
        x = Variable(X)
        np.testing.assert_array_equal(grad(x * stop_gradient(x), x), X)
        assert stop_gradient(3.0) == 3.0


class TestOnBackward:
    def test_sees_every_step_the_latest_first(self):
        x = Variable(X)
        y = np.sin(x) * x + 1.0
        steps = []
        with on_backward(
            lambda node, upstreams, gradients: steps.append((node, upstreams, gradients))
        ):
            grad(y, x)
        grad(y, x)  # no longer watched
        assert [node.name for node, _, _ in steps] == ["add", "multiply", "sin"]
        multiply, (upstream,), (to_sin, to_x) = steps[1]
        np.testing.assert_array_equal(upstream, [1, 1])
        np.testing.assert_array_equal(to_sin, X)
        np.testing.assert_array_equal(to_x, np.sin(X))
        assert multiply.inputs[1] is x
        np.testing.assert_array_equal(multiply.values[0], np.sin(X) * X)
        assert steps[0][2][1] is None  # the constant 1.0
        assert steps[0][0].moment > steps[1][0].moment > steps[2][0].moment

    def test_sees_a_rule_with_many_outputs_as_one_step(self):
        @custom_gradient
        def thrice(x):
            return (x, 2 * x, 3 * x), lambda a, b, c: a + 2 * b + 3 * c

        x, steps = Variable(X), []
        first, _, third = thrice(x)
        with on_backward(lambda *step: steps.append(step)):
            np.testing.assert_array_equal(grad(first * third, x), 6 * X)
        (_, _, _), (node, upstreams, (gradient,)) = steps
        assert (node.name, third.index) == ("thrice", 2)
        assert third.node is first.node is node
        np.testing.assert_array_equal(upstreams[0], 3 * X)
        assert upstreams[1] is None  # nobody used it
        np.testing.assert_array_equal(upstreams[2], X)
        np.testing.assert_array_equal(gradient, 6 * X)
        np.testing.assert_array_equal([y.value for y in node.outputs], node.values)

    def test_several_can_watch(self):
        x, seen = Variable(X), []
        y = x + x
        with (
            on_backward(lambda *_: seen.append("outer")),
            on_backward(lambda *_: seen.append("inner")),
        ):
            grad(y, x)
        assert seen == ["outer", "inner"]

    def test_a_variable_knows_its_node_and_a_node_its_outputs(self):
        x = Variable(X)
        y = x * 2
        assert (x.node.name, y.node.name) == ("leaf", "multiply")
        assert y.node.inputs[0] is x
        np.testing.assert_array_equal(grad(y.node.outputs[0], y), [1, 1])
