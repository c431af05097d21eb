"""The twelve seed examples, repaired only where they did not run: their faults are named."""

import numpy as np
import pytest
from scipy.special import erf

from course_lib.frameworks import tensorflow as tf
from course_lib.frameworks import torch
from course_lib.gradcheck import check_gradient
from course_lib.tape import register_custom_gradient

X = np.array([1.0, 2.0, 3.0])


# -- seed 000: pseudo-code, on the tape -----------------------------------------------------------


def square_forward(x):
    return x * x


def test_seed_000_1_square():
    square = register_custom_gradient(square_forward, lambda u, x: 2 * x * u)
    assert check_gradient(square, X, order=2)


def test_seed_000_1_calling_the_plain_forward_bypasses_the_rule():
    register_custom_gradient(square_forward, lambda u, x: 7 * 2 * x * u)
    report = check_gradient(square_forward, X)
    assert report.faults[0].code == "rule-not-run"
    sentinel = check_gradient(square_forward, X, surrogate=lambda u, x: 7 * 2 * x * u)
    assert sentinel.faults[0].code == "rule-not-run"


def test_seed_000_2_square_and_cube():
    def backward(u_square, u_cube, x):
        return 2 * x * u_square + 3 * x * x * u_cube

    both = register_custom_gradient(lambda x: (x * x, x * x * x), backward)
    assert check_gradient(both, X)


def test_seed_000_3_external_library():
    rule = register_custom_gradient(erf, lambda u, x: u * 2 / np.sqrt(np.pi) * np.exp(-x * x))
    assert check_gradient(rule, np.array([-1.2, 0.0, 0.4]))
    assert check_gradient(rule, np.array(0.4))


# -- seed 001: TensorFlow -------------------------------------------------------------------------


@tf.custom_gradient
def my_custom_op(x):
    return tf.square(x), lambda dy: dy * 2 * x


@tf.custom_gradient
def complex_op(x, y):
    def grad(dy_dz, dy_dw):
        return dy_dz * (y + tf.cos(x)), dy_dz * x + dy_dw * 2 * y

    return (tf.multiply(x, y) + tf.sin(x), tf.square(y)), grad


@tf.custom_gradient
def non_diff_op(x):
    return tf.where(x > 0, x * 2, x), lambda dy: tf.where(x > 0, dy * 2, dy)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_seed_001_is_right(dtype):
    x = X.astype(dtype)
    assert check_gradient(my_custom_op, x, framework="tensorflow", order=2)
    assert check_gradient(complex_op, x, x[::-1].copy(), framework="tensorflow")
    kinked = np.array([-1.0, 0.0, 1.0], dtype)
    assert check_gradient(non_diff_op, kinked, framework="tensorflow")


def test_seed_001_2_as_written_raises():
    @tf.custom_gradient
    def as_written(x, y):
        return tf.multiply(x, y), tf.square(y), lambda u, v: (u * y, u * x + 2 * v * y)

    report = check_gradient(as_written, X, X, framework="tensorflow")
    assert report.faults[0].code == "rule-raises"
    assert "too many values to unpack" in report.faults[0].message


# -- seed 002: PyTorch ----------------------------------------------------------------------------


class CustomExp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.exp(x)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return 2 * torch.exp(x) * grad_output


class ConditionalOp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        y = torch.zeros_like(x)
        y[x > 0] = x[x > 0] * 2
        y[x <= 0] = x[x <= 0] * 0.5
        return y

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        grad_input = torch.zeros_like(x)
        grad_input[x > 0] = grad_output[x > 0] * 2
        grad_input[x <= 0] = grad_output[x <= 0] * 0.5
        return grad_input


class SmoothRound(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, alpha=10.0):
        ctx.save_for_backward(x)
        ctx.alpha = alpha
        return 0.5 + 0.5 * torch.tanh(alpha * (x - 0.5))

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        alpha = ctx.alpha
        return grad_output * alpha * (1 - torch.tanh(alpha * (x - 0.5)) ** 2), None


