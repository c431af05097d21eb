"""What an exercise gave its students besides the questions: its own cells, and texts to write."""

import json
from dataclasses import dataclass, field
from typing import Any

from .rubric import Rubric
from .shelf import ExerciseError, broken_answer, grade_id, is_check, model_notebook


@dataclass(frozen=True)
class Written:
    """A question that is answered in prose, which no program grades; `stub` is what was given."""

    name: str
    points: float
    stub: str


@dataclass(frozen=True)
class HandedOut:
    """The sources of the cells that were given, the written questions, and the code to repair.

    `broken` is the source of the answer's cell by the name of the question.
    """

    given: tuple[str, ...] = ()
    written: tuple[Written, ...] = ()
    broken: dict[str, str] = field(default_factory=dict)


def handed_out(rubric: Rubric) -> HandedOut:
    """Read them from the exercise's model notebook; a rubric without one gave nothing."""
    try:
        notebook = json.loads(model_notebook(rubric).read_text(encoding="utf-8"))
    except ExerciseError:
        return HandedOut()
    given, written = [], []
    for cell in notebook["cells"]:
        marks = cell.get("metadata", {}).get("nbgrader", {})
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and marks.get("grade"):
            written.append(Written(str(grade_id(cell)), float(marks.get("points", 0)), _stub()))
        elif _is_given(cell["cell_type"], marks, source):
            given.append(source)
    broken = {q.name: broken_answer(rubric, q.name) for q in rubric.questions if q.given}
    return HandedOut(tuple(given), tuple(written), broken)


def _is_given(kind: str, marks: dict[str, Any], source: str) -> bool:
    """Whether a cell is the exercise's own: code that neither answers, nor tests, nor checks."""
    return (
        kind == "code"
        and bool(marks.get("locked"))
        and not marks.get("grade")
        and not (marks.get("solution") or is_check(source))
    )


def _stub() -> str:
    from .generate import TEXT_STUB  # which imports nbgrader: only where a question needs it

    return TEXT_STUB
