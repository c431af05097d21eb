"""The recipes of docs/contributor.md, performed to the letter in a clean clone of the course.

A recipe must succeed as it is written, and its last command must fail when a step is left out.
"""

import os
import re

import nbformat
import pytest
from clean_clone import BIN, ROOT, clean_clone, git, run
from guide import steps

STEPS = steps(ROOT / "docs" / "contributor.md")
RECIPES = {step.section: [s for s in STEPS if s.section == step.section] for step in STEPS}
ACTIVATED = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}

NEW_FILE = re.compile(r"A new file `([^`]+)`:")
PLACE = re.compile(r"In `([^`]+)`, (above|below|in the place of) `(.+?)`(?:, an? (.+))?:")
NEXT = re.compile(r"Below that, an? (.+):")
ANSWER = re.compile(r"\*autograded answer\* with the ID `(\w+)` and (\d+) points")


class Reader:
    """Somebody with a text editor and JupyterLab, who does what a step says and nothing else."""

    def __init__(self, clone):
        self.clone = clone
        self._cell = None

    def do(self, step):
        """Perform one step; whether that went well."""
        if new := NEW_FILE.fullmatch(step.lead):
            (self.clone / new[1]).write_text(step.text, encoding="utf-8")
        elif place := PLACE.fullmatch(step.lead):
            self._write(*place.groups(), step.text)
        elif below := NEXT.fullmatch(step.lead):
            self._add_cell(*self._cell, below[1], step.text)
        else:
            done = run(self.clone, step.text, **ACTIVATED)
            print(done.stdout)
            return done.returncode == 0
        return True

    def _write(self, name, where, anchor, cell, text):
        if cell:
            sources = [c.source for c in nbformat.read(self.clone / name, as_version=4).cells]
            return self._add_cell(name, the_only(sources, anchor), cell, text)
        lines = (self.clone / name).read_text(encoding="utf-8").splitlines(keepends=True)
        at = the_only(lines, anchor)
        lines[at + (where == "below") : at + (where != "above")] = [text]
        (self.clone / name).write_text("".join(lines), encoding="utf-8")

    def _add_cell(self, name, above, kind, text):
        notebook = nbformat.read(self.clone / name, as_version=4)
        new = (
            nbformat.v4.new_markdown_cell if kind == "Markdown cell" else nbformat.v4.new_code_cell
        )
        cell = new(text.rstrip("\n"))
        if answer := ANSWER.fullmatch(kind):
            cell.metadata.nbgrader = as_nbgrader_marks(*answer.groups())
        notebook.cells.insert(above + 1, cell)
        nbformat.write(notebook, self.clone / name)
        self._cell = name, above + 1


def the_only(texts, anchor):
    found = [k for k, text in enumerate(texts) if anchor in text]
    assert len(found) == 1, f"{anchor!r} stands in {len(found)} places, where one is expected"
    return found[0]


def as_nbgrader_marks(name, points):
    """What *Create Assignment* notes in the cell."""
    flags = {"grade": True, "locked": False, "solution": True, "task": False, "schema_version": 3}
    return flags | {"grade_id": name, "points": int(points)}


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    return clean_clone(tmp_path_factory.mktemp("contributor") / "course")


@pytest.fixture
def reader(clone):
    """A reader in the clone, which is clean again afterwards."""
    yield Reader(clone)
    git(clone, "checkout", "--quiet", ".")
    git(clone, "clean", "--quiet", "--force", "-d", "--exclude", ".venv")


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_works_as_written(reader, recipe):
    for step in RECIPES[recipe]:
        assert reader.do(step), step.text


@pytest.mark.parametrize(
    ("recipe", "omitted"),
    [
        ("Add an op to the tape", "In `tests/tape/tape_cases.py`"),
        ("Add a widget", "In `course_lib/widgets/__init__.py`, above `from"),
    ],
)
def test_a_recipe_says_when_a_step_is_left_out(reader, recipe, omitted):
    (step,) = [step for step in RECIPES[recipe] if step.lead.startswith(omitted)]
    *others, last = [s for s in RECIPES[recipe] if s is not step]
    for other in others:
        assert reader.do(other), other.text
    assert not reader.do(last)
