"""Custom gradients in all four dialects: what they can do, and that none fails in silence."""

import numpy as np
import pytest
from scipy import linalg, special

from course_lib.tape import (
    Function,
    TapeError,
    Variable,
    custom_gradient,
    custom_vjp,
    grad,
    jvp,
    no_grad,
    register_custom_gradient,
)

# -- one rule, four dialects ----------------------------------------------------------------------
# forward(*inputs) gives (outputs, saved), backward(saved, *upstreams) one gradient an input


def in_tensorflows_shape(forward, backward):
    @custom_gradient
    def rule(x, *rest):
        outputs, saved = forward(x, *rest)

        def grad_fn(*upstreams):
            return backward(saved, *upstreams)

        return outputs, grad_fn

    return rule


def in_pytorchs_shape(forward, backward):
    class rule(Function):
        @staticmethod
        def forward(ctx, x, *rest):
            outputs, saved = forward(x, *rest)
            ctx.save_for_backward(*saved)
            return outputs

        @staticmethod
        def backward(ctx, *upstreams):
            return backward(ctx.saved_tensors, *upstreams)

    return rule.apply


def in_the_seeds_shape(forward, backward, outputs=1):
    def rule(x, *rest):
        return forward(x, *rest)[0]

    def pull(*upstreams_and_inputs):
        upstreams, inputs = upstreams_and_inputs[:outputs], upstreams_and_inputs[outputs:]
        return backward(forward(*inputs)[1], *upstreams)

    return register_custom_gradient(rule, pull)


def in_jaxs_shape(forward, backward):
    @custom_vjp
    def rule(x, *rest):
        return forward(x, *rest)[0]

    rule.defvjp(forward, backward)
    return rule


FACES = [in_tensorflows_shape, in_pytorchs_shape, in_the_seeds_shape, in_jaxs_shape]
each_face = pytest.mark.parametrize("face", FACES)
X = [1.0, 2.0, 3.0]
SLOPE = 2 / np.sqrt(np.pi)


def square(x):
    return x * x, (x,)


def failure(face, backward, forward=square, x=X):
    """The message with which a broken rule stops the backward pass."""
    rule, x = face(forward, backward), Variable(x)
    with pytest.raises(TapeError) as caught:
        grad(rule(x), x)
    return str(caught.value)


def assert_mentions(message, *words):
    for word in words:
        assert str(word) in message


# -- what they can do -----------------------------------------------------------------------------


@each_face
def test_first_second_and_third_order(face):
    rule = face(lambda x: (x**4, (x,)), lambda saved, g: 4 * saved[0] ** 3 * g)
    x = Variable(X)
    first = grad(rule(x), x, create_graph=True)
    second = grad(first, x, create_graph=True)
    np.testing.assert_allclose(first.value, 4 * x.value**3)
    np.testing.assert_allclose(second.value, 12 * x.value**2)
    np.testing.assert_allclose(grad(second, x), 24 * x.value)


@each_face
def test_forward_mode(face):
    rule = face(lambda x: (x**3, (x,)), lambda saved, g: 3 * saved[0] ** 2 * g)
    value, tangent = jvp(lambda x: np.sin(rule(x)), np.array(X), [1.0, 0.0, 2.0])
    np.testing.assert_allclose(
        tangent, np.cos(value**0 * np.array(X) ** 3) * 3 * np.array(X) ** 2 * [1, 0, 2]
    )


@each_face
def test_the_rule_decides_not_the_truth(face):
    sentinel = face(square, lambda saved, g: 7 * g)
    x = Variable(X)
    np.testing.assert_array_equal(grad(sentinel(x), x), [7, 7, 7])


