"""Find the submissions: a notebook, or folders as nbgrader lays them out, STUDENT/EXERCISE.

Nothing that was handed in is passed over in silence. A folder with another name, a notebook with
another name, several notebooks, none at all: each is graded as well as it can be, with a note.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .extract import Unreadable, filled, read_notebook
from .graded import as_name, harmless
from .rubric import Rubric

YOU = "you"
_NOT_STUDENTS = {"exercises", "release", "solutions", "source"}
_DEPTH = 3  # of folders inside an exercise's, as unpacking an archive leaves them


class NothingToGrade(ValueError):
    """There is no submission at a path; the message says what was expected there."""


@dataclass(frozen=True)
class Submission:
    """What one student handed in for one exercise.

    `rubric` is None if no exercise is known by that name; `path` is None if there is no notebook,
    and then `notes` says so.
    """

    student: str
    exercise: str
    rubric: Rubric | None
    path: Path | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Found:
    """A folder, or a single notebook, that a student handed in."""

    student: str
    place: Path

    @property
    def notebooks(self) -> list[Path]:
        if os.path.isdir(self.place) and self.place.is_symlink():
            return []  # it may lead to the solutions
        return [self.place] if _is_notebook(self.place) else _notebooks_in(self.place)


def collect(paths: Iterable[Path], rubrics: Sequence[Rubric]) -> list[Submission]:
    """Every submission at the paths, by student and exercise.

    Parameters
    ----------
    paths : iterable of Path
        A notebook; an exercise's folder; a student's; or one with a folder for each student.
    rubrics : sequence of Rubric

    Raises
    ------
    NothingToGrade
        A path does not exist, or there is nothing in it.
    """
    catalogue = _Catalogue(rubrics)
    together: dict[tuple[str, str], tuple[Rubric | None, list[_Found]]] = {}
    for path in paths:
        for found in _places(Path(path), catalogue):
            rubric = catalogue.rubric_of(found)
            exercise = rubric.exercise if rubric else as_name(found.place.stem)
            together.setdefault((found.student, exercise), (rubric, []))[1].append(found)
    return [
        _submission(student, exercise, rubric, found)
        for (student, exercise), (rubric, found) in sorted(together.items(), key=lambda i: i[0])
    ]


class _Catalogue:
    """Which exercise something belongs to: by the folder's name, the file's, or the contents."""

    def __init__(self, rubrics: Sequence[Rubric]) -> None:
        self._rubrics = rubrics
        self._by_name = {
            key: rubric
            for rubric in rubrics
            for key in (_key(_topic(rubric)), _key(rubric.exercise))
        }

    def named(self, name: str) -> Rubric | None:
        return self._by_name.get(_key(name))

    def rubric_of(self, found: _Found) -> Rubric | None:
        names = [found.place.stem if found.place.is_file() else found.place.name]
        if _is_notebook(found.place):
            names.insert(0, found.place.parent.name)
        for name in names:
            if rubric := self.named(name):
                return rubric
        notebooks = found.notebooks
        for path in notebooks:
            if rubric := self.named(path.stem):
                return rubric
        every = {question.name for rubric in self._rubrics for question in rubric.questions}
        answers = [_filled(path, every) or set() for path in notebooks]
        scores = [max((len(a & _asked(r)) for a in answers), default=0) for r in self._rubrics]
        best = max(scores, default=0)
        return self._rubrics[scores.index(best)] if best else None


def _places(path: Path, catalogue: _Catalogue) -> Iterator[_Found]:
    if _is_notebook(path):
        yield _Found(_student_of(path, catalogue), path)
    elif not path.is_dir():
        raise NothingToGrade(
            f"{path} is neither a notebook (.ipynb) nor a folder; give one of these."
        )
    elif catalogue.named(path.name):
        yield _Found(as_name(path.resolve().parent.name), path)
    else:
        inside = _folders_in(path)
        children = sorted(path.iterdir())
        loose = [child for child in children if _is_notebook(child)]
        links = [child for child in children if child.is_symlink() and os.path.isdir(child)]
        if not inside and not loose and not links:
            raise NothingToGrade(
                f"There is no submission in {path}; expected {path}/STUDENT/EXERCISE/*.ipynb."
            )
        if _is_a_students(inside, catalogue):
            yield from _of_student(path)
        else:
            yield from (_Found(as_name(notebook.stem), notebook) for notebook in loose)
            yield from (_Found(as_name(link.name), link) for link in links)
            for student in inside:
                yield from _of_student(student)


def _is_a_students(folders: list[Path], catalogue: _Catalogue) -> bool:
    """Whether these folders are one student's exercises, and not a class's students."""
    if any(catalogue.named(folder.name) for folder in folders):
        return True
    deeper = [inner for folder in folders for inner in _folders_in(folder)]
    return not deeper and any(_notebooks_in(folder) for folder in folders)


def _of_student(folder: Path) -> Iterator[_Found]:
    name = as_name(folder.resolve().name)
    folders = _folders_in(folder)
    handed_in = [
        child
        for child in _inside(folder)
        if _is_notebook(child) or child in folders or child.is_symlink()
    ]
    if not handed_in and (_inside(folder) or not _is_open(folder)):
        handed_in = [folder]  # which holds other things, or cannot be looked into: that is noted
    yield from (_Found(name, child) for child in handed_in)


def _student_of(notebook: Path, catalogue: _Catalogue) -> str:
    """Whose a single notebook is: told by nbgrader's layout, or else by the file's name."""
    folder = notebook.resolve().parent
    if not catalogue.named(folder.name):
        return YOU if catalogue.named(notebook.stem) else as_name(notebook.stem)
    return YOU if folder.parent.name in _NOT_STUDENTS else as_name(folder.parent.name)


def _submission(
    student: str, exercise: str, rubric: Rubric | None, found: list[_Found]
) -> Submission:
    notebooks = [path for place in found for path in place.notebooks]
    places = ", ".join(sorted({place.place.name for place in found}))
    if not notebooks:
        return Submission(student, exercise, rubric, None, (harmless(_nothing_in(found)),))
    if rubric is None:
        note = f"{places} belongs to no exercise of this course, by its name or by its contents."
        return Submission(student, exercise, None, None, (harmless(note),))
    expected = f"{_topic(rubric)}.ipynb"
    chosen = notebooks[0]
    if len(notebooks) > 1:
        chosen = max(notebooks, key=lambda path: (_count(path, rubric), path.name == expected))
    notes = []
    if len(notebooks) > 1:
        names = ", ".join(str(path.name) for path in notebooks)
        notes.append(f"Of {len(notebooks)} notebooks ({names}), {chosen.name} was graded.")
    elif chosen.name != expected and not _is_notebook(found[0].place):
        notes.append(f"The notebook is called {chosen.name}, not {expected}.")
    if not any(place.place.name == exercise or _is_notebook(place.place) for place in found):
        notes.append(f"The folder is called {places}, not {exercise}.")
    return Submission(student, exercise, rubric, chosen, tuple(map(harmless, notes)))


def _nothing_in(found: list[_Found]) -> str:
    places = [each.place for each in found]
    if links := [place.name for place in places if place.is_symlink()]:
        return f"{', '.join(links)} is a link, which is not followed."
    if closed := [place.name for place in places if not _is_open(place)]:
        return f"{', '.join(closed)} cannot be looked into: you have no permission to."
    files = [file.name for place in places for file in _inside(place)]
    what = f"only {', '.join(files[:5])}" if files else "nothing"
    folders = ", ".join(place.name for place in places)
    return f"There is no notebook in the folder {folders}: {what} is there."


def _count(path: Path, rubric: Rubric) -> int:
    """How many answers to a rubric's questions are filled in; -1 for what cannot be read."""
    answers = _filled(path, _asked(rubric))
    return -1 if answers is None else len(answers)


