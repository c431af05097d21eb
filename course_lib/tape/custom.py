"""Custom gradients: one core, four faces.

The core is a rule ``f(*inputs) -> outputs, grad_fn``. Its body runs on plain arrays, unrecorded, so
it may call any library. When a second derivative is wanted, the body runs once more, recorded, and
its backward with it: intermediates are then differentiated and never mistaken for constants.
"""

import functools
import inspect

import numpy as np

from .backward import grad
from .core import Node, Tape, Variable, as_value, freeze, recording, tracked, value_of
from .errors import TapeError, describe, wrong_gradient

READ_ONLY = ("read-only", "not writeable")


class Rule:
    """An op whose derivative somebody wrote by hand, and which is therefore checked at every step.

    ``linearise(*inputs)`` returns the outputs and grad_fn; ``grad_fn(*upstreams)`` one gradient an
    input. ``backward(*inputs)``, if given, returns grad_fn without running the forward.
    """

    def __init__(self, linearise, source, backward=None, name=None):
        self.linearise, self.source, self.backward = linearise, source, backward
        functools.update_wrapper(self, source)
        self.name = name or getattr(source, "__name__", type(source).__name__)

    def __call__(self, *inputs, **options):
        if options:
            inputs, options = self.bind(inputs, options)
        outputs, grad_fn = self.run(self.linearised, *map(value_of, inputs), **options)
        values = tuple(map(self.checked_output, _as_tuple(outputs)))
        if not any(isinstance(x, Variable) for x in inputs):
            return outputs
        node = None
        if Tape.recording and any(tracked(x) for x in inputs):
            self.protect(grad_fn)
            node = Node(self, inputs, {"grad_fn": grad_fn, "options": options}, values)
        made = tuple(Variable._made(v, node, i) for i, v in enumerate(values))
        return made if isinstance(outputs, (tuple, list)) else made[0]

    def bind(self, inputs, options):
        """Keywords to their positions, so that no gradient is lost; the rest stays as options."""
        bound = inspect.signature(self.source).bind(*inputs, **options)
        for name, value in bound.kwargs.items():
            if isinstance(value, Variable):
                raise TapeError(
                    f"{self.name}: {name} is a Variable, but can only be given by keyword, where it"
                    " would get no gradient. Make it a positional argument."
                )
        return bound.args, bound.kwargs

    # -- both directions --------------------------------------------------------------------

    def pullback(self, node, upstreams, lifted):
        upstreams = [
            np.zeros_like(v) if g is None else g
            for g, v in zip(upstreams, node.values, strict=True)
        ]
        if lifted:
            gradients = self.replay(node, upstreams)
        else:
            frozen = [freeze(np.asarray(g)) for g in upstreams]
            gradients = self.run(node.params["grad_fn"], *frozen)
        return self.checked_gradients(gradients, node.inputs)

    def pushforward(self, node, tangents, lifted):
        """The pullback is linear in the upstream u, so its derivative in u is the pushforward."""
        us = [Variable(np.zeros_like(v)) for v in node.values]
        with recording(True):
            gradients = self.pullback(node, us, lifted=True)
        pairs = [(g, t) for g, t in zip(gradients, tangents, strict=True) if t is not None]
        moving = [(g, t) for g, t in pairs if tracked(g)]
        if not moving:
            return [np.zeros_like(v) for v in node.values]
        return grad([g for g, _ in moving], us, [t for _, t in moving], create_graph=lifted)

    def replay(self, node, upstreams):
        """The backward again, recorded, so that it can itself be differentiated."""
        inputs = [x if tracked(x) else value_of(x) for x in node.inputs]
        try:
            with recording(True, replaying=True):
                options = node.params["options"]
                if self.backward:
                    return self.backward(*inputs, **options)(*upstreams)
                outputs, grad_fn = self.linearised(*inputs, **options)
                if not all(map(_same, _as_tuple(outputs), node.values)):
                    raise TapeError("its forward gave another output than the first time.")
                return grad_fn(*upstreams)
        except TapeError as error:
            raise TapeError(
                f"{self.name} was run again on the tape, for a second derivative: {error}"
            ) from error

    # -- no silent failure ------------------------------------------------------------------

    def linearised(self, *inputs, **options):
        result = self.linearise(*inputs, **options)
        if isinstance(result, tuple) and len(result) == 2 and callable(result[1]):
            return result
        if isinstance(result, tuple) and result and callable(result[-1]):
            raise TapeError(
                f"{self.name} returned {len(result)} things. Put the outputs in a tuple of their"
                " own: `return (z, w), grad_fn`."
            )
        raise TapeError(
            f"{self.name} returned {describe(result)}, but a custom gradient returns its outputs"
            " and a function for its gradient: `return y, grad_fn`."
        )

    def run(self, body, *args, **options):
        """Run the rule's own code, with recording off; explain what only the tape can explain."""
        before, Tape.recording = Tape.recording, False
        try:
            return body(*args, **options)
        except ValueError as error:
            if any(words in str(error) for words in READ_ONLY):
                raise TapeError(
                    f"{self.name} changes an array in place that it shares with others (an input,"
                    " the upstream gradient or a saved value), for instance with `*=`. Write"
                    " `g = g * 2`, or copy it first."
                ) from error
            raise
        except AttributeError as error:
            if getattr(error, "name", None) == "value":
                error.add_note("Inside a custom rule the inputs are plain arrays: x, not x.value.")
            raise
        finally:
            Tape.recording = before

    def protect(self, grad_fn):
        """Freeze what grad_fn remembers of this call, so that no backward can spoil the next."""
        from_outside = getattr(self.source, "__closure__", None) or ()
        for cell in getattr(grad_fn, "__closure__", None) or ():
            if isinstance(_content(cell), np.ndarray) and cell not in from_outside:
                freeze(cell.cell_contents)

    def checked_output(self, value):
        if isinstance(value, Variable):
            raise TapeError(
                f"{self.name} uses a Variable from outside, whose gradient would be lost. Pass it"
                " as an argument, or use its .value if it is a constant."
            )
        if value is None:
            raise TapeError(f"{self.name} returned None as an output: did it forget its return?")
        array = np.asarray(value)
        return freeze(array) if array.dtype.kind == "f" else as_value(value)

    def checked_gradients(self, gradients, inputs):
        if gradients is None:
            raise TapeError(
                f"{self.name}: its backward returned None. Did it forget `return`? It must return"
                f" one gradient for each of its {len(inputs)} inputs."
            )
        given = list(_as_tuple(gradients))
        surplus, missing = given[len(inputs) :], inputs[len(given) :]
        if any(g is not None for g in surplus) or any(map(tracked, missing)):
            raise TapeError(
                f"{self.name}: its backward returned {len(given)} gradients for {len(inputs)}"
                " inputs. Return one an input, None for those that are not Variables."
            )
        given += [None] * len(missing)
        return [
            self.checked_gradient(g, i, x) if tracked(x) else None
            for i, (g, x) in enumerate(zip(given, inputs, strict=False))
        ]

    def checked_gradient(self, g, i, x):
        if g is None:
            raise TapeError(
                f"{self.name}: the gradient for {self.argument(i)} is None, but it is a Variable."
                " Return its gradient; or pass it as a plain number or stop_gradient if it has none."
            )
        if not isinstance(g, Variable):
            given, g = g, np.asarray(g)
            if g.dtype.kind not in "fiub":
                raise TapeError(
                    f"{self.name}: the gradient for {self.argument(i)} is {describe(given)}, but"
                    " must be an array of real numbers."
                )
        if g.shape != x.shape:
            raise wrong_gradient(self.name, self.argument(i), x.shape, g.shape)
        return g if g.dtype == x.dtype else g.astype(x.dtype)

    def argument(self, i):
        """The name of input i, as the author of the rule calls it."""
        names = list(inspect.signature(self.source).parameters)
        return names[i] if i < len(names) else f"input {i}"


