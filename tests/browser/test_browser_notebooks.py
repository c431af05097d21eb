"""Every notebook of the course, in the browser: it runs, and its views answer."""

import pytest
from driver import REPOSITORY, Stage

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))

VIEW = "xpath=ancestor::*[contains(@class, 'cg-view')][1]"

# Of every view on the page: the choice to commit to, so that what follows is unlocked.
COMMIT = """() => {
  for (const group of document.querySelectorAll(".cg-choice")) {
    const commit = group.querySelector("button");
    if (commit.hidden) continue;
    group.querySelector("input").click();
    commit.click();
  }
}"""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs_and_its_views_answer(open_notebook, path):
    notebook = open_notebook(path.name, source=path)
    assert notebook.run_all() == []
    predictions = notebook.page.locator(".cg-choice")
    notebook.page.evaluate(COMMIT)
    for k in range(predictions.count()):
        predictions.nth(k).get_by_role("status").filter(has_text=":").wait_for()
    notebook.wait_until_idle()
    notebook.wait_until_painted()
    assert notebook.page.get_by_role("alert").all_inner_texts() == []
    stages = notebook.every_stage()
    for stage in stages:
        stage.press("Home")
        stage.wait_for_value(stage.lowest)
        before = stage.picture
        stage.press("ArrowRight")
        stage.wait_until_the_picture_is_not(before)
        before = stage.picture
        stage.drag(0.3, 0.7, height=0.6)
        stage.wait_until_the_picture_is_not(before)
    for dial in notebook.page.locator(".cg-dial input").all():
        stage = Stage(notebook, dial.locator(VIEW).locator(".cg-stage"))
        for key in ("Home", "End"):  # it may stand at one end already
            before, value = stage.picture, dial.input_value()
            dial.press(key)
            if dial.input_value() != value:
                stage.wait_until_the_picture_is_not(before)
    if stages or predictions.count():
        assert notebook.accessibility_faults(".cg-view") == []
    assert notebook.console_errors == []
    notebook.close()
