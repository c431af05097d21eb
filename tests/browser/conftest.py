"""One browser and one JupyterLab for all the tests of this folder, a fresh notebook a module."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from driver import JupyterLab, Notebook

Opener = Callable[..., Notebook]


@pytest.fixture(scope="session")
def browser_context(chromium) -> Iterator:
    """A window of the system's Chromium."""
    context = chromium.new_context(viewport={"width": 1100, "height": 1000})
    yield context
    context.close()


@pytest.fixture(scope="session")
def lab(browser_context, tmp_path_factory) -> Iterator[JupyterLab]:
    """A JupyterLab over an empty folder."""
    with JupyterLab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="module")
def open_notebook(lab, browser_context) -> Iterator[Opener]:
    """Opens a notebook with the given code cells, or a copy of the notebook at a path."""
    opened = []

    def open_it(name: str, *cells: str, source: Path | None = None) -> Notebook:
        if source is None:
            sheet = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
            sheet.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        else:
            sheet = nbformat.read(source, as_version=4)
        nbformat.write(sheet, lab.root / name)
        opened.append(Notebook(lab, browser_context, name))
        return opened[-1]

    yield open_it
    for notebook in opened:
        notebook.close()
