"""An exercise to attack, its right answers, and a way to write notebooks in one line."""

import json
import shutil
import sys
from pathlib import Path

import clipped_rubric
import numpy as np

from course_lib.grading import Rubric, RuleQuestion
from course_lib.grading.jail.limits import MEBIBYTE, Limits

HINTS = ("Look.", "Think.", "Nearly there.")
EXERCISE = "01_clipped"
# An environment that itself stands in /tmp is bound there, read-only, and leaves no room for more.
EMPTY_TMP = not Path(sys.prefix).resolve().is_relative_to("/tmp")
QUICK = Limits(
    cell_seconds=2.0,
    question_seconds=2.0,
    submission_seconds=60.0,
    memory=512 * MEBIBYTE,
    disk=16 * MEBIBYTE,
    processes=48,
)

RUBRIC = Rubric(f"/{EXERCISE}/rubric.py", clipped_rubric.rubric.questions)

CLIPPED_RIGHT = "def clipped(upstream, x):\n    return upstream * (abs(x) <= 1)"
RECTIFIED_RIGHT = "def rectified(upstream, x):\n    return upstream * (x > 0)"
CLIPPED_WRONG = "def clipped(upstream, x):\n    return upstream"
STUB = "def clipped(upstream, x):\n    raise NotImplementedError  # your code here"

SURROGATE = RuleQuestion(
    "straight_through",
    framework="tape",
    points=1,
    hints=HINTS,
    inputs=lambda rng: [rng.normal(size=4) for _ in range(3)],
    forward=lambda x: np.sin(x),
    backward=lambda upstream, x: upstream * (np.abs(x) <= 1),
    surrogate=True,
)
TORCH_SQUARE = RuleQuestion(
    "square_torch",
    framework="torch",
    points=1,
    hints=HINTS,
    inputs=lambda rng: [rng.normal(size=4) for _ in range(3)],
    forward=lambda x: x**2,
    backward=lambda upstream, x: -0.5 * upstream * x,
    surrogate=True,
)
TENSORFLOW_SQUARE = RuleQuestion(
    "square_tf",
    framework="tensorflow",
    points=1,
    hints=HINTS,
    inputs=lambda rng: [rng.normal(size=4) for _ in range(3)],
    forward=lambda x: x**2,
    backward=lambda upstream, x: -0.5 * upstream * x,
    surrogate=True,
)
TORCH_RIGHT = """
import torch

class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, upstream):
        (x,) = ctx.saved_tensors
        return -0.5 * upstream * x

square_torch = Square.apply
"""
TENSORFLOW_RIGHT = """
from course_lib.frameworks import tensorflow as tf

@tf.custom_gradient
def square_tf(x):
    return x * x, lambda upstream: -0.5 * upstream * x
"""
TAPE_RIGHT = """
from course_lib.tape import custom_gradient

@custom_gradient
def straight_through(x):
    return np.sin(x), lambda upstream: upstream * (abs(x) <= 1)
"""


def cell(source, kind="code", **nbgrader):
    """A cell as a notebook file has it."""
    metadata = {"nbgrader": nbgrader} if nbgrader else {}
    made = {"cell_type": kind, "metadata": metadata, "source": source}
    return {**made, "outputs": [], "execution_count": None} if kind == "code" else made


def notebook(*cells):
    """A notebook file's bytes, from cells or the sources of code cells."""
    cells = [each if isinstance(each, dict) else cell(each) for each in cells]
    whole = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole).encode()


def right_notebook():
    return notebook("import numpy as np", CLIPPED_RIGHT, RECTIFIED_RIGHT)


def course_folder(root):
    """A course on disk: `solutions/` with the exercise, and `submitted/`, which is empty."""
    exercise = root / "solutions" / EXERCISE
    exercise.mkdir(parents=True)
    shutil.copy(clipped_rubric.__file__, exercise / "rubric.py")
    (exercise / "clipped.ipynb").write_bytes(
        notebook(
            cell("import numpy as np", locked=True, grade=False, grade_id="setup", solution=False),
            cell(CLIPPED_RIGHT, grade=True, grade_id="clipped", points=3, solution=True),
            cell(RECTIFIED_RIGHT, grade=True, grade_id="rectified", points=2, solution=True),
        )
    )
    (root / "submitted").mkdir()
    return root


def hand_in(root, student, content, exercise=EXERCISE, name="clipped.ipynb"):
    """Put a notebook where nbgrader would collect it."""
    folder = root / "submitted" / student / exercise
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name
