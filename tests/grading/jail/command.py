"""`course grade`, as a person runs it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def run(course, *options, **settings):
    """`course grade submitted ...` in the course's folder."""
    command = [sys.executable, "-m", "course_lib.cli", "grade", "submitted", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command,
        cwd=course,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        **settings,
    )
