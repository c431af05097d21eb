"""The other end of a try that is NOT ISOLATED: a process held to its limits only."""

import json
import os
import socket
import sys

from . import inmate
from .limits import Limits, confine


def main() -> None:
    """Serve the socket that is this process's standard input."""
    end = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    inmate.prepare()
    confine(Limits(**json.loads(sys.argv[1])))
    inmate.serve(end)
