"""The course's own exercises, and a small one written to disk."""

from pathlib import Path

import nbformat
import nbformat.v4 as nbf

SOLUTIONS = Path(__file__).parents[2] / "solutions"


def write_model(folder, name, answer, points=1):
    """The model notebook of an exercise with one question."""
    nbgrader = {
        "grade": True,
        "grade_id": name,
        "locked": False,
        "points": points,
        "schema_version": 3,
        "solution": True,
        "task": False,
    }
    marked = f"### BEGIN SOLUTION\n{answer}\n### END SOLUTION"
    cells = [
        nbf.new_markdown_cell("# Small", id="title"),
        nbf.new_code_cell("import numpy as np", id="setup"),
        nbf.new_code_cell(marked, id="answer", metadata={"nbgrader": nbgrader}),
        nbf.new_code_cell(f'check("{name}")', id="check"),
    ]
    notebook = nbf.new_notebook(cells=cells)
    nbformat.write(notebook, folder / f"{folder.name.split('_', 1)[1]}.ipynb")


SMALL_RUBRIC = """
from course_lib.grading import FunctionQuestion, Mistake, Rubric

square = FunctionQuestion(
    "square",
    points=2,
    inputs=lambda rng: [rng.normal(size=4)],
    reference=lambda x: x**2,
    mistakes=[Mistake("cubed", "One factor `x` too many.", lambda x: x**3)],
    hints=["one", "two", "three"],
)

rubric = Rubric(__file__, [square])
"""
