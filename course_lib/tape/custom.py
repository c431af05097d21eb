"""Custom gradients: one core, four faces.

The core is a rule ``f(*inputs) -> outputs, grad_fn``. Its body runs on plain arrays, unrecorded, so
it may call any library. When a second derivative is wanted, the body runs once more, recorded, and
its backward with it: intermediates are then differentiated and never mistaken for constants.
"""

import functools
import inspect
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from . import core, errors
from .backward import grad
from .core import NOTHING, Parts, Variable, as_tuple, freeze, kept, made, tape, tracked, value_of


class Rule:
    """An op whose derivative somebody wrote by hand, and which is therefore checked at every step.

    ``linearise(*inputs)`` returns the outputs and grad_fn; ``grad_fn(*upstreams)`` one gradient an
    input. ``backward(*inputs)``, if given, returns grad_fn without running the forward.
    """

    def __init__(self, linearise, source, backward=None, name=None):
        if not callable(source):
            raise errors.NotAFunction(given=errors.describe(source))
        self.linearise, self.source, self.backward = linearise, source, backward
        functools.update_wrapper(self, source)
        self.name = name or getattr(source, "__name__", type(source).__name__)

    def __call__(self, *inputs, **options):
        if options:
            inputs, options = self.bind(inputs, options)
        inputs = tuple([x if type(x) is Variable else kept(x) for x in inputs])
        result = self.run(self.linearise, map(value_of, inputs), options)
        if not (isinstance(result, tuple) and len(result) == 2 and callable(result[1])):
            raise errors.NoGradientFunction(rule=self.name, given=errors.describe(result))
        outputs, grad_fn = result
        many = isinstance(outputs, (tuple, list))
        values = tuple(map(self.checked_output, outputs if many else (outputs,)))
        if Variable not in map(type, inputs):
            return outputs
        if not (tape.recording and any(map(tracked, inputs))):
            return tuple(map(core.constant, values)) if many else core.constant(values[0])
        step = made(values if many else values[0], self, inputs, (grad_fn, options))
        return step.outputs if many else step

    def __repr__(self):
        return f"<custom gradient {self.name}>"

    def bind(self, inputs, options):
        """Keywords to their positions, so that no gradient is lost; the rest stays as options."""
        bound = inspect.signature(self.source).bind(*inputs, **options)
        for name, value in bound.kwargs.items():
            if isinstance(value, Variable):
                raise errors.KeywordVariable(rule=self.name, argument=name)
        return bound.args, kept(bound.kwargs)

    # -- both directions --------------------------------------------------------------------------

    def pullback(self, node, upstream, lifted):
        """The gradients of ``node`` for its inputs, None for constants; each of them checked."""
        upstreams = upstream if type(upstream) is Parts else (upstream,)
        inputs, n, us, gradients = node.inputs, len(node.inputs), [], []
        for u, y in zip(upstreams, node.values):
            u = np.zeros_like(y) if u is None else u
            us.append(u if type(u) is Variable else freeze(np.asarray(u)))
        given = as_tuple(self.replay(node, us) if lifted else self.run(node.params[0], us))
        if len(given) != n:  # of constants, a gradient may be left out, and None be added
            surplus, missing = given[n:], inputs[len(given) :]
            if any(g is not None for g in surplus) or any(map(tracked, missing)):
                raise errors.WrongArity(rule=self.name, given=len(given), expected=n)
            given = (*given, *[None] * n)[:n]
        for i, x in enumerate(inputs):
            gradients.append(self.checked_gradient(i, given[i], x) if tracked(x) else None)
        return gradients

    def pushforward(self, node, tangents, lifted):
        """The pullback is linear in the upstream u, so its derivative in u is the pushforward."""
        us = [Variable(np.zeros_like(y)) for y in node.values]
        with core.recording(True):
            pairs = zip(self.pullback(node, Parts(us), lifted=True), tangents, strict=True)
        moving = [(g, t) for g, t in pairs if t is not None and tracked(g)]
        moved = [np.zeros_like(y) for y in node.values]
        if moving:
            moved = grad([g for g, _ in moving], us, [t for _, t in moving], create_graph=lifted)
        return moved if type(node._value) is tuple else moved[0]

    def replay(self, node, upstreams):
        """The backward again, recorded, so that it can itself be differentiated."""
        inputs, (_, options) = [x if tracked(x) else value_of(x) for x in node.inputs], node.params
        try:
            with core.recording(True, replaying=True):
                if self.backward:
                    return self.backward(*inputs, **options)(*upstreams)
                outputs, grad_fn = self.linearise(*inputs, **options)
                pairs = zip(map(value_of, as_tuple(outputs)), node.values, strict=True)
                if not all(np.array_equal(again, y, equal_nan=True) for again, y in pairs):
                    raise errors.NotRepeatable()
                return grad_fn(*upstreams)
        except Exception as error:
            raise errors.SecondRun(rule=self.name, reason=error) from error

    # -- no silent failure ------------------------------------------------------------------------

    def run(self, body, args, options=NOTHING):
        """Run the rule's own code, with recording off; explain what only the tape can explain."""
        before, tape.recording = tape.recording, False
        try:
            return body(*args, **options)
        except ValueError as error:
            if "read-only" in str(error) or "not writeable" in str(error):
                raise errors.ChangedInPlace(rule=self.name) from error
            raise
        except TypeError as error:
            if "positional argument" in str(error):
                raise errors.WrongArguments(rule=self.name, reason=error) from error
            raise
        finally:
            tape.recording = before

    def checked_output(self, y):
        if type(y) is np.ndarray and y.dtype.kind == "f":
            return kept(y, ours=True)
        if type(y) is Variable:
            raise errors.OutsideVariable(rule=self.name)
        return core.as_value(y, "an output of", self.name)

    def checked_gradient(self, i, g, x):
        if g is None:
            argument = self.argument(i)
            raise errors.MissingGradient(rule=self.name, argument=argument, expected=x.shape)
        if type(g) is np.ndarray and g.dtype.kind == "f":
            g = kept(g, ours=True)
        elif type(g) is not Variable:
            g = kept(core.as_numbers(g, "a gradient of", self.name), ours=True)
        value = x._value
        if g.shape != value.shape:
            shapes = {"argument": self.argument(i), "given": g.shape, "expected": x.shape}
            raise errors.WrongGradient(rule=self.name, repair=errors.repair(**shapes), **shapes)
        return g if g.dtype is value.dtype else g.astype(value.dtype)

    def argument(self, i):
        """The name of input i, as the author of the rule calls it."""
        with suppress(IndexError, ValueError):  # *inputs; a function without a signature
            return list(inspect.signature(self.source).parameters)[i]
        return f"input {i}"