@each_face
def test_many_inputs_and_outputs_and_upstreams(face):
    def forward(x, y):
        return (x * y + np.sin(x), y * y), (x, y)

    def backward(saved, gz, gw):
        x, y = saved
        return gz * (y + np.cos(x)), gz * x + gw * 2 * y

    options = {"outputs": 2} if face is in_the_seeds_shape else {}
    rule = face(forward, backward, **options)
    x, y = Variable(2.0), Variable(3.0)
    z, w = rule(x, y)
    np.testing.assert_allclose(grad((z, w), (x, y)), [3 + np.cos(2), 8])
    np.testing.assert_allclose(grad(z, (x, y)), [3 + np.cos(2), 2])  # w unused: its upstream is 0
    np.testing.assert_allclose(grad((z, w), (x, y), (10.0, 1.0)), [10 * (3 + np.cos(2)), 26])
    hessian = [grad(g, (x, y)) for g in grad((z, w), (x, y), create_graph=True)]
    np.testing.assert_allclose(hessian, [[-np.sin(2), 1], [1, 2]])


@each_face
def test_constants_get_none(face):
    rule = face(
        lambda x, power: (x**power, (x, power)), lambda s, g: (g * s[1] * s[0] ** (s[1] - 1), None)
    )
    x = Variable(X)
    np.testing.assert_allclose(grad(rule(x, 3), x), 3 * x.value**2)
    first = grad(rule(x, 3), x, create_graph=True)
    np.testing.assert_allclose(grad(first, x), 6 * x.value)


@each_face
def test_plain_arrays_in_plain_arrays_out(face):
    rule = face(square, lambda saved, g: 2 * saved[0] * g)
    assert isinstance(rule(np.array(X)), np.ndarray)
    with no_grad():
        assert rule(Variable(X)).node is None


@each_face
def test_inside_a_rule_any_library_just_computes(face):
    def forward(x):
        assert type(x) is np.ndarray
        assert linalg.norm(x) > float(x[0])
        return special.erf(x), (x,)

    def backward(saved, g):
        assert type(g) is np.ndarray
        return g * SLOPE * np.exp(-(saved[0] ** 2))

    rule, x = face(forward, backward), Variable(X)
    y = rule(x)
    np.testing.assert_array_equal(y.value, special.erf(X))
    np.testing.assert_allclose(grad(y, x), SLOPE * np.exp(-(x.value**2)))


@each_face
def test_a_second_derivative_beside_a_function_without_a_rule(face):
    """erf has no rule on the tape, but nothing asks for its gradient."""
    rule = face(lambda x: (special.erf(x), (x,)), lambda s, g: g * SLOPE * np.exp(-(s[0] ** 2)))
    x = Variable(X)
    first = grad(rule(x), x, create_graph=True)
    np.testing.assert_allclose(grad(first, x), -2 * x.value * SLOPE * np.exp(-(x.value**2)))


@each_face
def test_float32_and_integers(face):
    rule = face(square, lambda saved, g: 2.0 * saved[0].astype(np.float64) * g)
    x = Variable(np.float32(X))
    assert (rule(x).dtype, grad(rule(x), x).dtype) == (np.float32, np.float32)
    counting = face(lambda x: (np.argmax(x), (x,)), lambda saved, g: 0 * saved[0])
    assert counting(x).dtype == np.float64


def test_setup_context():
    class Cube(Function):
        @staticmethod
        def forward(x):
            return x**3

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * x**2 * g

    x = Variable(X)
    np.testing.assert_array_equal(grad(Cube.apply(x), x), 3 * x.value**2)


def test_keywords_are_inputs_like_any_other():
    @custom_gradient
    def scaled(x, factor=1.0, *, shift=0.0):
        return x * factor + shift, lambda g: (g * factor, np.sum(g * x))

    x, factor = Variable(X), Variable(2.0)
    gx, gf = grad(scaled(x=x, factor=factor, shift=5.0), (x, factor))
    np.testing.assert_array_equal(gx, [2, 2, 2])
    assert gf == 6
    with pytest.raises(TapeError, match="shift is a Variable"):
        scaled(x, shift=factor)


def test_a_rule_keeps_its_name_and_text():
    @custom_gradient
    def documented(x):
        """Twice x."""
        return 2 * x, lambda g: 2 * g

    assert (documented.__name__, documented.__doc__) == ("documented", "Twice x.")
    assert documented(Variable(1.0)).node.name == "documented"


# -- broken rules ---------------------------------------------------------------------------------