# -- the four faces -------------------------------------------------------------------------------


def custom_gradient(f):
    """TensorFlow's shape: ``f(*inputs)`` returns its outputs and ``grad_fn(*upstreams)``."""
    return Rule(f, source=f)


def register_custom_gradient(forward, backward):
    """The shape of the seed examples: ``backward(*upstreams, *inputs)``. Call what is returned."""

    def pull(*inputs, **options):
        return lambda *upstreams: backward(*upstreams, *inputs, **options)

    def linearise(*inputs, **options):
        return forward(*inputs, **options), pull(*inputs, **options)

    return Rule(linearise, source=forward, backward=pull)


class Function:
    """PyTorch's shape: static ``forward(ctx, *inputs)`` and ``backward(ctx, *upstreams)``.

    With a static ``setup_context(ctx, inputs, output)`` as well, forward does not take ctx.
    """

    setup_context = None

    def __init_subclass__(cls):
        def linearise(*inputs, **options):
            ctx = Context()
            if cls.setup_context:
                outputs = cls.forward(*inputs, **options)
                cls.setup_context(ctx, inputs, outputs)
            else:
                outputs = cls.forward(ctx, *inputs, **options)
            return outputs, functools.partial(cls.backward, ctx)

        source = cls.forward if cls.setup_context else functools.partial(cls.forward, None)
        cls.apply = Rule(linearise, source, name=cls.__name__)


class Context:
    """What a Function carries from its forward to its backward."""

    saved_tensors = ()

    def save_for_backward(self, *values):
        self.saved_tensors = tuple(map(_frozen, values))


class custom_vjp:
    """JAX's shape: ``f.defvjp(fwd, bwd)``; fwd gives (outputs, residuals), bwd(residuals, u...)."""

    def __init__(self, f):
        functools.update_wrapper(self, f)

    def defvjp(self, fwd, bwd):
        def linearise(*inputs, **options):
            outputs, residuals = fwd(*inputs, **options)
            return outputs, functools.partial(bwd, _frozen(residuals))

        self.rule = Rule(linearise, source=self.__wrapped__)

    def __call__(self, *inputs, **options):
        if not hasattr(self, "rule"):
            raise TapeError(f"{self.__name__} has no rule yet: {self.__name__}.defvjp(fwd, bwd).")
        return self.rule(*inputs, **options)


# -- small helpers --------------------------------------------------------------------------------


def _as_tuple(x):
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _frozen(x):
    """Saved values, read-only from now on."""
    if isinstance(x, (tuple, list)):
        return type(x)(map(_frozen, x))
    return freeze(x) if isinstance(x, np.ndarray) else x


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:  # a name that the forward has not bound
        return None


def _same(a, b):
    return np.array_equal(value_of(a), b, equal_nan=True)
