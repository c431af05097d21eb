"""The rules of a notebook, as the notebook itself defines them, without running the rest of it."""

import ast
import functools
from pathlib import Path

import nbformat

from course_lib import frameworks

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
IMPORTS = (ast.Import, ast.ImportFrom)
DEFINITIONS = (*IMPORTS, ast.FunctionDef, ast.ClassDef)


class Rules(dict):
    """Names to what the notebook's cells made of them; ``rules.square_tape`` is one of them."""

    def __getattr__(self, name):
        if name in self:
            return self[name]
        raise AttributeError(
            f"No cell of {self['__name__']} defines {name!r}. A definition has to stand in a cell"
            " of imports, functions, classes and assignments only, with at least one of the first"
            " three."
        )

    def dialects(self, name):
        """The same rule in each framework that is installed: {"tape": square_tape, ...}."""
        here = frameworks.available()
        return {key: getattr(self, f"{name}_{frameworks.get(key).suffix}") for key in here}


@functools.cache
def rules(notebook: str) -> Rules:
    """Execute the definitions of a notebook, such as ``"03_many_in_many_out"``, in their order.

    Of cells that do anything else (print, try, differentiate, show) only the imports are executed,
    and nothing of those that need a framework which is not installed.
    """
    found = Rules(__name__=notebook)
    for cell in nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            definitions = _definitions(ast.parse(cell.source))
            _execute(compile(definitions, f"<{notebook}, cell {cell.id}>", "exec"), found)
    return found


def _definitions(cell: ast.Module) -> ast.Module:
    only = all(isinstance(statement, (*DEFINITIONS, ast.Assign)) for statement in cell.body)
    if not (only and any(isinstance(statement, DEFINITIONS) for statement in cell.body)):
        cell.body = [statement for statement in cell.body if isinstance(statement, IMPORTS)]
    return cell


def _execute(code, namespace):
    try:
        exec(code, namespace)
    except (frameworks.FrameworkMissing, NameError):
        if {"tensorflow", "torch"} <= set(frameworks.available()):
            raise  # nothing is missing, so the notebook is wrong
