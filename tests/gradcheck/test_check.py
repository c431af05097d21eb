"""One call of check_gradient: what it takes, what it refuses, and what it says."""

import subprocess
import sys

import numpy as np
import pytest

from course_lib import frameworks
from course_lib.gradcheck import HINTS, check_gradient
from course_lib.tape import custom_gradient, register_custom_gradient

X = np.array([1.0, -2.0, 3.0])


def square_rule(backward):
    return register_custom_gradient(lambda x: x * x, backward)


RIGHT = square_rule(lambda u, x: 2 * x * u)


def one_entry_off(by, at=137, dtype=float):
    """A square of 300 entries with one entry of its gradient off by this share."""
    mask = np.ones(300, dtype)
    mask[at] += by
    return square_rule(lambda u, x: 2 * x * u * mask)


# -- sharpness ------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, 137, 299])
@pytest.mark.parametrize("by", [0.002, -0.002])
def test_one_entry_of_300_by_a_fifth_of_a_percent(at, by):
    x = np.random.default_rng(at).normal(size=300)
    fault = check_gradient(one_entry_off(by, at), x).faults[0]
    assert (fault.code, fault.index) == ("wrong-values", (at,))
    assert fault.actual == pytest.approx(fault.expected * (1 + by), rel=1e-6)


def test_one_entry_of_300_in_a_product_of_matrices():
    rng = np.random.default_rng(3)
    mask = np.ones((15, 20))
    mask[4, 7] = 1.002

    rule = register_custom_gradient(lambda a, b: a @ b, lambda u, a, b: (mask * (u @ b.T), a.T @ u))
    fault = check_gradient(rule, rng.normal(size=(15, 20)), rng.normal(size=(20, 4))).faults[0]
    assert (fault.code, fault.input, fault.index) == ("wrong-values", 0, (4, 7))


def test_one_entry_of_300_in_float32():
    x = np.random.default_rng(5).normal(size=300).astype("float32")
    assert check_gradient(RIGHT, x)
    fault = check_gradient(one_entry_off(0.002, dtype=np.float32), x).faults[0]
    assert (fault.code, fault.index) == ("wrong-values", (137,))


def test_what_was_sampled_is_said_and_the_rest_is_not_forgotten():
    rng = np.random.default_rng(8)
    x = rng.normal(size=4000)

    def coupled(scale):
        def backward(u, x):
            return 2 * x * u.sum() * scale

        return register_custom_gradient(lambda x: (x * x).sum() * np.ones(2), backward)

    assert "1000 of 4000 entries" in str(check_gradient(coupled(1.0), x))
    late = np.ones(4000)
    late[np.flatnonzero(np.abs(x) > 2)[-1]] = 1.5
    assert not check_gradient(coupled(late), x)


@pytest.mark.parametrize(("seed", "order"), [(0, 1), (1, 2), (2, 1)])
def test_any_seed_finds_the_same(seed, order):
    assert check_gradient(RIGHT, X, seed=seed, order=order)
    wrong = square_rule(lambda u, x: x * u)
    assert check_gradient(wrong, X, seed=seed).faults[0].code == "wrong-scale"


def test_the_inputs_stay_as_they_are():
    x = X.copy()
    check_gradient(square_rule(lambda u, x: 3 * x * u), x)
    np.testing.assert_array_equal(x, X)


def test_a_saved_value_that_is_overwritten():
    def forward(x):
        y = np.exp(x)

        def backward(u):
            np.multiply(y, u, out=y)
            return y.copy()

        return y.copy(), backward

    assert check_gradient(custom_gradient(forward), X).faults[0].code == "stale-state"


def test_rounding_where_the_gradient_is_flat_is_no_fault():
    tanh = custom_gradient(lambda x: (np.tanh(x), lambda u: u * (1 - np.tanh(x) * np.tanh(x))))
    for seed in range(5):
        assert check_gradient(tanh, np.array([20.0, 0.0, -19.0, 0.4]), order=2, seed=seed)


def test_tied_maxima_must_share():
    def largest(share):
        def rule(x):
            tied = x == x.max()
            return x.max(), lambda u: u * tied / (tied.sum() if share else 1)

        return custom_gradient(rule)

    tied = np.array([1.0, 1.0, 0.0])
    assert check_gradient(largest(share=True), tied)
    assert check_gradient(largest(share=False), tied).faults[0].code == "wrong-at-kink"


# -- surrogates -----------------------------------------------------------------------------------


def test_a_surrogate_is_compared_with_instead_of_the_derivative():
    reversal = custom_gradient(lambda x: (x * 1.0, lambda u: -u))
    assert check_gradient(reversal, X).faults[0].code == "wrong-sign"
    assert check_gradient(reversal, X, surrogate=lambda u, x: -u)
    twice = check_gradient(reversal, X, surrogate=lambda u, x: -2 * u).faults[0]
    assert (twice.code, twice.expected, twice.actual) == ("wrong-scale", -2.0, -1.0)


def test_clipping_is_legal_once_it_is_declared():
    clipped = square_rule(lambda u, x: np.clip(2 * x * u, -3, 3))
    assert check_gradient(clipped, X).faults[0].code == "nonlinear-upstream"
    assert check_gradient(clipped, X, surrogate=lambda u, x: np.clip(2 * x * u, -3, 3))
    assert not check_gradient(clipped, X, surrogate=lambda u, x: np.clip(2 * x * u, -2, 2))