def test_seed_002_1_is_a_surrogate():
    assert check_gradient(
        CustomExp.apply, X, framework="torch", surrogate=lambda u, x: 2 * np.exp(x) * u
    )
    report = check_gradient(CustomExp.apply, X, framework="torch")
    assert report.faults[0].code == "wrong-scale"


def test_seed_002_2_is_right():
    assert check_gradient(ConditionalOp.apply, np.array([-1.0, 0.0, 1.0, 2.0]), framework="torch")


@pytest.mark.parametrize("alpha", [10.0, 3.0])
def test_seed_002_3_is_twice_too_large(alpha):
    x = np.array([0.1, 0.5, 0.9])
    report = check_gradient(SmoothRound.apply, x, alpha, framework="torch")
    fault = report.faults[0]
    assert fault.code == "wrong-scale"
    assert "is 2 times what it should be" in fault.message
    assert fault.actual == pytest.approx(2 * fault.expected, rel=1e-5)


# -- seed 003: PyTorch ----------------------------------------------------------------------------


class CustomReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input_tensor):
        ctx.save_for_backward(input_tensor)
        return torch.clamp(input_tensor, min=0)

    @staticmethod
    def backward(ctx, grad_output):
        (input_tensor,) = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[input_tensor <= 0] = -0.5
        return grad_input


class CustomSquaredLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, prediction, target):
        ctx.save_for_backward(prediction, target)
        return (prediction - target) ** 2

    @staticmethod
    def backward(ctx, grad_output):
        prediction, target = ctx.saved_tensors
        grad_loss_prediction = 2 * (prediction - target) * grad_output
        grad_loss_prediction[torch.abs(prediction - target) < 0.1] = 1.0
        return grad_loss_prediction, -2 * (prediction - target) * grad_output


class MemoryEfficientSigmoid(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input_tensor):
        ctx.save_for_backward(input_tensor)
        return torch.sigmoid(input_tensor)

    @staticmethod
    def backward(ctx, grad_output):
        (input_tensor,) = ctx.saved_tensors
        output_tensor = torch.sigmoid(input_tensor)
        return grad_output * output_tensor * (1 - output_tensor)


AROUND_ZERO = np.array([-1.0, 0.0, 0.5, 2.0])


def test_seed_003_1_ignores_the_upstream_where_it_assigns():
    def meant(u, x):
        return np.where(x <= 0, -0.5 * u, u)

    for surrogate in (None, meant):
        report = check_gradient(
            CustomReLU.apply, AROUND_ZERO, framework="torch", surrogate=surrogate
        )
        fault = report.faults[0]
        assert fault.code == "upstream-ignored"
        assert "2 of 4 entries" in fault.message
        assert fault.actual == -0.5


def test_seed_003_1_repaired_is_a_surrogate():
    @tf.custom_gradient
    def leaky_gradient_relu(x):
        return tf.nn.relu(x), lambda u: tf.where(x <= 0, -0.5 * u, u)

    meant = {"surrogate": lambda u, x: np.where(x <= 0, -0.5 * u, u)}
    assert check_gradient(leaky_gradient_relu, AROUND_ZERO, framework="tensorflow", **meant)
    assert not check_gradient(leaky_gradient_relu, AROUND_ZERO, framework="tensorflow")


def test_seed_003_2_ignores_the_upstream_near_the_target():
    prediction, target = np.array([0.5, 0.0, 1.0]), np.array([0.5, 0.05, 1.2])
    report = check_gradient(CustomSquaredLoss.apply, prediction, target, framework="torch")
    fault = report.faults[0]
    assert (fault.code, fault.input, fault.actual) == ("upstream-ignored", 0, 1.0)
    assert "prediction" in fault.message
    assert len(report.faults) == 1  # the target's gradient is right


def test_seed_003_3_is_right():
    x = np.array([-1.0, 0.5, 2.0])
    assert check_gradient(MemoryEfficientSigmoid.apply, x, framework="torch", order=2)
