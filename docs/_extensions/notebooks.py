"""Notebooks on the site: pictures with their sentence, links that lead to pages, live views."""

import re
from html import escape
from pathlib import Path

import nbformat
from docutils import nodes
from mathml import mathml
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from course_lib.figures.palette import stylesheet

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
LINK = re.compile(r'(href="[^":]+)\.ipynb"')
SUMMARY = re.compile(r"<summary>.*?</summary>")
MATHS = re.compile(r"\$([^$]+)\$")


def read(text: str) -> nbformat.NotebookNode:
    """The notebook as the site shows it."""
    notebook = nbformat.reads(text, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = SUMMARY.sub(with_maths, cell.source)
        elif cell.cell_type == "code":
            cell.outputs = [shown for output in cell.outputs for shown in adapt(output, cell)]
    return notebook


def with_maths(summary: re.Match) -> str:
    """Formulas in HTML, which JupyterLab draws and Markdown leaves alone."""
    return MATHS.sub(lambda formula: mathml(formula[1]), summary[0])


def adapt(output: nbformat.NotebookNode, cell: nbformat.NotebookNode) -> list:
    """An output of a cell for a page without a kernel."""
    data = output.get("data", {})
    data.pop(WIDGET_VIEW, None)
    if "text/html" in data:
        data["text/html"] = LINK.sub(r'\1.html"', data["text/html"])
    picture = output.get("metadata", {}).get("image/png", {})
    if "alt" in picture:
        cell.metadata["mystnb"] = {"image": {"alt": picture["alt"]}}
    if "offline" not in picture:
        return [output]
    live = nbformat.v4.new_output("display_data", {"text/html": packed(picture)})
    return [live, output]


def packed(picture: dict) -> str:
    """Where live.js puts a view, from the metadata of the view's picture."""
    return f'<div class="cg-offline" data-view="{picture["offline"]}"></div>'


class Live(SphinxDirective):
    """The first view of a notebook that needs no kernel and asks no question: ``{live} PATH``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        relative, path = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(relative)
        notebook = nbformat.read(path, as_version=4)
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        for output in outputs:
            picture = output.get("metadata", {}).get("image/png", {})
            if "offline" in picture and not picture["alt"].startswith("Predict"):
                source = f"data:image/png;base64,{output['data']['image/png']}"
                image = f'<a><img src="{source}" alt="{escape(picture["alt"])}"></a>'
                html = f'<div class="cell_output">{packed(picture)}{image}</div>'
                return [nodes.raw("", html, format="html")]
        raise self.error(f"{relative} has no view that is live without a kernel.")


def write_stylesheet(app: Sphinx) -> None:
    """The inks of the figures; where to find them is settled once, in the palette."""
    folder = Path(app.outdir, "_static")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.css").write_text(stylesheet(), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write_stylesheet)
    app.connect(
        "config-inited",
        lambda _app, config: config.nb_custom_formats.update({".ipynb": f"{__name__}.read"}),
        priority=1,
    )
    app.add_css_file("figures.css")
    app.add_directive("live", Live)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
