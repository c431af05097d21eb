"""Grades into nbgrader's own gradebook, so that `nbgrader export` and its web page show them.

It is opened when everything has been graded, and never while a submission runs.
"""

import contextlib
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from .compare import Status
from .graded import Graded


class GradebookError(RuntimeError):
    """The gradebook cannot be opened or written; the message says why."""


def write_gradebook(grades: Iterable[Graded], url: str) -> int:
    """Write grades into a gradebook, and return how many submissions were written.

    What a person has graded by hand stays as it is. A question that is marked REVIEW has no score
    and asks for manual grading. Doing it twice changes nothing.

    Parameters
    ----------
    grades : iterable of Graded
    url : str
        As nbgrader's `db_url`: sqlite:///gradebook.db, postgresql+psycopg://...; a bare file name
        is that of a SQLite file.

    Raises
    ------
    GradebookError
        nbgrader is missing, or the database says no.
    """
    try:
        from nbgrader.api import Gradebook, InvalidEntry
        from sqlalchemy.exc import SAWarning, SQLAlchemyError
    except ImportError as reason:
        raise GradebookError("--gradebook needs nbgrader: pip install nbgrader.") from reason
    written = [graded for graded in grades if graded.questions]
    where = url if "://" in url else f"sqlite:///{url}"
    try:
        with _alembic_in_reach(), warnings.catch_warnings(), Gradebook(where) as gradebook:
            # SQLAlchemy remarks on how nbgrader links its own tables.
            warnings.filterwarnings("ignore", "Object of type", SAWarning)
            for graded in written:
                _write(gradebook, graded)
    except (SQLAlchemyError, InvalidEntry, ImportError) as reason:
        first_line = str(reason).splitlines()[0]
        raise GradebookError(f"The gradebook {where} cannot be written: {first_line}") from reason
    return len(written)


@contextlib.contextmanager
def _alembic_in_reach() -> Iterator[None]:
    """nbgrader calls `alembic` by name, which fails where the environment is not activated."""
    path = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join((os.path.dirname(sys.executable), path))
    try:
        yield
    finally:
        os.environ["PATH"] = path


def _write(gradebook: Any, graded: Graded) -> None:
    notebook = graded.topic
    gradebook.update_or_create_student(graded.student)
    gradebook.update_or_create_assignment(graded.exercise)
    gradebook.update_or_create_notebook(notebook, graded.exercise)
    for question in graded.questions:
        gradebook.update_or_create_grade_cell(
            question.name,
            notebook,
            graded.exercise,
            max_score=question.max_points,
            cell_type="code",
        )
    gradebook.update_or_create_submission(graded.exercise, graded.student)
    for question in graded.questions:
        grade = _grade(gradebook, question.name, notebook, graded)
        in_doubt = question.status == Status.REVIEW
        grade.auto_score = None if in_doubt else question.points
        grade.needs_manual_grade = in_doubt and grade.manual_score is None
    gradebook.db.commit()


def _grade(gradebook: Any, question: str, notebook: str, graded: Graded) -> Any:
    """The entry to fill in; made here where the question is newer than the submission."""
    from nbgrader.api import Grade, MissingEntry

    place = (notebook, graded.exercise, graded.student)
    try:
        return gradebook.find_grade(question, *place)
    except MissingEntry:
        cell = gradebook.find_grade_cell(question, notebook, graded.exercise)
        grade = Grade(cell_id=cell.id, notebook=gradebook.find_submission_notebook(*place))
        gradebook.db.add(grade)
        return grade
