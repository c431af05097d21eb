"""Notebook 7 in a real browser: as handed out, run, and without anywidget."""

import json

import nbformat
import pytest
from driver import REPOSITORY, JupyterLab, Notebook
from newcomer import commit_and_move_the_slider, move
from playwright.sync_api import expect

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
START = nbformat.read(REPOSITORY / "notebooks" / "00_start_here.ipynb", as_version=4)


class Notebook7(JupyterLab):
    """The same server; what it shows under /notebooks/ is Notebook 7."""

    def page_of(self, notebook: str) -> str:
        return f"{self.url}/notebooks/{notebook}?token={self._token}"


@pytest.fixture(scope="module")
def opened(chromium, tmp_path_factory):
    """Opens 00_start_here in Notebook 7, after code cells that are given."""
    config = tmp_path_factory.mktemp("config")
    exposed = {"JupyterNotebookApp": {"expose_app_in_browser": True}}
    (config / "jupyter_notebook_config.json").write_text(json.dumps(exposed))
    context = chromium.new_context(viewport={"width": 1100, "height": 1000})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_CONFIG_PATH", str(config))
        with Notebook7(tmp_path_factory.mktemp("notebook7")) as server:

            def open_it(name: str, *cells: str) -> Notebook:
                more = [nbformat.v4.new_code_cell(cell) for cell in cells]
                sheet = nbformat.v4.new_notebook(cells=more + START.cells, metadata=START.metadata)
                nbformat.write(sheet, server.root / name)
                return Notebook(server, context, name)

            yield open_it


def test_before_anything_is_run_the_pictures_are_there(opened):
    page = opened("not_run.ipynb").page
    outputs = [output for cell in START.cells for output in cell.get("outputs", [])]
    views = [output for output in outputs if WIDGET_VIEW in output.get("data", {})]
    assert len(views) > 1
    pictures = page.locator(".jp-RenderedImage img")
    expect(pictures).to_have_count(len(views))
    assert all(picture.evaluate("it => it.naturalWidth") > 100 for picture in pictures.all())


def test_the_first_notebook_runs_and_the_slider_answers(opened):
    notebook = opened("run.ipynb")
    notebook.console_errors.clear()  # Notebook 7 may have one of its own on its way up
    assert notebook.run_all() == []
    commit_and_move_the_slider(notebook.page)
    assert notebook.console_errors == []


def test_without_anywidget_there_are_plain_controls(opened):
    block = 'import os, sys\n\nsys.modules["anywidget"] = None'
    elsewhere = 'os.environ["COURSE_PROGRESS"] = "plain.json"'
    notebook = opened("plain.ipynb", block, elsewhere)
    assert notebook.run_all() == []
    page = notebook.page
    assert page.locator(".cg-stage").count() == 0
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Commit").first.click()
    move(page.get_by_role("slider").first, ".widget-html:has(svg)")