@each_face
def test_a_gradient_that_was_not_summed_back(face):
    message = failure(face, lambda saved, g: np.ones((4, 3)) * g)
    assert_mentions(message, "rule", "(4, 3)", "x has shape (3,)", "unbroadcast(gradient, x)")


@each_face
def test_a_gradient_of_another_size(face):
    message = failure(face, lambda saved, g: np.ones(5))
    assert_mentions(message, "rule", "(5,)", "x has shape (3,)", "each entry of the input")


@each_face
def test_a_transposed_gradient(face):
    message = failure(face, lambda saved, g: g.T, x=np.ones((2, 3)))
    assert_mentions(message, "rule", "(3, 2)", "x has shape (2, 3)", "transpose")


@each_face
def test_a_scalar_gradient_for_an_array(face):
    message = failure(face, lambda saved, g: np.sum(2 * saved[0] * g))
    assert_mentions(
        message, "rule", "()", "x has shape (3,)", "elementwise by the upstream gradient"
    )


@each_face
def test_a_forgotten_return(face):
    message = failure(face, lambda saved, g: None)
    assert_mentions(message, "rule", "forget `return`")


@each_face
def test_none_for_an_input_that_matters(face):
    message = failure(face, lambda saved, g: (None,))
    assert_mentions(message, "rule", "None as the gradient for x", "(3,)", "stop_gradient")


@each_face
def test_two_gradients_for_one_input(face):
    message = failure(face, lambda saved, g: (g, g))
    assert_mentions(message, "rule", "2 gradients for 1 inputs")


@each_face
def test_one_gradient_for_two_inputs(face):
    rule, x = face(lambda x, y: (x * y, (x, y)), lambda saved, g: g * saved[1]), Variable(X)
    with pytest.raises(TapeError, match="1 gradients for 2 inputs"):
        grad(rule(x, x + 1), x)


@each_face
@pytest.mark.parametrize(
    "gradient", ["abc", ["a", "b", "c"], np.array([None] * 3), 1j * np.ones(3)]
)
def test_a_gradient_that_is_no_number(face, gradient):
    message = failure(face, lambda saved, g: (gradient,))
    assert_mentions(message, "a gradient of rule", "real numbers")


@each_face
def test_the_upstream_changed_in_place(face):
    def backward(saved, g):
        g *= 2 * saved[0]
        return g

    assert_mentions(failure(face, backward), "rule", "in place", "g = g * 2")


@each_face
def test_the_upstream_changed_in_place_on_the_way_to_a_second_derivative(face):
    def backward(saved, g):
        g *= 2
        return g

    rule, x = face(square, backward), Variable(X)
    with pytest.raises(TapeError, match="rule"):
        grad(rule(x), x, create_graph=True)


@each_face
def test_an_input_changed_in_place(face):
    def forward(x):
        x += 1
        return x, (x,)

    rule, x = face(forward, lambda saved, g: g), Variable(X)
    with pytest.raises(TapeError, match="rule changes an array in place"):
        rule(x)
    constant = np.array(X)
    with pytest.raises(TapeError, match="rule changes an array in place"):
        rule(constant)
    np.testing.assert_array_equal(constant, X)


@each_face
def test_a_saved_value_changed_in_place(face):
    def backward(saved, g):
        (t,) = saved
        t *= g
        return t

    rule, x = face(lambda x: (np.exp(x), (np.exp(x),)), backward), Variable(X)
    y = rule(x)
    if face is in_the_seeds_shape:  # saves nothing: what it changes is its own
        np.testing.assert_array_equal(grad(y, x), grad(y, x))
        return
    with pytest.raises(TapeError, match="rule changes an array in place"):
        grad(y, x)


@each_face
def test_a_saved_value_changed_between_forward_and_backward(face):
    """A buffer that every call overwrites: the first call must not see the second one's values."""
    buffer = np.empty(3)

    def forward(x):
        buffer[:] = 2 * x
        return x * x, (buffer[:],)

    rule = face(forward, lambda saved, g: saved[0] * g)
    x, z = Variable(X), Variable([10.0, 20.0, 30.0])
    y = rule(x)
    rule(z)
    np.testing.assert_array_equal(grad(y, x), [2, 4, 6])