def test_a_surrogate_leaves_constants_out_or_gives_none_for_them():
    rule = register_custom_gradient(lambda x, p: p * x, lambda u, x, p: (-u, None))
    assert check_gradient(rule, X, 2.0, surrogate=lambda u, x, p: -u)
    assert check_gradient(rule, X, 2.0, surrogate=lambda u, x, p: (-u, None))


@pytest.mark.parametrize(
    ("surrogate", "words"),
    [(lambda u, x: (u, u, u), "returned 3 gradients"), (lambda u, x: u.sum(), r"has shape \(\)")],
)
def test_a_surrogate_that_does_not_fit(surrogate, words):
    with pytest.raises(ValueError, match=words):
        check_gradient(RIGHT, X, surrogate=surrogate)


# -- bad input: each has its own sentence ---------------------------------------------------------


def test_a_rule_that_raises():
    def forward(x):
        raise ZeroDivisionError("no volume")

    fault = check_gradient(register_custom_gradient(forward, lambda u, x: u), X).faults[0]
    assert fault.code == "rule-raises"
    assert "forward raises on these inputs: ZeroDivisionError: no volume" in fault.message


def test_a_backward_that_raises():
    fault = check_gradient(square_rule(lambda u, x: u[99]), X).faults[0]
    assert fault.code == "rule-raises"
    assert "backward" in fault.message and "IndexError" in fault.message


@pytest.mark.parametrize("framework", ["tape", "tensorflow", "torch"])
@pytest.mark.parametrize(
    ("result", "words"), [("abc", "returned a str"), (None, "returned nothing"), ({}, "a dict")]
)
def test_a_rule_that_returns_no_tensor(framework, result, words):
    fault = check_gradient(lambda x: result, X, framework=framework).faults[0]
    assert fault.code == "rule-raises"
    assert words in fault.message


def test_a_rule_that_is_random():
    rng = np.random.default_rng()
    noisy = custom_gradient(lambda x: (x + rng.normal(), lambda u: u))
    fault = check_gradient(noisy, X).faults[0]
    assert fault.code == "stale-state"
    assert "not deterministic" in fault.message and "argument" in fault.hint


@pytest.mark.parametrize(
    ("inputs", "words"),
    [((), "was given nothing"), ((2.0,), "a float"), ((np.array([1, 2]),), "an array of int64")],
)
def test_no_array(inputs, words):
    with pytest.raises(ValueError, match=f"{words}.*needs at least one floating-point NumPy array"):
        check_gradient(RIGHT, *inputs)


def test_inputs_that_are_not_finite():
    with pytest.raises(ValueError, match="nan or infinite"):
        check_gradient(RIGHT, np.array([1.0, np.nan]))


def test_a_result_instead_of_a_rule():
    with pytest.raises(TypeError, match=r"check_gradient\(square, x\), not its result"):
        check_gradient(X * X, X)


def test_another_order():
    with pytest.raises(ValueError, match="order is 3"):
        check_gradient(RIGHT, X, order=3)


def test_an_unknown_framework():
    with pytest.raises(ValueError, match="no framework 'jax'"):
        check_gradient(RIGHT, X, framework="jax")


def test_a_missing_framework():
    script = """
import sys
sys.modules["torch"] = None  # how Python itself marks a package that is not there
import numpy as np
from course_lib.frameworks import FrameworkMissing
from course_lib.gradcheck import check_gradient
try:
    check_gradient(abs, np.ones(2), framework="torch")
except FrameworkMissing as missing:
    print(missing)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.startswith("PyTorch is needed here"), done.stderr
    assert issubclass(frameworks.FrameworkMissing, ImportError)


# -- what it says ---------------------------------------------------------------------------------


def test_a_report_in_words():
    report = check_gradient(square_rule(lambda u, x: 2 * x), X)
    assert not report and not report.ok
    text = str(report)
    assert "upstream-ignored" in text
    assert "the same whether the loss is multiplied by 1, 2, −1 or 0" in text
    assert HINTS["upstream-ignored"] in text
    assert "all 3 entries of x (input 0)" in text
    assert repr(report) == "<GradientReport the rule: upstream-ignored>"


def test_a_right_report_in_words():
    report = check_gradient(RIGHT, X, order=2)
    assert report and report.faults == ()
    assert "right" in str(report) and "second derivative" in str(report)


def test_a_report_as_a_page():
    report = check_gradient(square_rule(lambda u, x: x * u), X)
    page = report._repr_html_()
    assert "<strong>" in page and '<svg xmlns="http://www.w3.org/2000/svg"' in page
    assert "[2], expected 6, actual 3" in page
    assert report._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize("x", [np.array(2.0), np.zeros((0, 2)), np.ones((2, 2, 2))])
def test_every_shape_has_a_page(x):
    report = check_gradient(RIGHT, x)
    assert ("<svg" in report._repr_html_()) == (report._repr_png_() is not None) == bool(x.size)
    check_gradient(square_rule(lambda u, x: 3 * x * u), x)._repr_html_()


def test_a_page_quotes_what_the_rule_says():
    def forward(x):
        raise ValueError("<script>alert(1)</script>")

    page = check_gradient(register_custom_gradient(forward, lambda u, x: u), X)._repr_html_()
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_every_code_has_a_hint():
    assert len(HINTS) == 23
    assert all(hint.endswith(".") for hint in HINTS.values())
