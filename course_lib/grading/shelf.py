"""Where exercises stand: the folder `solutions/`, its rubrics and its model notebooks."""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .rubric import Rubric

BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"
GIVEN = "#|"
"""Starts a line, inside a solution, of what the student finds in its place."""


class ExerciseError(ValueError):
    """Something in `solutions/` is not as an exercise has to be; says which and what to do."""


def find_solutions(start: Path | None = None) -> Path | None:
    """The nearest `solutions` folder with a rubric in it, looking upwards; None if handed out bare.

    Parameters
    ----------
    start : Path, optional
        Where to begin; by default the working directory.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if any((folder / "solutions").glob("*/rubric.py")):
            return folder / "solutions"
    return None


def load_rubric(folder: Path) -> Rubric:
    """The `rubric` that `folder/rubric.py` defines."""
    file = Path(folder) / "rubric.py"
    spec = importlib.util.spec_from_file_location(f"rubric_of_{file.parent.name}", file)
    assert spec is not None and spec.loader is not None, "the name ends in .py"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not isinstance(getattr(module, "rubric", None), Rubric):
        raise ExerciseError(
            f"{file} defines no rubric; end it with rubric = Rubric(__file__, [...])."
        )
    return module.rubric


def load_rubrics(solutions: Path) -> list[Rubric]:
    """Every rubric of the course, in the order of the exercises."""
    return [load_rubric(file.parent) for file in sorted(solutions.glob("*/rubric.py"))]


def model_notebook(rubric: Rubric) -> Path:
    """The notebook that the exercise is generated from: `01_tape/tape.ipynb`."""
    path = rubric.folder / f"{rubric.exercise.split('_', 1)[-1]}.ipynb"
    if not path.is_file():
        raise ExerciseError(f"Exercise {rubric.exercise} needs its notebook at {path}.")
    return path


def model_answer(rubric: Rubric, name: str) -> str:
    """The source of the model answer to a question, without the marks around it."""
    return without_marks(_answer_cell(rubric, name)["source"])


def broken_answer(rubric: Rubric, name: str) -> str:
    """The source of an answer's cell as the student finds it, where there is code to repair."""
    lines, inside = [], False
    for line in _answer_cell(rubric, name)["source"].splitlines():
        if BEGIN in line or END in line:
            inside = BEGIN in line
        elif not inside:
            lines.append(line)
        elif line.lstrip().startswith(GIVEN):
            lines.append(re.sub(rf"{re.escape(GIVEN)} ?", "", line, count=1).rstrip())
    return "\n".join(lines)


def cells_before_answer(rubric: Rubric, name: str) -> list[str]:
    """What has run when the answer's cell is reached: code cells, earlier model answers too."""
    sources: list[str] = []
    for cell in _code_cells(rubric):
        if grade_id(cell) == name:
            return sources
        if not is_check(cell["source"]):
            sources.append(without_marks(cell["source"]))
    raise _no_answer_cell(rubric, name)


def is_check(source: str) -> bool:
    """Whether a cell only asks for a check, a hint or a solution."""
    lines = [line.lstrip("# ") for line in source.splitlines() if line.strip()]
    return bool(lines) and all(line.startswith(("check(", "hint(", "solution(")) for line in lines)


def grade_id(cell: dict[str, Any]) -> str | None:
    """The name under which nbgrader knows a cell, if it does."""
    return cell.get("metadata", {}).get("nbgrader", {}).get("grade_id")


def without_marks(source: str) -> str:
    """A model answer's source as one would write it."""
    kept = [
        line
        for line in source.splitlines()
        if BEGIN not in line and END not in line and not line.lstrip().startswith(GIVEN)
    ]
    return "\n".join(kept)


def _code_cells(rubric: Rubric) -> Iterator[dict[str, Any]]:
    notebook = json.loads(model_notebook(rubric).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            source = cell["source"]
            yield {**cell, "source": source if isinstance(source, str) else "".join(source)}


def _answer_cell(rubric: Rubric, name: str) -> dict[str, Any]:
    for cell in _code_cells(rubric):
        if grade_id(cell) == name:
            return cell
    raise _no_answer_cell(rubric, name)


def _no_answer_cell(rubric: Rubric, name: str) -> ExerciseError:
    return ExerciseError(
        f"{model_notebook(rubric)} has no code cell for the question {name!r}; "
        "give the answer's cell that nbgrader grade_id."
    )
