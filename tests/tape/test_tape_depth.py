"""Depth is bounded by memory, not by recursion; work grows with the number of nodes."""

import sys

import numpy as np
import pytest

from course_lib.tape import Variable, grad, jvp, on_backward


def steps_of(y, x):
    """How many nodes a backward pass visits."""
    visited = []
    with on_backward(lambda node, *_: visited.append(node.moment)):
        gradient = grad(y, x)
    assert len(visited) == len(set(visited))
    return len(visited), gradient


def test_a_chain_of_a_million_ops_at_the_default_recursion_limit():
    assert sys.getrecursionlimit() <= 3000
    x = Variable([1.0, 2.0])
    y = x
    for _ in range(1_000_000):
        y = y + 1e-6
    np.testing.assert_array_equal(grad(y, x), [1, 1])
    del y  # freeing it does not recur either


@pytest.mark.parametrize("levels", [10, 1000])
def test_a_shared_node_is_visited_once(levels):
    x = Variable([1.0])
    y = x
    for _ in range(levels):
        y = y + y
    count, gradient = steps_of(y, x)
    assert count == levels
    np.testing.assert_array_equal(gradient, [2.0**levels])
    np.testing.assert_array_equal(y.value, [2.0**levels])


def test_forward_mode_visits_a_shared_node_once():
    def doubled(x):
        for _ in range(1000):
            x = x + x
        return x

    _, tangent = jvp(doubled, np.array([1.0]), np.array([1.0]))
    np.testing.assert_array_equal(tangent, [2.0**1000])


def test_nothing_older_than_x_is_visited():
    before = Variable([1.0])
    for _ in range(100):
        before = np.sin(before)
    count, _ = steps_of(np.sin(before), before)
    assert count == 1


@pytest.mark.parametrize("length", [100, 1000])
def test_the_second_derivative_grows_with_the_length_of_the_chain(length):
    x = Variable([0.5])
    y = x
    for _ in range(length):
        y = np.sin(y)
    first = grad(y, x, create_graph=True)
    count, _ = steps_of(first, x)
    assert count <= 6 * length
