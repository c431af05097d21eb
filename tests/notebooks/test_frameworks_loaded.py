"""No kernel loads a framework that its notebook does not use: each takes seconds and memory."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
FRAMEWORKS = {"torch", "tensorflow"}
LOADED = "import sys\nprint(*{'torch', 'tensorflow'} & set(sys.modules))"


def used(path: Path) -> set[str]:
    """What the code imports, or names as a framework to check with."""
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    use = r'import ({0})\b|framework="({0})"|"({0})": \w+_'.format("|".join(FRAMEWORKS))
    return {name for match in re.findall(use, code) for name in match if name}


NOTEBOOKS = [*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("solutions/*/*.ipynb")]
SPARING = sorted(path for path in NOTEBOOKS if used(path) != FRAMEWORKS)


def test_the_first_notebooks_use_none():
    assert [path.name for path in SPARING if not used(path)][:2] == [
        "00_start_here.ipynb",
        "01_tape.ipynb",
    ]


@pytest.mark.parametrize("path", SPARING, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_framework_is_loaded_that_is_not_used(path, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(LOADED))
    here = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=60, resources=here).execute()
    loaded = set(notebook.cells[-1].outputs[0].text.split())
    assert loaded <= used(path), f"{path.name} loads {loaded - used(path)} and never uses it"
