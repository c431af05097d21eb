"""Every NumPy function, operator and method that the tape knows, with calls that Hypothesis draws.

``CALLS`` maps what is called to a strategy of ``Call``s. Numbers come from a grid whose points stay
away from kinks, ties and poles, so that finite differences mean something at each of them.
"""

import operator
from dataclasses import dataclass

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

STEPS = 1001  # points of the grid over a domain


@dataclass(frozen=True)
class Call:
    """A function of arrays, the same function of tensors, and the arrays to call it with."""

    numpy: object
    torch: object
    arrays: tuple

    def __repr__(self):
        return f"Call(arrays={self.arrays!r})"


# -- numbers and shapes ---------------------------------------------------------------------------

ANY, POSITIVE, UNIT, STEEP, ABOVE_ONE = (-2, 2.1), (0.3, 3), (-0.8, 0.8), (-1, 1), (1.3, 4)
SHIFTED = (-1.97, 2.13)  # never ties with ANY: its grid lies half a step beside
SMALL_SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
FULL_SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)


def numbers(shape, domain=ANY, unique=False):
    low, high = domain
    points = st.integers(0, STEPS - 1).map(lambda k: low + (high - low) * (k + 0.5) / STEPS)
    return hnp.arrays(np.float64, shape, elements=points, unique=unique)


def directions(arrays):
    """One array of numbers in (-1, 1) for each of the arrays."""
    return st.tuples(*[numbers(np.shape(a), STEEP) for a in arrays])


@st.composite
def broadcasting(draw, numpy, torch, *domains):
    """A call of an elementwise function with arrays that broadcast against each other."""
    shapes = draw(
        hnp.mutually_broadcastable_shapes(
            num_shapes=len(domains), max_dims=3, min_side=0, max_side=3
        )
    ).input_shapes
    arrays = [draw(numbers(s, d)) for s, d in zip(shapes, domains, strict=True)]
    return Call(numpy, torch, tuple(arrays))


def axes(shape):
    number = st.integers(-len(shape), len(shape) - 1)
    many = hnp.valid_tuple_axes(len(shape), min_size=1)
    return st.one_of(st.none(), number, many) if shape else st.none()


@st.composite
def reducing(draw, numpy, torch, shapes=SMALL_SHAPES):
    array = draw(numbers(draw(shapes), unique=True))
    axis, keepdims = draw(axes(array.shape)), draw(st.booleans())
    dim = tuple(range(array.ndim)) if axis is None else axis
    return Call(
        lambda x: numpy(x, axis=axis, keepdims=keepdims),
        lambda x: torch(x, dim=dim, keepdim=keepdims) if array.ndim else torch(x[None], 0),
        (array,),
    )


@st.composite
def moving(draw, options, numpy, torch, shapes=FULL_SHAPES):
    """A call of a function of one array whose options depend on its shape."""
    array = draw(numbers(draw(shapes)))
    chosen = draw(options(array.shape))
    return Call(lambda x: numpy(x, *chosen), lambda x: torch(x, *chosen), (array,))


@st.composite
def joining(draw, numpy, torch, stacking):
    shape = draw(FULL_SHAPES)
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    lengths = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    shapes = [list(shape) for _ in lengths]
    if not stacking:
        for one, length in zip(shapes, lengths, strict=True):
            one[axis] = length
    arrays = tuple(draw(numbers(tuple(one))) for one in shapes)
    return Call(lambda *xs: numpy(xs, axis), lambda *xs: torch(xs, axis), arrays)


@st.composite
def multiplying(draw, numpy, torch, batches=True):
    inner, batch = (
        draw(st.integers(0, 3)),
        draw(hnp.array_shapes(min_dims=0, max_dims=2, max_side=2)),
    )
    rows, columns = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    left = draw(st.sampled_from([(inner,), (rows, inner), (*batch, rows, inner)][: 2 + batches]))
    right = draw(
        st.sampled_from([(inner,), (inner, columns), (*batch[1:], inner, columns)][: 2 + batches])
    )
    return Call(numpy, torch, (draw(numbers(left)), draw(numbers(right))))


@st.composite
def choosing(draw):
    shapes = hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=2, min_side=0, max_side=3)
    c, x, z = draw(shapes).input_shapes
    mask = draw(hnp.arrays(bool, c))
    return Call(
        lambda x, z: np.where(mask, x, z),
        lambda x, z: torch.where(torch.tensor(mask), x, z),
        (draw(numbers(x)), draw(numbers(z))),
    )


@st.composite
def indexing(draw):
    array = draw(numbers(draw(FULL_SHAPES)))
    index = draw(
        st.one_of(
            hnp.basic_indices(array.shape, allow_newaxis=True),
            hnp.integer_array_indices(array.shape),
            hnp.arrays(bool, array.shape),
        )
    )
    picked = np.arange(array.size).reshape(array.shape)[index]
    return Call(
        lambda x: x[index],
        lambda x: x.reshape(-1)[torch.tensor(picked.copy())],
        (array,),
    )


