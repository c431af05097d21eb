"""Either framework may be missing: its cells say so, and the rest of the notebook runs."""

import ast

import nbformat
from nbclient import NotebookClient

from course_lib.frameworks.absent import Absent, SkipCells

HIDE_TORCH = "import sys; sys.modules['torch'] = None"


def run(*cells):
    """The printed text of each cell, in a kernel without PyTorch."""
    sources = [HIDE_TORCH, "import course_lib", *cells]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    return ["".join(o.get("text", "") for o in cell.outputs) for cell in notebook.cells[2:]]


def test_cells_are_skipped_and_the_rest_runs():
    said = run(
        "from course_lib.frameworks import torch\n\nclass Rule(torch.autograd.Function):\n    pass",
        "rule_torch = Rule.apply",
        "print(1 + 1)",
        "rules = {'tape': abs, 'torch': rule_torch}\nprint(bool(rules['torch']), rules['torch'])",
        "rule_torch(3.0)",
    )
    sentence = "PyTorch is not installed here, so this cell was skipped (pip install torch).\n"
    assert said == [sentence, sentence, "2\n", "False PyTorch is not installed here.\n", sentence]


def test_nothing_is_skipped_where_all_is_there():
    cell = ast.parse("import torch\nx = torch.tensor(1.0)")
    assert SkipCells({}, packages=[]).visit(cell) is cell


def test_a_name_that_is_made_anew_or_local_is_not_needed():
    namespace = {"y": Absent("torch")}
    skip = SkipCells(namespace, ["torch"])
    for source in ("y = 3\nprint(y)", "def f(x):\n    y = x\n    return y", "g = lambda y: y + 1"):
        cell = ast.parse(source)
        assert skip.visit(cell) is cell, source
    assert skip.visit(cell := ast.parse("def f(x):\n    return y * x")) is not cell


def test_other_imports_of_a_skipped_cell_are_kept():
    skip = SkipCells({}, ["torch"])
    body = skip.visit(ast.parse("import math\nimport torch\nz = torch.ones(math.floor(2.5))")).body
    assert ast.unparse(body[0]) == "import math" and len(body) == 2
    assert sorted(skip.namespace) == ["torch", "z"]


def test_names_of_a_skipped_cell_are_absent():
    namespace = {}
    skip = SkipCells(namespace, ["torch"])
    skip.visit(ast.parse("import torch as t\na, b = t.ones(2)\nwith t.no_grad() as c:\n    d = 1"))
    assert sorted(namespace) == ["a", "b", "c", "d", "t"]
    assert all(isinstance(value, Absent) for value in namespace.values())
    assert skip.visit(ast.parse("print(a)")).body[0].value.args[0].value.startswith("PyTorch")
