"""What a Variable holds, and that nothing leaves the tape or changes on it without a word."""

import math

import numpy as np
import pytest
from scipy import linalg, special

from course_lib.tape import TapeError, Variable, elementwise, grad, no_grad


class TestValues:
    @pytest.mark.parametrize(
        "value", [[1, 2, 3], np.arange(3, dtype=np.uint8), [True, False], 7, True]
    )
    def test_integers_and_booleans_become_float64(self, value):
        x = Variable(value)
        assert x.dtype == np.float64
        np.testing.assert_array_equal(x.value, np.asarray(value))

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
    def test_floats_keep_their_dtype(self, dtype):
        x = Variable(np.ones(2, dtype))
        assert (x.dtype, grad(x * x, x).dtype) == (dtype, dtype)

    def test_integers_that_would_be_rounded_are_refused(self):
        assert Variable(2**53 - 1).value == 2**53 - 1
        for value in (2**53 + 1, -(2**60) - 1, np.uint64(2**63 + 1)):
            with pytest.raises(TapeError, match="too large for float64"):
                Variable(value)

    @pytest.mark.parametrize(
        "value", [["a", "b"], np.array([1, None]), 1j, None, {"a": 1}, [[1, 2], [3]], object()]
    )
    def test_what_is_no_array_of_numbers_is_refused(self, value):
        with pytest.raises(TapeError, match="must be real numbers") as caught:
            Variable(value)
        assert "np.asarray(x, float)" in str(caught.value)

    def test_attributes_are_those_of_the_array(self):
        x = Variable(np.zeros((2, 3), np.float32))
        assert (x.shape, x.ndim, x.size, x.dtype, len(x)) == ((2, 3), 2, 6, np.float32, 2)
        assert repr(Variable([1, 2])) == "Variable([1., 2.])"
        assert hash(x) == hash(x)

    def test_a_variable_can_be_unpacked(self):
        a, b = Variable([1.0, 2.0])
        assert (a.value, b.value) == (1, 2)

    def test_comparisons_give_plain_booleans(self):
        x = Variable([1.0, 2.0, 3.0])
        for result, expected in [
            (x > 2, [0, 0, 1]), (x >= 2, [0, 1, 1]), (x < 2, [1, 0, 0]), (x <= 2, [1, 1, 0]),
            (x == 2, [0, 1, 0]), (x != 2, [1, 0, 1]),
        ]:  # fmt: skip
            assert result.dtype == bool
            np.testing.assert_array_equal(result, expected)

    def test_functions_without_a_slope_just_look(self):
        x = Variable([3.0, 1.0])
        assert (np.argmax(x), np.shape(x), np.isfinite(x).all()) == (0, (2,), True)
        assert np.allclose(x, [3.0, 1.0])


class TestNothingChanges:
    """Between forward and backward: constants and indices are copied, values are read-only."""

    def test_the_array_that_a_variable_was_made_of(self):
        a = np.array([1.0, 2.0])
        x = Variable(a)
        y = x * x
        a[:] = 100
        np.testing.assert_array_equal(grad(y, x), [2, 4])

    def test_the_value(self):
        x = Variable([1.0, 2.0])
        y = x * x
        for v in (x, y):
            with pytest.raises(ValueError, match="read-only"):
                v.value[0] = 100
            with pytest.raises(AttributeError, match="no setter"):
                v.value = np.zeros(2)
        np.testing.assert_array_equal(grad(y, x), [2, 4])

    @pytest.mark.parametrize("view", [False, True])
    def test_a_constant(self, view):
        c = np.array([1.0, 2.0])
        given = c[:] if view else c
        given.flags.writeable = not view  # a read-only view of what others can write
        x = Variable([5.0, 5.0])
        y = x * given
        c[:] = 100
        np.testing.assert_array_equal(grad(y, x), [1, 2])

    def test_a_condition_and_an_index(self):
        mask, index = np.array([True, False]), np.array([1, 1])
        x = Variable([1.0, 2.0])
        y = np.where(mask, x, 0) + x[index] + x[mask]
        mask[:], index[:] = False, 0
        np.testing.assert_array_equal(grad(y, x), [3, 2])

    def test_in_place_operators(self):
        x = Variable([1.0, 2.0])
        with pytest.raises(TapeError, match="never changed in place"):
            x[0] = 5
        a = np.ones(2)
        with pytest.raises(TapeError, match="a = a \\+ x"):
            a += x
        y = x
        y += 1  # makes a new one
        np.testing.assert_array_equal(x.value, [1, 2])
        np.testing.assert_array_equal(grad(y, x), [1, 1])