def protect(grad_fn, source):
    """Freeze what grad_fn remembers of this call, so that no backward can spoil the next."""
    outside = {id(cell) for cell in getattr(source, "__closure__", None) or ()}
    for cell in getattr(grad_fn, "__closure__", None) or ():
        with suppress(ValueError):  # a name that the forward has not bound
            if id(cell) not in outside and type(cell.cell_contents) in (np.ndarray, tuple):
                cell.cell_contents = kept(cell.cell_contents, ours=True)


# -- the four faces -------------------------------------------------------------------------------


def custom_gradient(f: Callable) -> Rule:
    """TensorFlow's shape: f returns its outputs and a function for its gradient.

    Parameters
    ----------
    f : callable
        ``f(*inputs)`` gets plain arrays, of the shapes and dtypes of what the rule is called with,
        and returns ``y, grad_fn`` or ``(y, z, ...), grad_fn``. ``grad_fn(*upstreams)`` gets one
        array an output, of its shape, and returns one gradient an input (a bare one if there is
        one), of that input's shape; None for what is not a Variable.

    Returns
    -------
    Rule
        Call it as f, with Variables, arrays and numbers.

    Raises
    ------
    TapeError
        If f is no function; when the rule is called, if it does not return its outputs and a
        function; in a backward pass, if a gradient is missing, superfluous, of another shape than
        its input, or if an array was changed in place.
    """

    def linearise(*inputs, **options):
        result = f(*inputs, **options)
        for grad_fn in as_tuple(result)[1:]:
            protect(grad_fn, source=f)
        return result

    return Rule(linearise, source=f)