# -- the options of functions that move entries ---------------------------------------------------


def shapes_of_size(shape):
    size = int(np.prod(shape))
    fitting = [(size,), (1, size), (-1,), tuple(reversed(shape)), (size, 1, 1)]
    return st.sampled_from(fitting).map(lambda s: (s,))


def axis_orders(shape):
    return st.permutations(range(len(shape))).map(lambda order: (tuple(order),))


def two_axes(shape):
    one = st.integers(-len(shape), len(shape) - 1)
    return st.tuples(one, one)


def larger_shapes(shape):
    return st.sampled_from([(shape,), ((2, *shape),), ((3, 1, *shape),)])


def one_axis(shape):
    return st.tuples(st.integers(-len(shape), len(shape) - 1))


def new_axis(shape):
    return st.tuples(st.integers(-len(shape) - 1, len(shape)))


def no_options(shape):
    return st.just(())


def counts(shape):
    return st.tuples(st.integers(0, 3))


# -- the table ------------------------------------------------------------------------------------


def floor_divide(x, z):
    """torch's own has no gradient at all; ours is 0."""
    return torch.floor((x / z).detach()) + 0 * x + 0 * z


@st.composite
def norms(draw):
    """np.linalg.norm takes no axis, one or (for matrices) two."""
    array = draw(numbers(draw(hnp.array_shapes(min_dims=1, max_dims=2, max_side=3))))
    axis = draw(st.sampled_from([None, 0, -1]))
    keepdims = draw(st.booleans())
    return Call(
        lambda x: np.linalg.norm(x, axis=axis, keepdims=keepdims),
        lambda x: torch.linalg.vector_norm(x, dim=axis, keepdim=keepdims),
        (array,),
    )


ELEMENTWISE = {
    np.add: (torch.add, ANY, ANY),
    np.subtract: (torch.subtract, ANY, ANY),
    np.multiply: (torch.multiply, ANY, ANY),
    np.true_divide: (torch.divide, ANY, POSITIVE),
    np.power: (torch.pow, POSITIVE, ANY),
    np.floor_divide: (floor_divide, SHIFTED, POSITIVE),
    np.remainder: (torch.remainder, SHIFTED, POSITIVE),
    np.negative: (torch.negative, ANY),
    np.absolute: (torch.abs, ANY),
    np.square: (torch.square, ANY),
    np.reciprocal: (torch.reciprocal, POSITIVE),
    np.sqrt: (torch.sqrt, POSITIVE),
    np.cbrt: (lambda x: torch.pow(x, 1 / 3), POSITIVE),
    np.exp: (torch.exp, ANY),
    np.exp2: (torch.exp2, ANY),
    np.expm1: (torch.expm1, ANY),
    np.log: (torch.log, POSITIVE),
    np.log2: (torch.log2, POSITIVE),
    np.log10: (torch.log10, POSITIVE),
    np.log1p: (torch.log1p, UNIT),
    np.sin: (torch.sin, ANY),
    np.cos: (torch.cos, ANY),
    np.tan: (torch.tan, STEEP),
    np.arcsin: (torch.arcsin, UNIT),
    np.arccos: (torch.arccos, UNIT),
    np.arctan: (torch.arctan, ANY),
    np.sinh: (torch.sinh, ANY),
    np.cosh: (torch.cosh, ANY),
    np.tanh: (torch.tanh, ANY),
    np.arcsinh: (torch.arcsinh, ANY),
    np.arccosh: (torch.arccosh, ABOVE_ONE),
    np.arctanh: (torch.arctanh, UNIT),
    np.arctan2: (torch.arctan2, POSITIVE, POSITIVE),
    np.logaddexp: (torch.logaddexp, ANY, ANY),
    np.maximum: (torch.maximum, ANY, SHIFTED),
    np.minimum: (torch.minimum, ANY, SHIFTED),
    np.clip: (
        lambda *xs: torch.clamp(*torch.broadcast_tensors(*xs)),
        ANY,
        (-1.02, -0.31),
        (0.3, 1.03),
    ),
    np.sign: (torch.sign, ANY),
    np.floor: (torch.floor, ANY),
    np.ceil: (torch.ceil, ANY),
    np.rint: (torch.round, ANY),
    np.trunc: (torch.trunc, ANY),
    np.round: (torch.round, ANY),
}

