"""Take the pictures of the README: every widget in a real JupyterLab, light and dark.

python tools/screenshots.py docs/images
"""

import sys
import tempfile
from pathlib import Path

import nbformat
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from driver import CHROMIUM_OPTIONS, JupyterLab, Notebook, find_chromium

RULES = """import numpy as np
import tensorflow as tf
import torch
from course_lib.tape import custom_gradient
from course_lib.widgets import *

@custom_gradient
def smooth_step(x, alpha=10.0):
    t = np.tanh(alpha * (x - 0.5))
    return 0.5 + 0.5 * t, lambda u: (u * alpha * (1 - t * t), None)

rules = {
    "tape": smooth_step,
    "tensorflow": lambda x, alpha: 0.5 + 0.5 * tf.tanh(alpha * (x - 0.5)),
    "torch": lambda x, alpha: 0.5 + 0.5 * torch.tanh(alpha * (x - 0.5)),
}
half = custom_gradient(lambda x: (x, lambda u: u / 2))"""
VIEWS = {
    "curve_pair": "CurvePair(rules, params={'alpha': (10, 1, 30)}, xlim=(-0.5, 1.5), x=0.55)",
    "tape_stepper": "TapeStepper(lambda x, y: np.sin(x * y) + x, 0.5, 1.0)",
    "step_size_curve": "StepSizeCurve(np.sin, 1.0)",
    "descent_race": "DescentRace({'true gradient': lambda x: (x - 1) ** 2, "
    "'half of it': lambda x: (half(x) - 1) ** 2}, -1.0)",
    "sketch": "SketchTheGradient(np.sin)",
    "predict": "predict('What is the slope of x² at 3?', ['3', '6', '9'], answer='6', "
    "then=lambda: CurvePair(np.square, xlim=(-4, 4), x=3))",
}


def use(notebook):
    """What a reader has done before the picture is taken."""
    notebook.stage("Tape stepper").press("End", "ArrowLeft", "ArrowLeft")
    notebook.stage("Descent race").press("Home", "PageUp", "ArrowLeft", "ArrowLeft")
    sketch = notebook.stage("Sketch")
    for clicks in (-10, -7, 0, 6, 11, 8, 2, -5, -8):
        sketch.press(*["ArrowUp" if clicks > 0 else "ArrowDown"] * abs(clicks), "ArrowRight")
    notebook.page.get_by_role("button", name="Reveal").click()
    notebook.page.get_by_role("radio", name="6").check()
    notebook.page.get_by_role("button", name="Commit").click()
    notebook.stage("square:")
    notebook.wait_until_idle()


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as root, sync_playwright() as playwright:
        cells = [nbformat.v4.new_code_cell(source) for source in (RULES, *VIEWS.values())]
        sheet = nbformat.v4.new_notebook(cells=cells)
        sheet.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(sheet, Path(root) / "views.ipynb")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_OPTIONS)
        options = {"viewport": {"width": 1000, "height": 1000}, "device_scale_factor": 1.5}
        with JupyterLab(Path(root)) as lab:
            notebook = Notebook(lab, browser.new_context(**options), "views.ipynb")
            if errors := notebook.run_all():
                sys.exit("\n".join(errors))
            use(notebook)
            for theme, ending in (("Light", ""), ("Dark", "_dark")):
                notebook.set_theme(theme)
                views = notebook.page.locator(".jp-OutputArea-output > .cg-view")
                for name, view in zip(VIEWS, views.all(), strict=True):
                    view.scroll_into_view_if_needed()
                    notebook.wait_until_painted()
                    view.screenshot(path=folder / f"{name}{ending}.png")
                    print(folder / f"{name}{ending}.png")
            notebook.close()
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
