"""The only place that imports TensorFlow and PyTorch: when asked, and without a word on stderr."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

LABELS = {"tensorflow": "TensorFlow", "torch": "PyTorch"}
"""What each package is called in a sentence."""


class FrameworkMissing(ImportError):
    """A framework is needed that is not installed; the message says how to get it."""


def load(name: str) -> ModuleType:
    """Import ``tensorflow`` or ``torch``.

    Raises
    ------
    FrameworkMissing
        If it is not installed, or is installed but cannot be imported.
    """
    try:
        return _load_quietly() if name == "tensorflow" else import_module(name)
    except ImportError as error:
        raise FrameworkMissing(
            f"{LABELS[name]} is needed here but cannot be imported ({error}). Install it with"
            f" `pip install {name}`; everything that does not use it works without it.",
            name=name,
        ) from error


def _load_quietly() -> ModuleType:
    """TensorFlow with its devices found and its first op run, so that nothing is left to be said.

    Its lines on stderr hold times and process ids, and some are written before any logging option
    takes effect. A notebook would store them, and never again give the same output.
    """
    if "tensorflow" in sys.modules:
        return import_module("tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # the same digits on every machine
    with _silent_stderr():
        tf = import_module("tensorflow")
        tf.config.list_physical_devices()
        tf.add(tf.constant(0.0), 1.0)
        tf.get_logger().setLevel("ERROR")
    return tf


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Send file descriptor 2 to nowhere: C++ code does not ask ``sys.stderr``."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
