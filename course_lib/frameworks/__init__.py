"""The tape, TensorFlow and PyTorch behind one small protocol.

>>> from course_lib import frameworks
>>> square = frameworks.get("tape")
>>> outputs, pullback = square.vjp(lambda x: x * x, np.array([1.0, 2.0, 3.0]))
>>> pullback(np.ones(3))
(array([2., 4., 6.]),)

Importing this room loads neither torch nor TensorFlow: an adapter imports its framework when it is
first asked for. Notebooks write ``from course_lib.frameworks import tensorflow as tf, torch`` and
get the real packages, TensorFlow without its chatter on stderr.
"""

import functools
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from course_lib.frameworks.packages import LABELS, FrameworkMissing, load
from course_lib.frameworks.protocol import Adapter, BackwardStep, Watched
from course_lib.frameworks.rules import BadOutput, is_differentiable, rule_name

__all__ = [
    "LABELS",
    "Adapter",
    "BackwardStep",
    "BadOutput",
    "FrameworkMissing",
    "Watched",
    "available",
    "get",
    "is_differentiable",
    "rule_name",
]

_ADAPTERS = {
    "tape": "course_lib.frameworks.tape_adapter",
    "tensorflow": "course_lib.frameworks.tensorflow_adapter",
    "torch": "course_lib.frameworks.torch_adapter",
}
_PACKAGES = ("tensorflow", "torch")


def available() -> list[str]:
    """The names of the frameworks that can be used here, found without importing any of them."""
    return [name for name in _ADAPTERS if name not in _PACKAGES or find_spec(name)]


@functools.cache
def get(name: str) -> Adapter:
    """The adapter of a framework.

    Parameters
    ----------
    name : {"tape", "tensorflow", "torch"}

    Raises
    ------
    ValueError
        If there is no such adapter.
    FrameworkMissing
        If its package is not installed.
    """
    if name not in _ADAPTERS:
        known = ", ".join(f'"{each}"' for each in _ADAPTERS)
        raise ValueError(f"There is no framework {name!r} here. Choose one of {known}.")
    return import_module(_ADAPTERS[name]).ADAPTER


def __getattr__(name: str) -> ModuleType:
    if name in _PACKAGES:
        return load(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