@each_face
def test_an_input_overwritten_between_forward_and_backward(face):
    rule = face(lambda x, c: (x * c, (c,)), lambda saved, g: (g * saved[0], None))
    x, c = Variable(X), np.array(X)
    y = rule(x, c)
    c[:] = 100
    np.testing.assert_array_equal(grad(y, x), X)
    with pytest.raises(ValueError, match="read-only"):
        x.value[:] = 100


@each_face
def test_an_output_overwritten_after_the_forward(face):
    buffer = np.empty(3)

    def forward(x):
        buffer[:] = np.exp(x)
        return buffer[:], (x,)

    rule = face(forward, lambda saved, g: np.exp(saved[0]) * g)
    x = Variable(X)
    y = rule(x)
    buffer[:] = 0
    np.testing.assert_array_equal(y.value, np.exp(X))


@each_face
def test_a_gradient_buffer_that_two_calls_share(face):
    buffer = np.empty(3)

    def backward(saved, g):
        np.multiply(2 * saved[0], g, out=buffer)
        return buffer

    rule, x, z = face(square, backward), Variable(X), Variable([10.0, 20.0, 30.0])
    with pytest.raises(TapeError, match="in place"):
        grad(rule(x) + rule(z), (x, z))


@each_face
def test_a_second_derivative_through_a_saved_intermediate_is_right(face):
    rule = face(lambda x: (np.exp(x), (np.exp(x),)), lambda saved, g: saved[0] * g)
    x = Variable(X)
    first = grad(rule(x), x, create_graph=True)
    np.testing.assert_allclose(grad(first, x), np.exp(X), rtol=1e-14)


@each_face
def test_a_second_derivative_through_a_raw_intermediate_is_an_error(face):
    rule = face(lambda x: (x * 1, (special.erf(x),)), lambda saved, g: saved[0] * g)
    x = Variable(X)
    first = grad(rule(x), x, create_graph=True)
    np.testing.assert_array_equal(first.value, special.erf(X))
    with pytest.raises(TapeError, match="passes through erf"):
        grad(first, x)


@each_face
@pytest.mark.parametrize(
    "raw",
    [np.asarray, np.linalg.svd, lambda x: np.array([float(part) for part in x[0]]), np.vstack],
)
def test_a_second_derivative_through_what_left_the_tape_is_an_error(face, raw):
    def forward(x):
        raw(x.reshape(1, 3))
        return x * x, (np.asarray(raw(x.reshape(1, 3))[0]).ravel()[:1], x)

    rule = face(forward, lambda saved, g: 2 * saved[1] * g)
    x = Variable(X)
    with pytest.raises(TapeError, match="rule was run again"):
        grad(rule(x), x, create_graph=True)


@each_face
def test_a_second_run_that_gives_another_value_is_an_error(face):
    rng = np.random.default_rng(0)
    rule = face(lambda x: (x * rng.random(), (x,)), lambda saved, g: g * saved[0])
    x = Variable(X)
    y = rule(x)
    if face is in_the_seeds_shape:  # its second run is of the backward alone
        return
    with pytest.raises(TapeError, match="another output than the first time"):
        grad(y, x, create_graph=True)


@each_face
def test_an_outside_variable_would_lose_its_gradient(face):
    w = Variable(2.0)
    rule = face(lambda x: (x * w, (x,)), lambda saved, g: g * 2)
    with pytest.raises(TapeError, match="rule uses a Variable from outside"):
        rule(Variable(X))


@each_face
def test_no_output(face):
    rule = face(lambda x: (None, (x,)), lambda saved, g: g)
    with pytest.raises(TapeError, match="None was given as an output of rule"):
        rule(Variable(X))


@each_face
@pytest.mark.parametrize("output", [["a", "b"], np.array([None]), 1j])
def test_an_output_that_is_no_number(face, output):
    rule = face(lambda x: (output, (x,)), lambda saved, g: g)
    with pytest.raises(TapeError, match="an output of rule"):
        rule(Variable(X))


