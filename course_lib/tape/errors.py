"""The errors of the tape. The docstring of each is its message, with what was given filled in."""


class TapeError(ValueError):
    """Something cannot be recorded or differentiated; the message says what to do about it.

    Each of the errors below is one of these, and so a ValueError.
    """

    def __init__(self, message=None, **given):
        super().__init__(message or " ".join(type(self).__doc__.split()).format(**given))


# -- values ---------------------------------------------------------------------------------------


class NotNumbers(TapeError):
    """{given} was given as {role}, which must be real numbers ({reason}). Convert it first, for
    instance with np.asarray(x, float)."""


class TooLarge(TapeError):
    """These integers are too large for float64, which is exact below 2**53. If rounding is meant,
    convert them yourself: Variable(x.astype(float))."""


class NoSubclass(TapeError):
    """{name} cannot be a subclass of Variable: the tape looks for that type alone. Let it have a
    Variable as an attribute."""


class NeverInPlace(TapeError):
    """A Variable is never changed in place. Build a new one with np.where, np.concatenate or
    np.stack."""


# -- recording ------------------------------------------------------------------------------------


class LeftTheTape(TapeError):
    """Turning a Variable into an array, a number or a truth value would leave the tape, and its
    gradient would be lost without a word. Use .value (a plain array) or stop_gradient if that is
    meant, or a custom gradient if it is not."""


class NoRule(TapeError):
    """{name} has no rule on the tape. Write a custom gradient for it; or, if it works entry by
    entry, add its rule: `elementwise({name}, lambda g, y, x: g * (its derivative at x))` from
    course_lib.tape; or leave the tape with .value or stop_gradient."""


class NoAttribute(TapeError, AttributeError):
    """A Variable has no attribute {name!r}. Write it with the NumPy functions that the tape knows,
    or ask its array, .value.{name}. Gradients come from grad(y, x)."""


class WrongFormulas(TapeError):
    """{name} has {given} formula(s), but takes {expected} input(s): give elementwise one formula
    for each."""


class CannotRecord(TapeError):
    """{name} with {how} cannot be recorded. Write it without in-place assignment or options, for
    instance a = a + x instead of a += x, np.sum(x) instead of np.add.reduce(x)."""


class WrongCall(TapeError):
    """On the tape, {name} is called as {name}{form}, but: {reason}."""


class DoesNotFit(TapeError):
    """{name} was given {given}, which does not fit: {reason}. Check the shapes and dtypes."""


class TwoDimensionsOnly(TapeError):
    """np.dot on the tape takes vectors and matrices. For more dimensions use np.matmul."""


# -- differentiating ------------------------------------------------------------------------------


class NotOnTheTape(TapeError):
    """grad can only {verb} Variables on the tape, but was given {given}. What came out of a
    computation has left the tape there if it is not on it (.value, stop_gradient, no_grad, another
    library)."""


class WrongCount(TapeError):
    """{given} {what}(s) given, but {expected} needed: one for each {partner}."""


class WrongShape(TapeError):
    """The {what} has shape {given}, but its {partner} has shape {expected}. Give one number for
    each entry of the {partner}."""


class RawIntermediate(TapeError):
    """A second derivative passes through {name}, an intermediate value of a custom rule that the
    tape has no rule for. Give it a custom gradient of its own, or let the backward use the inputs
    only."""


# -- custom gradients -----------------------------------------------------------------------------


class NoGradientFunction(TapeError):
    """{rule} returned {given}, but a custom gradient returns two things: its output, or all its
    outputs in a tuple of their own, and a function for its gradient: `return y, grad_fn` or
    `return (z, w), grad_fn`."""


class NotAFunction(TapeError):
    """A custom gradient is made from functions, but {given} was given. Give the function itself,
    not its name or what it returns."""


class WrongArguments(TapeError):
    """{rule}: {reason}. A forward is given the inputs; a backward one upstream gradient for each
    output, and whatever its dialect adds (ctx, residuals, the inputs)."""


class NotStatic(TapeError):
    """{rule} has no static {method}. A Function needs two static methods: write @staticmethod above
    def forward(ctx, *inputs) and def backward(ctx, *upstreams)."""


class NoDerivative(TapeError):
    """{rule} has no derivative yet. Give it one: {rule}.defvjp(fwd, bwd)."""


class OutsideVariable(TapeError):
    """{rule} uses a Variable from outside, whose gradient would be lost. Pass it as an argument, or
    use its .value if it is a constant."""


class KeywordVariable(TapeError):
    """{rule}: {argument} is a Variable, but can only be given by keyword, where it would get no
    gradient. Make it a positional argument."""


class ChangedInPlace(TapeError):
    """{rule} changes an array in place that it shares with others (an input, the upstream gradient
    or a saved value), for instance with `*=`. Write `g = g * 2`, or copy it first."""


class WrongArity(TapeError):
    """{rule}: its backward returned {given} gradients for {expected} inputs. Return one for each
    input, None for those that are not Variables."""


class MissingGradient(TapeError):
    """{rule}: its backward returned None as the gradient for {argument}, a Variable of shape
    {expected}. Did it forget `return`? If there is no gradient, pass {argument} as a number or by
    stop_gradient."""


class WrongGradient(TapeError):
    """{rule}: the gradient for {argument} has shape {given}, but {argument} has shape {expected}.
    Likely repair: {repair}."""


class SecondRun(TapeError):
    """{rule} was run again on the tape, for a second derivative or a tangent: {reason}"""


class NotRepeatable(TapeError):
    """its forward gave another output than the first time. Let it depend on its inputs alone (a
    random generator can be restored: checkpoint(f, rng))."""


# -- words ----------------------------------------------------------------------------------------


def describe(*given):
    """Values in a few words: ``Variable of shape (3,) and 2.0``."""
    return " and ".join(map(_in_words, given))


def _in_words(x):
    if hasattr(x, "shape"):
        return f"{type(x).__name__} of shape {x.shape}"
    several = isinstance(x, (tuple, list)) and not all(isinstance(v, (int, float)) for v in x)
    return f"a {type(x).__name__} of {len(x)}" if several else f"{x!r:.60}"


def repair(argument, given, expected):
    """The likely repair of a gradient whose shape is wrong."""
    ends = zip(reversed(expected), reversed(given), strict=False)
    if given == ():
        return "multiply elementwise by the upstream gradient instead of reducing it to a number"
    if len(given) >= len(expected) and all(n in (1, m) for n, m in ends):
        return f"{argument} was broadcast, so sum it back: unbroadcast(gradient, {argument})"
    same_lengths = sorted(given) == sorted(expected)
    return "transpose it" if same_lengths else "give one number for each entry of the input"
