"""The bridge of notebook 14, and the ten cases of its clinic: each found out, each repaired."""

import numpy as np
import pytest
from rules import rules

from course_lib import frameworks
from course_lib.gradcheck import check_gradient

NOTEBOOK = "14_bridges_and_bugs"
CLOSE = {"rtol": 1e-12, "atol": 1e-12}
need_torch = pytest.mark.skipif("torch" not in frameworks.available(), reason="needs PyTorch")
need_tf = pytest.mark.skipif("tensorflow" not in frameworks.available(), reason="needs TensorFlow")

POINTS = [np.random.default_rng(14).normal(size=(2, 3)), np.array([-1.0, 0.0, 1.0, 20.0, -1e-3])]
AT = np.array([1.0, -0.5, 2.0])
SIGNS = np.array([-1.0, -4.0, 4.0])
ROW, FACTOR = np.array([[1.0, 2.0]]), np.array([3.0])


def found():
    return rules(NOTEBOOK)


def double(*values):
    return frameworks.torch.tensor(values, dtype=frameworks.torch.float64, requires_grad=True)


@pytest.mark.parametrize("framework", frameworks.available())
@pytest.mark.parametrize("x", POINTS, ids=["random", "boundary"])
def test_sinh_to_the_second_derivative_in_three_dialects(framework, x):
    rng = np.random.default_rng(0)
    upstream, direction = rng.normal(size=x.shape), rng.normal(size=x.shape)
    adapter, rule = frameworks.get(framework), found().dialects("sinh")[framework]
    (value,), pullback = adapter.vjp(rule, x)
    np.testing.assert_allclose(value, np.sinh(x), **CLOSE)
    np.testing.assert_allclose(pullback(upstream)[0], np.cosh(x) * upstream, **CLOSE)
    (second,) = adapter.second_vjp(rule, (x,), (upstream,), (direction,))
    np.testing.assert_allclose(second, np.sinh(x) * upstream * direction, **CLOSE)


@need_torch
class TestBridge:
    @pytest.fixture
    def suite(self):
        def dictionaries(a, b):
            return tuple(found().mix_torch({"a": a, "b": b}).values())

        def keywords(x):
            return found().smooth_step_torch(x, alpha=4.0, label="a name")

        x, y = double(0.5, 2.0), double(3.0, 1.0)
        return [
            (found().sinh_torch, (x,)),
            (found().product_sine_square_torch, (x, y)),
            (keywords, (x,)),
            (dictionaries, (x, y)),
        ]

    def test_gradcheck_and_gradgradcheck(self, suite):
        for rule, inputs in suite:
            assert frameworks.torch.autograd.gradcheck(rule, inputs, rtol=1e-5)
            assert frameworks.torch.autograd.gradgradcheck(rule, inputs, rtol=1e-5)

    def test_product_sine_square_is_that_of_notebook_03(self):
        rng = np.random.default_rng(1)
        x, y, u, v = rng.normal(size=(4, 2, 3))
        values, pullback = frameworks.get("torch").vjp(found().product_sine_square_torch, x, y)
        np.testing.assert_allclose(values[0], x * y + np.sin(x), **CLOSE)
        np.testing.assert_allclose(values[1], y * y, **CLOSE)
        gradients = pullback(u, v)
        np.testing.assert_allclose(gradients[0], u * (y + np.cos(x)), **CLOSE)
        np.testing.assert_allclose(gradients[1], u * x + 2 * v * y, **CLOSE)

    def test_torch_func(self):
        func, sinh = frameworks.torch.func, found().sinh_torch
        x = double(0.5, 2.0).detach()

        def total(x):
            return sinh(x).sum()

        np.testing.assert_allclose(func.grad(total)(x), x.cosh(), **CLOSE)
        np.testing.assert_allclose(func.vmap(func.grad(sinh))(x), x.cosh(), **CLOSE)
        hessian = func.jacrev(func.jacrev(total))(x)
        np.testing.assert_allclose(hessian, x.sinh().diag(), **CLOSE)

    def test_vmap_over_a_dictionary_and_over_an_output_that_is_the_input(self):
        func, x = frameworks.torch.func, double(0.5, 2.0).detach()
        mixed = func.vmap(lambda a: found().mix_torch({"a": a, "b": 3 * a}))(x)
        np.testing.assert_allclose(mixed["product"], 3 * x**2, **CLOSE)
        turned = func.vmap(func.grad(found().reversed_torch))(x)
        np.testing.assert_allclose(turned, [-1.0, -1.0])

    def test_forward_mode_says_that_a_jvp_is_missing(self):
        with pytest.raises(RuntimeError, match="jvp"):
            frameworks.torch.func.jacfwd(found().sinh_torch)(double(0.5).detach())

    def test_nothing_outlives_its_result(self):
        x, body = double(0.5, 2.0), found().exp_body

        def left(rule):
            return found().left_behind(rule, x)

        assert left(found().custom_gradient(body)) == 0
        assert left(found().keep_gradient(body)) == 10  # so the measure can see it
        assert left(found().exp_broken_torch) == 10
        assert left(found().SavedExponential.apply) == 0

    def test_only_the_input_is_saved(self):
        x = double(0.5, 2.0)
        (kept,) = found().saved(found().sinh_torch, x)
        assert kept.data_ptr() == x.data_ptr()

    @pytest.mark.parametrize(
        ("body", "error", "words"),
        [
            (lambda x: (x, x, lambda u: u), TypeError, r"return \(a, b\), grad_fn"),
            (lambda x: x, TypeError, "two things"),
            (lambda x: (x * 2, lambda u: (u, u)), ValueError, "2 gradients for 1 tensors"),
            (lambda x: (x * 2, lambda u: u.expand(3, 2)), ValueError, r"\(3, 2\).*\(2,\)"),
        ],
        ids=["no parentheses", "no gradient", "arity", "shape"],
    )
    def test_a_broken_rule_is_told_what_is_wrong(self, body, error, words):
        x = double(0.5, 2.0)
        with pytest.raises(error, match=words):
            frameworks.torch.autograd.grad(found().custom_gradient(body)(x).sum(), x)