class TestLeavingTheTape:
    x = Variable([1.0, 2.0])

    @pytest.mark.parametrize(
        "leave",
        [
            np.asarray,
            np.array,
            lambda x: np.array([x, x]),
            lambda x: float(x[0]),
            lambda x: int(x[0]),
            lambda x: math.sin(x[0]),
            lambda x: bool(x[0]),
            lambda x: 1 if x[0] > 0 and x[0] else 0,
            lambda x: linalg.norm(x),
            lambda x: np.add(x, [x, x]),
        ],
    )  # fmt: skip
    def test_is_never_silent(self, leave):
        with pytest.raises(TapeError, match="leave the tape") as caught:
            leave(self.x)
        for way_out in (".value", "stop_gradient", "custom gradient"):
            assert way_out in str(caught.value)

    @pytest.mark.parametrize(
        ("call", "name"),
        [
            (special.erf, "erf"),
            (np.sinc, "sinc"),
            (np.linalg.inv, "inv"),
            (np.cumsum, "cumsum"),
            (np.hypot, "hypot"),
        ],
    )
    def test_a_function_without_a_rule_is_named(self, call, name):
        with pytest.raises(TapeError) as caught:
            call(*([self.x] * (2 if name == "hypot" else 1)))
        assert name in str(caught.value)
        assert "elementwise(" in str(caught.value)

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            (lambda x: np.add(x, 1, out=np.zeros(2)), ["np.add", "out", "a = a + x"]),
            (lambda x: np.add.reduce(x), ["np.add", "reduce", "np.sum(x)"]),
            (
                lambda x: np.sum(x, out=np.zeros(())),
                ["sum(x, axis=None, *, keepdims=False)", "out"],
            ),
            (lambda x: np.linalg.norm(x, 1), ["norm(x, *, axis=None, keepdims=False)"]),
            (lambda x: np.where(x), ["where(condition, x, z)"]),
            (lambda x: np.max(x, where=[True, False], initial=0), ["max(x", "argument 'where'"]),
            (lambda x: x.cumsum(), ["cumsum", ".value"]),
            (lambda x: x.backward(), ["backward", "grad(y, x)"]),
            (lambda x: x @ np.ones(3), ["matmul", "(2,)", "(3,)", "Check the shapes"]),
            (lambda x: np.ones((4, 3)) @ x, ["matmul", "(4, 3)", "(2,)"]),
            (lambda x: x + np.ones(3), ["add", "(2,)", "(3,)"]),
            (lambda x: x + "a", ["add", "'a'", "real numbers"]),
            (lambda x: x * 1j, ["multiply", "1j", "real numbers"]),
            (lambda x: x + None, ["add", "None"]),
            (lambda x: x[5], ["getitem", "out of bounds"]),
            (lambda x: np.sum(x, axis=3), ["sum", "axis 3"]),
            (lambda x: np.concatenate([x, np.ones((2, 2))]), ["concatenate", "(2,)", "(2, 2)"]),
            (lambda x: np.dot(np.ones((2, 2, 2)), x), ["np.dot", "np.matmul"]),
            (lambda x: np.reshape(x, (3,)), ["reshape", "(2,)", "(3,)"]),
        ],
    )
    def test_says_what_was_given_and_what_to_do(self, call, words):
        with pytest.raises(TapeError) as caught:
            call(self.x)
        for word in words:
            assert word in str(caught.value)

    def test_elementwise_wants_one_formula_for_each_input(self):
        with pytest.raises(TapeError, match=r"hypot has 1 formula\(s\), but takes 2 input"):
            elementwise(np.hypot, lambda g, y, x, z: g * x / y)
        double = elementwise(lambda x: 2 * x, lambda g, y, x: 2 * g, name="double")
        with pytest.raises(TapeError, match=r"double has 1 formula\(s\), but takes 2 input"):
            double(self.x, self.x)

    def test_a_subclass_is_refused_at_once(self):
        with pytest.raises(TapeError, match="Parameter cannot be a subclass of Variable"):
            type("Parameter", (Variable,), {})

    def test_nothing_is_lost_where_nothing_is_recorded(self):
        with no_grad():
            assert np.array_equal(np.asarray(self.x), [1, 2])
            assert float(self.x[0]) == 1
            np.testing.assert_array_equal(special.erf(self.x), special.erf([1, 2]))
            a = np.ones(2)
            a += self.x
            np.testing.assert_array_equal(a, [2, 3])
