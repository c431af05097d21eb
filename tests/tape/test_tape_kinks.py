"""Where a derivative jumps: what we answer there, beside PyTorch's answer."""

import numpy as np
import pytest
import torch

from course_lib.tape import Variable, grad

ZERO, ONE = np.zeros(3), np.ones(3)


def both(ours, theirs, *arrays):
    xs = [Variable(a) for a in arrays]
    ts = [torch.tensor(a, requires_grad=True) for a in arrays]
    mine = grad(ours(*xs), xs)
    other = torch.autograd.grad(theirs(*ts).sum(), ts)
    return mine, [t.numpy() for t in other]


@pytest.mark.parametrize(
    ("ours", "theirs", "arrays"),
    [
        (np.maximum, torch.maximum, (ONE, ONE)),
        (np.minimum, torch.minimum, (ONE, ONE)),
        (np.abs, torch.abs, (ZERO,)),
        (np.sign, torch.sign, (ZERO,)),
        (
            lambda x: np.clip(x, -1, 1),
            lambda x: torch.clamp(x, -1, 1),
            (np.array([-1.0, 1.0, 0.0]),),
        ),
        (lambda x: np.clip(x, 0, None), lambda x: torch.clamp(x, min=0), (ZERO,)),
        (np.max, torch.amax, (np.array([1.0, 3.0, 3.0]),)),
        (np.min, torch.amin, (np.array([[1.0, 1.0], [1.0, 2.0]]),)),
        (lambda x: np.max(x, axis=0), lambda x: torch.amax(x, 0), (np.ones((2, 2)),)),
        (np.linalg.norm, torch.linalg.vector_norm, (ZERO,)),
        (lambda x: x**0, lambda x: x**0, (ZERO,)),
        (lambda x: x**1, lambda x: x**1, (ZERO,)),
        (lambda x: x**2, lambda x: x**2, (ZERO,)),
        (lambda x, p: x**p, torch.pow, (ZERO, np.array([1.0, 2.0, 3.0]))),
        (np.sqrt, torch.sqrt, (np.array([0.0, 1.0]),)),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_pytorch_chooses_the_same_subgradient(ours, theirs, arrays):
    for mine, other in zip(*both(ours, theirs, *arrays), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_maximum_with_a_number_shares_a_tie_where_relu_gives_nothing():
    """On purpose: np.maximum(x, 0) is a maximum of two, torch.relu is not."""
    (mine,), (relu,) = both(lambda x: np.maximum(x, 0), torch.relu, ZERO)
    np.testing.assert_array_equal(mine, [0.5, 0.5, 0.5])
    np.testing.assert_array_equal(relu, [0, 0, 0])


def test_bounds_of_clip_that_cross_leave_the_upper_one():
    x, low, high = Variable([-3.0, 0.0, 3.0]), Variable(1.0), Variable(-1.0)
    y = np.clip(x, low, high)
    np.testing.assert_array_equal(y.value, [-1, -1, -1])
    gradients = grad(y, (x, low, high))
    np.testing.assert_array_equal(gradients[0], [0, 0, 0])
    assert [float(g) for g in gradients[1:]] == [0, 3]


def test_derivatives_of_powers_at_zero_stay_finite_at_every_order():
    x = Variable([0.0])
    orders = [x**3]
    for _ in range(4):
        orders.append(grad(orders[-1], x, create_graph=True))
    np.testing.assert_array_equal([d.value[0] for d in orders], [0, 0, 0, 6, 0])