def register_custom_gradient(forward: Callable, backward: Callable) -> Rule:
    """The shape of a registration: a forward and a backward that knows the inputs, and no more.

    Parameters
    ----------
    forward : callable
        ``forward(*inputs)`` gets plain arrays and returns its output, or a tuple of them.
    backward : callable
        ``backward(*upstreams, *inputs)`` returns one gradient an input, of that input's shape.

    Returns
    -------
    Rule
        Call this; forward itself is not changed, and so knows nothing of the rule.

    Raises
    ------
    TapeError
        As for `custom_gradient`.
    """

    def pull(*inputs, **options):
        return lambda *upstreams: backward(*upstreams, *inputs, **options)

    def linearise(*inputs, **options):
        return forward(*inputs, **options), pull(*inputs, **options)

    return Rule(linearise, source=forward, backward=pull)


class Function:
    """PyTorch's shape: static ``forward(ctx, *inputs)`` and ``backward(ctx, *upstreams)``.

    With a static ``setup_context(ctx, inputs, output)`` as well, forward does not take ctx. Call
    the rule as ``apply(*inputs)``. What is saved with ``ctx.save_for_backward(...)``, or as an
    attribute of ctx, is read-only from then on.

    Raises
    ------
    TapeError
        When a subclass is made, if forward or backward is missing or not static; otherwise as for
        `custom_gradient`.
    """

    setup_context = None

    def __init_subclass__(cls):
        for method in ("forward", "backward"):
            if not isinstance(inspect.getattr_static(cls, method, None), staticmethod):
                raise errors.NotStatic(rule=cls.__name__, method=method)

        def linearise(*inputs, **options):
            ctx = Context()
            outputs = cls.forward(*(inputs if cls.setup_context else (ctx, *inputs)), **options)
            if cls.setup_context:
                cls.setup_context(ctx, inputs, outputs)
            return outputs, functools.partial(cls.backward, ctx)

        source = cls.forward if cls.setup_context else functools.partial(cls.forward, None)
        cls.apply = Rule(linearise, source, name=cls.__name__)


class Context:
    """What a Function carries from its forward to its backward, read-only."""

    saved_tensors = ()

    def save_for_backward(self, *values):
        vars(self)["saved_tensors"] = tuple([kept(value, ours=True) for value in values])

    def __setattr__(self, name, value):
        object.__setattr__(self, name, kept(value, ours=True))


class custom_vjp(Rule):
    """JAX's shape: a function, which is given its rule afterwards, ``f.defvjp(fwd, bwd)``.

    Parameters
    ----------
    f : callable
        ``f(*inputs)`` gets plain arrays and returns its output, or a tuple of them.
        ``fwd(*inputs)`` returns that and residuals, whatever ``bwd(residuals, *upstreams)`` needs
        to return one gradient an input.

    Raises
    ------
    TapeError
        When it is called with a Variable before it has a rule; otherwise as for `custom_gradient`.
    """

    def __init__(self, f):
        super().__init__(self.undefined, source=f)

    def __call__(self, *inputs, **options):
        if Variable in map(type, (*inputs, *options.values())):
            return super().__call__(*inputs, **options)
        return self.run(self.source, map(kept, inputs), options)  # also where fwd calls f

    def undefined(self, *_, **__):
        raise errors.NoDerivative(rule=self.name)

    def defvjp(self, fwd: Callable, bwd: Callable):
        def linearise(*inputs, **options):
            outputs, residuals = fwd(*inputs, **options)
            return outputs, functools.partial(bwd, kept(residuals, ours=True))

        self.linearise = linearise
