"""The form of the notebooks: what a reader can rely on in each, and what git should keep."""

import re
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
COURSE = sorted((ROOT / "notebooks").glob("*.ipynb"))
ALL = COURSE + sorted(
    path for folder in ("exercises", "solutions") for path in (ROOT / folder).glob("*/*.ipynb")
)


def named(path):
    return str(path.relative_to(ROOT))


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=named)


def read(path):
    return nbformat.read(path, as_version=4)


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text_of(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_there_are_notebooks():
    assert [path.name[:2] for path in COURSE[:3]] == ["00", "01", "02"]


@each(ALL)
def test_valid_with_stable_ids(path):
    notebook = read(path)
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids), f"{named(path)}: two cells have the same id"


@each(ALL)
def test_metadata_is_only_the_kernel(path):
    notebook = read(path)
    assert set(notebook.metadata) <= {"kernelspec", "language_info", "celltoolbar"}
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        kept = set(cell.metadata) - {"tags", "nbgrader", "editable", "deletable"}
        assert not kept, f"{named(path)}, cell {cell.id}: metadata {kept} changes with every run"


@each(COURSE)
def test_outputs_are_there_and_clean(path):
    for cell in code_of(read(path)):
        where = f"{named(path)}, cell {cell.id}"
        assert cell.execution_count, f"{where}: not executed; run `make notebooks`"
        for output in cell.outputs:
            assert output.output_type != "error", f"{where}: its output is an error"
            assert output.get("name") != "stderr", f"{where}: it writes to stderr: {output.text}"


@each(COURSE)
def test_executed_from_top_to_bottom(path):
    counts = [cell.execution_count for cell in code_of(read(path))]
    assert counts == list(range(1, len(counts) + 1))


@each(COURSE)
def test_pictures_have_a_sentence(path):
    for cell in code_of(read(path)):
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data or "application/vnd.jupyter.widget-view+json" in data:
                text = data.get("text/plain", "")
                assert len(text.split()) >= 5 and " object at 0x" not in text, (
                    f"{named(path)}, cell {cell.id}: its text/plain is no sentence: {text!r}"
                )


@each(COURSE)
def test_no_path_of_a_machine(path):
    assert not re.search(r"(/(home|root|Users)/|C:\\\\)", path.read_text(encoding="utf-8"))


@each(COURSE)
def test_short_cells(path):
    lines = [len(cell.source.splitlines()) for cell in code_of(read(path))]
    assert median(lines) <= 6, f"{named(path)}: median {median(lines)} lines a cell"
    assert quantiles(lines, n=10)[-1] <= 20
    assert max(lines) <= 20, f"{named(path)}: a cell of {max(lines)} lines"


@each(COURSE)
def test_more_text_than_code(path):
    notebook = read(path)
    code = len(code_of(notebook))
    assert len(notebook.cells) - code >= code * 0.6, "explain more: too many code cells in a row"


@each(COURSE)
def test_headings(path):
    text = re.sub(r"```.*?```", "", text_of(read(path)), flags=re.S)
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, flags=re.M)]
    assert levels[0] == 1 and levels.count(1) == 1, f"{named(path)}: one H1, at the top"
    assert all(b <= a + 1 for a, b in pairwise(levels)), "a level is skipped"


@each(COURSE)
def test_header_says_what_to_expect(path):
    first = read(path).cells[0].source
    for row in ("Do", "Learn", "Need", "Minutes"):
        assert re.search(rf"\*\*{row}\*\* \| \S", first), f"{named(path)}: no {row!r} in its header"


@each(COURSE[1:])
def test_recall_prediction_and_what_goes_wrong(path):
    notebook = read(path)
    text = text_of(notebook)
    assert text.count("<details>") >= 2, "two recall questions with their answers"
    assert "## What goes wrong" in text
    assert "## What you take away" in text
    assert any("predict(" in cell.source for cell in code_of(notebook))


LIVE_VIEW = re.compile(r"\b(CurvePair|TapeStepper|StepSizeCurve|DescentRace)\(")


@each(COURSE)
def test_a_prediction_comes_before_a_live_view(path):
    """The first view of each kind waits for an answer; a later one may be there to play with."""
    seen = set()
    for cell in code_of(read(path)):
        for view in LIVE_VIEW.findall(cell.source):
            assert view in seen or "predict(" in cell.source, (
                f"{named(path)}, cell {cell.id}: put the {view} into predict(..., then=...)"
            )
            seen.add(view)


@each(COURSE)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+\.(?:ipynb|py|md))\)", text_of(read(path))):
        assert (path.parent / target).resolve().exists(), f"{named(path)}: {target} is not there"


@each(COURSE[1:])
def test_its_exercise_is_linked(path):
    topic = path.stem[3:]
    assert f"../exercises/{path.stem}/{topic}.ipynb" in text_of(read(path))