CALLS = {function: broadcasting(function, *rest) for function, rest in ELEMENTWISE.items()} | {
    np.sum: reducing(np.sum, torch.sum),
    np.mean: reducing(np.mean, torch.mean, FULL_SHAPES),
    np.max: reducing(np.max, torch.amax, FULL_SHAPES),
    np.min: reducing(np.min, torch.amin, FULL_SHAPES),
    np.amax: reducing(np.amax, torch.amax, FULL_SHAPES),
    np.amin: reducing(np.amin, torch.amin, FULL_SHAPES),
    np.around: broadcasting(np.around, torch.round, ANY),
    np.linalg.norm: norms(),
    np.reshape: moving(shapes_of_size, np.reshape, torch.reshape),
    np.ravel: moving(no_options, np.ravel, torch.ravel),
    np.squeeze: moving(no_options, np.squeeze, torch.squeeze),
    np.expand_dims: moving(new_axis, np.expand_dims, torch.unsqueeze),
    np.broadcast_to: moving(larger_shapes, np.broadcast_to, torch.broadcast_to),
    np.transpose: moving(axis_orders, np.transpose, torch.permute),
    np.swapaxes: moving(two_axes, np.swapaxes, torch.swapaxes),
    np.moveaxis: moving(two_axes, np.moveaxis, torch.moveaxis),
    np.flip: moving(one_axis, np.flip, lambda x, axis: torch.flip(x, (axis,))),
    np.roll: moving(counts, np.roll, torch.roll),
    np.repeat: moving(counts, np.repeat, lambda x, n: x.reshape(-1).repeat_interleave(n)),
    np.tile: moving(counts, np.tile, lambda x, n: torch.tile(x, (n,))),
    np.diagonal: moving(
        no_options,
        np.diagonal,
        torch.diagonal,
        hnp.array_shapes(min_dims=2, max_dims=3, max_side=3),
    ),
    np.concatenate: joining(np.concatenate, torch.cat, stacking=False),
    np.stack: joining(np.stack, torch.stack, stacking=True),
    np.where: choosing(),
    np.matmul: multiplying(np.matmul, torch.matmul),
    np.dot: multiplying(np.dot, torch.matmul, batches=False),
}

OPERATORS = {
    operator.add: (ANY, ANY),
    operator.sub: (ANY, ANY),
    operator.mul: (ANY, ANY),
    operator.truediv: (ANY, POSITIVE),
    operator.mod: (SHIFTED, POSITIVE),
    operator.pow: (POSITIVE, ANY),
    operator.neg: (ANY,),
    operator.pos: (ANY,),
    operator.abs: (ANY,),
}
CALLS |= {op: broadcasting(op, op, *domains) for op, domains in OPERATORS.items()}
CALLS |= {
    operator.floordiv: broadcasting(operator.floordiv, floor_divide, SHIFTED, POSITIVE),
    operator.matmul: multiplying(operator.matmul, operator.matmul),
    operator.getitem: indexing(),
}


def method(name, *arguments):
    return operator.methodcaller(name, *arguments)


CALLS |= {
    "x.sum": reducing(lambda x, **o: x.sum(**o), torch.sum),
    "x.mean": reducing(lambda x, **o: x.mean(**o), torch.mean, FULL_SHAPES),
    "x.max": reducing(lambda x, **o: x.max(**o), torch.amax, FULL_SHAPES),
    "x.min": reducing(lambda x, **o: x.min(**o), torch.amin, FULL_SHAPES),
    "x.squeeze": moving(no_options, method("squeeze"), torch.squeeze),
    "x.ravel": moving(no_options, method("ravel"), torch.ravel),
    "x.swapaxes": moving(two_axes, lambda x, a, b: x.swapaxes(a, b), torch.swapaxes),
    "x.reshape": moving(shapes_of_size, lambda x, s: x.reshape(*s), torch.reshape),
    "x.reshape(shape)": moving(shapes_of_size, lambda x, s: x.reshape(s), torch.reshape),
    "x.transpose": moving(axis_orders, lambda x, o: x.transpose(*o), torch.permute),
    "x.transpose(axes)": moving(axis_orders, lambda x, o: x.transpose(o), torch.permute),
    "x.T": moving(no_options, lambda x: x.T, lambda x: x.permute(*reversed(range(x.ndim)))),
    "x.dot": multiplying(lambda a, b: a.dot(b), torch.matmul, batches=False),
    "x.clip": broadcasting(lambda x: x.clip(-1.02, 1.03), lambda x: x.clamp(-1.02, 1.03), ANY),
    "x.round": broadcasting(lambda x: x.round(), torch.round, ANY),
    "x.copy": broadcasting(lambda x: x.copy(), torch.clone, ANY),
    "x.astype": broadcasting(lambda x: x.astype(np.float64), torch.clone, ANY),
    "iteration": moving(
        no_options, lambda x: sum(part * part for part in x), lambda x: (x * x).sum(0)
    ),
}


def title(key):
    return (
        key
        if isinstance(key, str)
        else f"{getattr(key, '__module__', 'np') or 'np'}.{key.__name__}"
    )