CLINIC_TORCH = [
    ("energy", (AT,), "upstream-ignored"),
    ("mean", (np.ones(3),), "wrong-shape"),
    ("doubled", (AT,), "second-order"),
    ("root_or_line", (SIGNS,), "unstable"),
    ("square", (AT,), "mutates-input"),
]
CLINIC_TF = [
    ("scaled", (ROW, FACTOR), "wrong-shape"),
    ("power", (AT, 3.0), "wrong-arity"),
]


@need_torch
@pytest.mark.parametrize(("name", "inputs", "code"), CLINIC_TORCH)
def test_the_clinic_in_torch(name, inputs, code):
    broken, repaired = (getattr(found(), f"{name}{kind}_torch") for kind in ("_broken", ""))
    assert check_gradient(broken, *inputs, framework="torch", order=2).faults[0].code == code
    assert check_gradient(repaired, *inputs, framework="torch", order=2).ok


@need_tf
@pytest.mark.parametrize(("name", "inputs", "code"), CLINIC_TF)
def test_the_clinic_in_tensorflow(name, inputs, code):
    broken, repaired = (getattr(found(), f"{name}{kind}_tf") for kind in ("_broken", ""))
    assert check_gradient(broken, *inputs, framework="tensorflow").faults[0].code == code
    assert check_gradient(repaired, *inputs, framework="tensorflow", order=2).ok


@need_tf
def test_keywords_lose_the_rule_and_a_function_in_front_keeps_it():
    def check(rule):
        return check_gradient(rule, AT, framework="tensorflow", surrogate=lambda u, x: 2000 * x * u)

    assert not check(found().amplified_broken_tf).ok
    assert check(lambda x: found().amplified_by_name_tf(x=x)).ok


@need_tf
def test_a_captured_variable_needs_its_gradient():
    tf = frameworks.tensorflow
    report = check_gradient(found().strengthened_broken_tf, AT, framework="tensorflow")
    assert report.faults[0].code == "rule-raises"
    with tf.GradientTape() as recording:
        total = tf.reduce_sum(found().strengthened_tf(tf.constant(AT)))
    assert recording.gradient(total, found().strength).numpy() == AT.sum()


@need_tf
@pytest.mark.parametrize("name", ["sinh_tf", "power_tf"])
def test_tensorflow_rules_work_in_a_tf_function(name):
    tf, rule = frameworks.tensorflow, getattr(found(), name)

    @tf.function
    def slope(x):
        with tf.GradientTape() as recording:
            recording.watch(x)
            y = rule(x) if name == "sinh_tf" else rule(x, tf.constant(3.0, tf.float64))
        return recording.gradient(y, x)

    truth = np.cosh(AT) if name == "sinh_tf" else 3 * AT**2
    np.testing.assert_allclose(slope(tf.constant(AT)), truth, **CLOSE)
