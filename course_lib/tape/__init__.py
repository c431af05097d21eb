"""A tape for automatic differentiation in NumPy, made to be read.

>>> from course_lib.tape import Variable, grad
>>> x = Variable([1, 2, 3])
>>> grad(x * x, x)
array([2., 4., 6.])
"""

from .backward import grad, on_backward
from .core import Op, Variable, no_grad, stop_gradient
from .custom import Function, custom_gradient, custom_vjp, register_custom_gradient
from .errors import TapeError
from .forward import jvp
from .numpy_functions import logsumexp, softmax
from .ops import elementwise, unbroadcast
from .transforms import checkpoint, value_and_grad, vjp

# fmt: off
__all__ = [
    "Function", "Op", "TapeError", "Variable", "checkpoint", "custom_gradient",
    "custom_vjp", "elementwise", "grad", "jvp", "logsumexp", "no_grad", "on_backward",
    "register_custom_gradient", "softmax", "stop_gradient", "unbroadcast", "value_and_grad", "vjp",
]
