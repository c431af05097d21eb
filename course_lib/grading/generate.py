"""From `solutions/` to `exercises/`: what a student is handed, made from the one source.

nbgrader's own steps clear the answers, lock what is given and compute the checksums. What they
make depends on the source only: no outputs, no times, cell ids as in the source.
"""

import json
import logging
import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from nbformat import NotebookNode
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
    NbGraderPreprocessor,
)

from .notebook import HANDOUT, SEED
from .rubric import Question, Rubric, RuleQuestion
from .shelf import (
    BEGIN,
    GIVEN,
    ExerciseError,
    grade_id,
    is_check,
    load_rubrics,
    model_notebook,
)

STUB = "raise NotImplementedError  # your code here"
TEXT_STUB = "*Your answer here.*"
NOT_HANDED_OUT = ("rubric.py", "__pycache__", ".ipynb_checkpoints")


class LeaveWhatIsGiven(ClearSolutions):
    """Clears a solution down to its lines that begin with `#|`, or to the stub if it has none."""

    def preprocess_cell(self, cell: NotebookNode, resources: Any, index: int) -> tuple:
        lines = [line.strip() for line in cell.source.splitlines()]
        given = [line[len(GIVEN) :].removeprefix(" ") for line in lines if line.startswith(GIVEN)]
        if given and sum(BEGIN in line for line in lines) > 1:
            raise ExerciseError(
                f"The cell {grade_id(cell)} has several solutions and lines marked {GIVEN}: "
                "mark one solution a cell."
            )
        self.code_stub = {"python": "\n".join(given) or STUB}
        self.text_stub = TEXT_STUB
        cell, resources = super().preprocess_cell(cell, resources, index)
        cell.source = re.sub(r"^[ \t]+$", "", cell.source, flags=re.MULTILINE)
        return cell, resources


STEPS: tuple[type[NbGraderPreprocessor], ...] = (
    LockCells,
    LeaveWhatIsGiven,
    ClearOutput,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
)


def write_exercises(solutions: Path, exercises: Path) -> list[Path]:
    """Bring `exercises/` up to date, and return the files that were written or removed."""
    wanted = _all_files(solutions)
    stale = _differing(wanted, exercises)
    for path in stale:
        file = exercises / path
        if path in wanted:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(wanted[path])
        else:
            file.unlink()
    return [exercises / path for path in stale]


def drifted(solutions: Path, exercises: Path) -> list[Path]:
    """The files of `exercises/` that differ from what `write_exercises` would write."""
    return [exercises / path for path in _differing(_all_files(solutions), exercises)]


def exercise_files(rubric: Rubric) -> dict[Path, bytes]:
    """What is handed out for one exercise: path below its folder to content.

    Raises
    ------
    ExerciseError
        If the notebook does not fit the rubric; says which cell, and what to write.
    """
    source = model_notebook(rubric)
    notebook = nbformat.read(source, as_version=4)
    _check_cells(notebook, rubric)
    files = {
        Path(source.name): _as_bytes(nbformat.writes(_handed_out(notebook), indent=1)),
        Path(HANDOUT): _as_bytes(json.dumps(_handout(rubric), indent=1)),
    }
    for file in sorted(rubric.folder.rglob("*")):
        inside = file.relative_to(rubric.folder)
        if file.is_file() and file != source and not set(inside.parts) & set(NOT_HANDED_OUT):
            files[inside] = file.read_bytes()
    return files


def _all_files(solutions: Path) -> dict[Path, bytes]:
    return {
        Path(rubric.exercise) / path: content
        for rubric in load_rubrics(solutions)
        for path, content in exercise_files(rubric).items()
    }


def _differing(wanted: dict[Path, bytes], exercises: Path) -> list[Path]:
    present = {
        file.relative_to(exercises): file.read_bytes()
        for file in exercises.rglob("*")
        if file.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(file.parts)
    }
    return sorted(
        path for path in wanted.keys() | present.keys() if wanted.get(path) != present.get(path)
    )


def _handed_out(notebook: NotebookNode) -> NotebookNode:
    notebook.metadata = NotebookNode(
        kernelspec=NotebookNode(
            display_name="Python 3 (ipykernel)", language="python", name="python3"
        ),
        language_info=NotebookNode(name="python"),
    )
    resources: dict[str, Any] = {}
    for step in STEPS:
        preprocessor = step()
        preprocessor.log.setLevel(logging.CRITICAL)
        notebook, resources = preprocessor.preprocess(notebook, resources)
    return notebook


def _handout(rubric: Rubric) -> dict[str, Any]:
    """What `check` and `hint` may know where the solutions are not handed out."""
    return {
        "exercise": rubric.exercise,
        "questions": {question.name: _public_half(question) for question in rubric.questions},
    }


def _public_half(question: Question) -> dict[str, Any]:
    probes = question.probes(np.random.default_rng(SEED))
    return {
        "points": question.points,
        "hints": list(question.hints),
        "by_gradient": isinstance(question, RuleQuestion) and not question.surrogate,
        "probes": [probe.as_json() for probe in probes],
    }


def _check_cells(notebook: NotebookNode, rubric: Rubric) -> None:
    """Refuse a notebook that does not ask what the rubric grades."""
    where = model_notebook(rubric)
    answers = {grade_id(cell): cell for cell in notebook.cells if _is_answer(cell)}
    checks = "\n".join(cell.source for cell in notebook.cells if is_check(cell.source))
    for question in rubric.questions:
        name = question.name
        metadata = {
            "grade": True,
            "grade_id": name,
            "locked": False,
            "points": question.points,
            "schema_version": 3,
            "solution": True,
            "task": False,
        }
        cell = answers.pop(name, None)
        found = cell and {key: cell.metadata.nbgrader.get(key) for key in metadata}
        if found != metadata:
            raise ExerciseError(
                f"{where}: the cell for {name!r} needs the nbgrader metadata {metadata}, "
                f"but has {found}."
            )
        if BEGIN not in cell.source:
            raise ExerciseError(f"{where}: mark the answer in the cell of {name!r} by ### {BEGIN}.")
        if f'check("{name}")' not in checks:
            raise ExerciseError(f'{where}: add a cell check("{name}") after the answer to it.')
    if answers:
        raise ExerciseError(f"{where}: no question of the rubric grades the cells {list(answers)}.")


def _is_answer(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("solution", False)


def _as_bytes(text: str) -> bytes:
    return (text.rstrip("\n") + "\n").encode()
