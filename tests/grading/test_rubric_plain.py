"""Values as plain data: what survives the conversion, and what must not."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_lib.grading.plain import MAX_NUMBERS, UNFILLED, NotPlain, from_plain, to_plain


def there_and_back(value):
    return from_plain(json.loads(json.dumps(to_plain(value))))


NUMBERS = st.one_of(
    hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0))
    for dtype in (np.float64, np.float32, np.int64, np.bool_, np.complex128)
)


@given(NUMBERS)
def test_arrays_come_back_to_the_last_bit(array):
    back = there_and_back(array)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20),
        lambda inner: (
            st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=5), inner)
        ),
    )
)
def test_structures_come_back_in_the_same_form(value):
    assert there_and_back(value) == value


def test_a_value_is_copied():
    array = np.ones(2)
    back = from_plain(to_plain(array))
    back[0] = 7
    assert array[0] == 1


def test_integers_too_large_for_an_array_are_refused():
    with pytest.raises(NotPlain, match="object"):
        to_plain(2**70)


def test_the_blank_to_fill_in_is_kept_apart():
    assert there_and_back(...) is UNFILLED


class EqualsEverything:
    def __eq__(self, other):
        return True

    def __array_function__(self, *_):
        return True

    def __array_ufunc__(self, *_, **__):
        return np.array(True)


class Posing(np.ndarray):
    def __eq__(self, other):
        return np.ones(self.shape, bool)


def test_an_object_that_equals_everything_is_not_a_number():
    with pytest.raises(NotPlain, match="EqualsEverything, which is not a number"):
        to_plain(EqualsEverything())
    with pytest.raises(NotPlain):
        to_plain(np.array([EqualsEverything()], dtype=object))


def test_a_subclass_of_array_is_reduced_to_its_numbers():
    back = there_and_back(np.zeros(3).view(Posing))
    assert type(back) is np.ndarray
    assert not (back == 1).any()


def test_what_is_too_large_or_too_deep_is_refused():
    with pytest.raises(NotPlain, match="more than"):
        to_plain(np.zeros(MAX_NUMBERS + 1))
    nested = []
    nested.append(nested)
    with pytest.raises(NotPlain, match="nested too deeply"):
        to_plain(nested)


@pytest.mark.parametrize(
    "forged",
    [
        {"dtype": "object", "shape": [1], "data": ["x"]},
        {"dtype": "float64", "shape": [3], "data": [1.0]},
        {"dtype": "float64", "shape": [1], "data": ["x"]},
        {"dtype": "float64", "shape": "abc", "data": [1.0]},
        {"dtype": "no such", "shape": [1], "data": [1.0]},
        {"dtype": "float64", "shape": [1]},
        {"list": 3},
        {"dict": [1]},
        {},
        object(),
    ],
)
def test_forged_data_is_refused_and_never_believed(forged):
    with pytest.raises(NotPlain):
        from_plain(forged)
