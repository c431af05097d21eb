"""Notebook 7 in a real browser: as handed out, run, and without anywidget."""

import re

import nbformat
import pytest
from driver import REPOSITORY, JupyterLab
from newcomer import commit_and_move_the_slider, move
from playwright.sync_api import Page, expect

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
START = REPOSITORY / "notebooks" / "00_start_here.ipynb"


class Notebook7(JupyterLab):
    """The same server; what it shows under /notebooks/ is Notebook 7."""

    def page_of(self, notebook: str) -> str:
        return f"{self.url}/notebooks/{notebook}?token={self._token}"


@pytest.fixture(scope="module")
def notebook7(tmp_path_factory):
    with Notebook7(tmp_path_factory.mktemp("notebook7")) as server:
        yield server


@pytest.fixture(scope="module")
def context(chromium):
    return chromium.new_context(viewport={"width": 1100, "height": 1000})


def opened(notebook7: Notebook7, context, name: str, notebook: nbformat.NotebookNode) -> Page:
    nbformat.write(notebook, notebook7.root / name)
    page = context.new_page()
    page.errors = []
    page.on("console", lambda said: said.type == "error" and page.errors.append(said.text))
    page.goto(notebook7.page_of(name))
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for(timeout=60_000)
    return page


def run_all(page: Page) -> None:
    """Run a notebook without outputs, to its last cell."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    last = page.locator(".jp-CodeCell .jp-InputPrompt").last
    expect(last).to_have_text(re.compile(r"\[\d+\]"), timeout=60_000)


def start(*more_cells: str) -> nbformat.NotebookNode:
    """00_start_here without outputs, after cells that are given."""
    notebook = nbformat.read(START, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.cells[:0] = map(nbformat.v4.new_code_cell, more_cells)
    return notebook


def test_before_anything_is_run_the_pictures_are_there(notebook7, context):
    notebook = nbformat.read(START, as_version=4)
    page = opened(notebook7, context, "not_run.ipynb", notebook)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    views = [output for output in outputs if WIDGET_VIEW in output.get("data", {})]
    assert len(views) > 1
    pictures = page.locator(".jp-RenderedImage img")
    expect(pictures).to_have_count(len(views))
    assert all(picture.evaluate("it => it.naturalWidth") > 100 for picture in pictures.all())


def test_the_first_notebook_runs_and_the_slider_answers(notebook7, context):
    page = opened(notebook7, context, "run.ipynb", start())
    run_all(page)
    commit_and_move_the_slider(page)
    assert page.errors == []


def test_without_anywidget_there_are_plain_controls(notebook7, context):
    block = 'import os, sys\n\nsys.modules["anywidget"] = None'
    elsewhere = 'os.environ["COURSE_PROGRESS"] = "plain.json"'
    page = opened(notebook7, context, "plain.ipynb", start(block, elsewhere))
    run_all(page)
    assert page.locator(".cg-stage").count() == 0
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Commit").first.click()
    move(page.get_by_role("slider").first, page.locator(".widget-html:has(svg)").first)
