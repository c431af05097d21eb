"""What grad, value_and_grad, vjp and jvp promise."""

import math

import numpy as np
import pytest
from scipy import special

from course_lib.tape import (
    TapeError,
    Variable,
    grad,
    jvp,
    no_grad,
    register_custom_gradient,
    stop_gradient,
    value_and_grad,
    vjp,
)


class TestTheSeedExamples:
    """The three usages of seed 000, as they were meant."""

    def test_square(self):
        square = register_custom_gradient(lambda x: x * x, lambda upstream, x: 2 * x * upstream)
        x = Variable([1, 2, 3])
        np.testing.assert_array_equal(grad(square(x), x), [2, 4, 6])

    def test_square_and_cube_are_summed(self):
        def forward(x):
            return x * x, x * x * x

        def backward(upstream_1, upstream_2, x):
            return upstream_1 * 2 * x + upstream_2 * 3 * x * x

        x = Variable([1, 2, 3])
        y1, y2 = register_custom_gradient(forward, backward)(x)
        np.testing.assert_array_equal(grad((y1, y2), x), [5, 16, 33])

    def test_an_external_function(self):
        def backward(upstream, x):
            return upstream * 2 / np.sqrt(np.pi) * np.exp(-x * x)

        erf = register_custom_gradient(special.erf, backward)
        x = Variable([0.3, 1.1])
        y = erf(x)
        np.testing.assert_array_equal(y.value, special.erf([0.3, 1.1]))
        np.testing.assert_allclose(grad(y, x), 2 / np.sqrt(np.pi) * np.exp(-np.array([0.09, 1.21])))


def test_many_inputs_and_outputs():
    x, y = Variable(2.0), Variable(3.0)
    gx, gy = grad((x * y + np.sin(x), y**2), (x, y))
    np.testing.assert_allclose([gx, gy], [3 + math.cos(2), 8.0])


def test_an_input_that_is_used_often_collects_all_its_gradients():
    x = Variable([0.5, 2.0])
    y = x * x
    np.testing.assert_allclose(grad(y * y + y * x + x, x), 4 * x.value**3 + 3 * x.value**2 + 1)


def test_intermediate_results_can_be_asked_for_beside_inputs():
    x = Variable([1.0, 2.0])
    h = x * 3
    y = h * h
    gh, gx, gy = grad(y, [h, x, y])
    np.testing.assert_array_equal(gh, [6, 12])
    np.testing.assert_array_equal(gx, [18, 36])
    np.testing.assert_array_equal(gy, [1, 1])


def test_upstreams_weigh_the_outputs():
    x = Variable([1.0, 2.0])
    np.testing.assert_array_equal(grad(x * x, x, upstream=[10, 100]), [20, 400])
    np.testing.assert_array_equal(grad((x * x, x), x, upstream=([1, 0], [0, 5])), [2, 5])


def test_what_y_does_not_depend_on_has_gradient_zero():
    x, z = Variable([1.0, 2.0]), Variable(np.ones((2, 2), np.float32))
    g = grad(x * x, z)
    assert (g.shape, g.dtype) == ((2, 2), np.float32)
    assert not g.any()
    lifted = grad(x * x, z, create_graph=True)
    np.testing.assert_array_equal(grad(lifted, z), np.zeros((2, 2)))


def test_a_gradient_has_the_dtype_of_its_variable():
    x, w = Variable(np.ones((2, 3), np.float32)), Variable(np.ones((3, 2)))
    for y in (x @ w, x[0] @ w, x * w.T, np.sum(x, axis=1) - np.sum(w, axis=0).max()):
        assert y.dtype == np.float64
        gx, gw = grad(y, (x, w))
        assert (gx.dtype, gw.dtype) == (np.float32, np.float64)


def test_gradients_are_the_callers_to_change():
    x, z = Variable([1.0, 2.0]), Variable([3.0, 4.0])
    y = x + z
    upstream = np.ones(2)
    gy, gx, gz = grad(y, (y, x, z), upstream)
    for g in (gy, gx, gz):
        g *= 7
    np.testing.assert_array_equal(gx, [7, 7])
    np.testing.assert_array_equal(upstream, [1, 1])
    np.testing.assert_array_equal(grad(y, x), [1, 1])


def test_gradients_that_are_parts_of_each_other_are_handed_out_as_copies():
    x, z = Variable([1.0, 2.0]), Variable([3.0])
    y = np.concatenate([x, z])
    gy, gx = grad(y, (y, x))
    gx *= 7
    np.testing.assert_array_equal(gy, [1, 1, 1])


def test_the_backward_pass_can_be_repeated():
    x = Variable([1.0, 2.0])
    y = np.exp(x) * x
    np.testing.assert_array_equal(grad(y, x), grad(y, x))


def test_a_gradient_is_a_function_to_differentiate_again():
    x = Variable(0.7)
    first = grad(x**3, x, create_graph=True)
    second = grad(first * first + x, x)  # d/dx (9 x⁴ + x)
    np.testing.assert_allclose(second, 36 * 0.7**3 + 1)