@each_face
def test_the_rules_own_errors_stay_its_own(face):
    rule = face(square, lambda saved, g: saved[7])
    x = Variable(X)
    with pytest.raises(IndexError):
        grad(rule(x), x)
    assert np.array_equal(grad(x * x, x), [2, 4, 6])  # and the tape goes on recording


def test_outputs_that_are_not_grouped():
    @custom_gradient
    def rule(x, y):
        z, w = x * y, y * y

        def grad_fn(gz, gw):
            return gz * y, gz * x + gw * 2 * y

        return z, w, grad_fn

    with pytest.raises(TapeError, match=r"`return \(z, w\), grad_fn`") as caught:
        rule(Variable(2.0), Variable(3.0))
    assert "rule" in str(caught.value)


@pytest.mark.parametrize("result", [None, 3.0, np.ones(3), (1.0, 2.0), ()])
def test_a_custom_gradient_without_a_gradient_function(result):
    @custom_gradient
    def rule(x):
        return result

    with pytest.raises(TapeError, match=r"rule returned .* `return y, grad_fn`"):
        rule(Variable(X))


def test_a_custom_vjp_without_its_derivative():
    @custom_vjp
    def half_done(x):
        return x

    with pytest.raises(TapeError, match=r"half_done\.defvjp\(fwd, bwd\)"):
        half_done(Variable(X))


def test_what_a_context_holds_cannot_be_changed():
    class Rule(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.doubled = 2 * x
            return x * x

        @staticmethod
        def backward(ctx, g):
            ctx.doubled *= g
            return ctx.doubled

    x = Variable(X)
    with pytest.raises(TapeError, match="Rule changes an array in place"):
        grad(Rule.apply(x), x)


def test_rules_of_functions_without_a_signature():
    erf = register_custom_gradient(special.erf, lambda g, x: np.ones(5))
    x = Variable(X)
    with pytest.raises(TapeError, match=r"erf: the gradient for .* has shape \(5,\)"):
        grad(erf(x), x)


def test_rules_with_any_number_of_inputs_name_them_by_their_place():
    @custom_gradient
    def total(*xs):
        return sum(xs), lambda g: [g, np.ones(7)]

    x = Variable(X)
    with pytest.raises(TapeError, match="gradient for input 1 has shape"):
        grad(total(x, x), x)


def test_a_forward_in_jaxs_shape_may_call_the_function_itself():
    @custom_vjp
    def sine(x):
        return np.sin(x)

    sine.defvjp(lambda x: (sine(x), x), lambda x, u: (7 * u * np.cos(x),))
    x = Variable(X)
    np.testing.assert_allclose(grad(sine(x), x), 7 * np.cos(X))
    slope = grad(sine(x), x, create_graph=True)
    np.testing.assert_allclose(grad(slope, x), -7 * np.sin(X))


def test_a_function_needs_two_static_methods():
    forward, backward = staticmethod(lambda ctx, x: x), staticmethod(lambda ctx, g: g)
    for methods, missing in [
        ({}, "forward"),
        ({"forward": forward}, "backward"),
        ({"forward": forward.__func__, "backward": backward}, "forward"),
    ]:
        with pytest.raises(TapeError, match=f"Square has no static {missing}.*@staticmethod"):
            type("Square", (Function,), methods)


def test_what_is_no_function_is_refused():
    for dialect in (custom_gradient, custom_vjp, lambda f: register_custom_gradient(f, f)):
        with pytest.raises(TapeError, match="made from functions, but 3 was given"):
            dialect(3)


def test_functions_with_other_arguments_than_they_get():
    x = Variable(X)
    product = custom_gradient(lambda a, b: (a * b, lambda g: (g * b, g * a)))
    with pytest.raises(TapeError, match=r"missing 1 required positional argument: 'b'.*is given"):
        product(x)
    square = register_custom_gradient(lambda x: x * x, lambda x: 2 * x)
    with pytest.raises(TapeError, match=r"takes 1 positional argument but 2 were given.*upstream"):
        grad(square(x), x)


def test_a_rule_says_what_it_is():
    assert repr(custom_gradient(lambda x: (x, lambda u: u))) == "<custom gradient <lambda>>"