def _filled(path: Path, names: set[str]) -> set[str] | None:
    try:
        return filled(read_notebook(path), names)
    except Unreadable:
        return None


def _asked(rubric: Rubric) -> set[str]:
    return {question.name for question in rubric.questions}


def _topic(rubric: Rubric) -> str:
    return rubric.exercise.split("_", 1)[-1]


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _is_notebook(path: Path) -> bool:
    named = path.suffix.lower() == ".ipynb" and not path.name.startswith(".")
    return named and not os.path.isdir(path)


def _is_open(folder: Path) -> bool:
    try:
        os.scandir(folder).close()
    except OSError:
        return False
    return True


def _inside(folder: Path) -> list[Path]:
    """What a student's folder holds; nothing, if it cannot be looked into."""
    return sorted(folder.iterdir()) if _is_open(folder) else []


def _folders_in(folder: Path) -> list[Path]:
    return [
        child
        for child in _inside(folder)
        if os.path.isdir(child)
        and not child.is_symlink()
        and not child.name.startswith((".", "__"))
    ]


def _notebooks_in(folder: Path, depth: int = _DEPTH) -> list[Path]:
    """The notebooks of an exercise's folder, or of the folders inside it if it has none itself."""
    here = [child for child in _inside(folder) if _is_notebook(child)]
    if here or depth == 0:
        return here
    return [path for inner in _folders_in(folder) for path in _notebooks_in(inner, depth - 1)]