@pytest.mark.parametrize(
    ("f", "third"),
    [
        (np.sin, lambda x: -np.cos(x)),
        (np.exp, np.exp),
        (lambda x: x**3, lambda x: 6 + 0 * x),
        (np.tanh, lambda x: (6 * np.tanh(x) ** 2 - 2) / np.cosh(x) ** 2),
        (np.log1p, lambda x: 2 / (1 + x) ** 3),
    ],
    ids=["sin", "exp", "cube", "tanh", "log1p"],
)
def test_third_derivatives_are_exact(f, third):
    points = np.linspace(-0.8, 2.5, 12)
    x = Variable(points)
    first = grad(f(x), x, create_graph=True)
    second = grad(first, x, create_graph=True)
    np.testing.assert_allclose(grad(second, x), third(points), rtol=1e-10, atol=1e-10)


def test_hessian_vector_product_two_ways():
    def f(x):
        return np.sum(np.exp(x) * x[::-1])

    def gradient(x):
        return grad(f(x), x, create_graph=True)

    at, towards = np.array([0.1, -0.4, 0.9]), np.array([1.0, 2.0, -1.0])
    x = Variable(at)
    _, forward_over_reverse = jvp(gradient, at, towards)
    np.testing.assert_allclose(forward_over_reverse, grad(gradient(x), x, towards), rtol=1e-12)


def test_a_gradient_inside_no_grad_is_plain():
    x = Variable([1.0])
    y = x * x
    with no_grad():
        assert isinstance(grad(y, x), np.ndarray)


class TestValueAndGrad:
    def test_one_argument(self):
        value, gradient = value_and_grad(lambda x: np.sum(x * x))(np.array([1.0, 2.0]))
        assert value == 5
        np.testing.assert_array_equal(gradient, [2, 4])

    def test_many_arguments(self):
        value, (gx, gz) = value_and_grad(lambda x, z: x * z)(2.0, 3.0)
        assert (value, gx, gz) == (6, 3, 2)


class TestVjp:
    def test_pullback_can_be_called_again_and_again(self):
        (y1, y2), pullback = vjp(lambda x: (x * x, x + 1), [1.0, 2.0])
        np.testing.assert_array_equal(y1, [1, 4])
        np.testing.assert_array_equal(y2, [2, 3])
        np.testing.assert_array_equal(pullback([1, 1], [0, 0])[0], [2, 4])
        np.testing.assert_array_equal(pullback([0, 0], [1, 2])[0], [1, 2])
        np.testing.assert_array_equal(pullback()[0], [3, 5])

    def test_variables_stay_on_the_tape(self):
        x = Variable([2.0])
        y, pullback = vjp(lambda x: x**3, x)
        np.testing.assert_array_equal(grad(y * y, x), [6 * 2.0**5])
        (g,) = pullback(Variable([1.0]))
        np.testing.assert_array_equal(grad(g, x), [12])


class TestJvp:
    def test_many_inputs_and_outputs(self):
        (a, b), (ta, tb) = jvp(lambda x, z: (x * z, x + z), (2.0, 3.0), (1.0, 10.0))
        assert [float(v) for v in (a, b, ta, tb)] == [6, 5, 23, 11]

    def test_an_intermediate_result_moves_as_it_is_told(self):
        x = Variable(1.0)
        h = x * 2
        _, tangent = jvp(lambda x, h: h + x, (x, h), (1.0, 10.0))
        assert tangent.value == 11

    def test_an_output_that_stands_still(self):
        (_, constant), (_, still) = jvp(
            lambda x: (x, stop_gradient(x)), np.array([1.0, 2.0]), [1, 1]
        )
        np.testing.assert_array_equal(constant, [1, 2])
        np.testing.assert_array_equal(still, [0, 0])

    def test_outside_variables_can_be_differentiated_through_it(self):
        x = Variable([2.0])
        _, tangent = jvp(lambda x: x**3, x, [1.0])
        np.testing.assert_array_equal(grad(tangent, x), [12])

    def test_result_is_the_callers_to_change(self):
        towards = np.ones(2)
        _, tangent = jvp(lambda x: x + 0, np.ones(2), towards)
        tangent *= 2
        np.testing.assert_array_equal(towards, [1, 1])


class TestErrors:
    x = Variable([1.0, 2.0])

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            (
                lambda x: grad(x.value, x),
                ["can only differentiate Variables", "ndarray of shape (2,)"],
            ),
            (lambda x: grad(x, x.value), ["differentiate with respect to", "ndarray"]),
            (lambda x: grad(x, []), ["differentiate with respect to", "none"]),
            (lambda x: grad(stop_gradient(x), x), ["stop_gradient", "on the tape"]),
            (lambda x: grad(x, x, upstream=[1, 2, 3]), ["upstream gradient", "(3,)", "(2,)"]),
            (lambda x: grad(x, x, upstream=1.0), ["upstream gradient", "()", "(2,)"]),
            (lambda x: grad((x, x), x, upstream=([1, 1],)), ["1 upstream", "2 needed"]),
            (lambda x: grad(x, x, upstream=["a", "b"]), ["upstream gradient", "real numbers"]),
            (lambda x: jvp(np.sin, x, [1.0]), ["tangent", "(1,)", "(2,)"]),
            (lambda x: jvp(np.sin, (x,), ([1.0, 1.0], 2.0)), ["2 tangent", "1 needed"]),
        ],
    )
    def test_says_what_was_given_and_expected(self, call, words):
        with pytest.raises(TapeError) as caught:
            call(self.x)
        for word in words:
            assert word in str(caught.value)
