"""Where a framework is not installed, the notebook cells that need it say so and the rest runs."""

import ast
import copy
import dis
from importlib.util import find_spec
from itertools import compress
from types import CodeType

from course_lib.frameworks.packages import LABELS


class Absent:
    """Stands in for a framework that is not there, and for everything made from it. It is false."""

    def __init__(self, package: str) -> None:
        self.package = package

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"{LABELS[self.package]} is not installed here."


class SkipCells:
    """An AST transformer for IPython: a cell that needs what is absent becomes one sentence.

    A cell needs something absent if it imports or names it, other than as a value in a dict:
    ``CurvePair({"tape": square_tape, "torch": square_torch})`` shows the rules that are there. The
    names that the cell would have defined are then absent as well.

    Parameters
    ----------
    namespace : dict
        The notebook's names.
    packages : list of str
        The packages that are not installed.
    """

    def __init__(self, namespace: dict, packages: list[str]) -> None:
        self.namespace, self.packages = namespace, packages

    def visit(self, cell: ast.Module) -> ast.Module:
        imports = [s for s in cell.body if isinstance(s, ast.Import | ast.ImportFrom)]
        wanting = {id(s): package for s in imports if (package := self._imported(s))}
        package = next(iter(wanting.values()), None) or self._named(cell)
        if package is None:
            return cell
        kept: list[ast.stmt] = [s for s in imports if id(s) not in wanting]
        for name in _defined(cell) - _defined(ast.Module(kept, [])):
            self.namespace[name] = Absent(package)
        label = LABELS[package]
        said = f"{label} is not installed here, so this cell was skipped (pip install {package})."
        return ast.Module(kept + ast.parse(f"print({said!r})").body, [])

    def _imported(self, statement: ast.Import | ast.ImportFrom) -> str | None:
        """The missing package that a statement imports, if there is one."""
        names = {getattr(statement, "module", None), *(alias.name for alias in statement.names)}
        return next((package for package in self.packages if package in names), None)

    def _named(self, cell: ast.Module) -> str | None:
        """The missing package behind a name that the cell reads and has not made itself."""
        code = compile(_without_dict_values(cell), "<cell>", "exec")
        for name in sorted(_read(code) - _defined(cell)):
            if isinstance(value := self.namespace.get(name), Absent):
                return value.package
        return None


def _without_dict_values(cell: ast.Module) -> ast.Module:
    cell = copy.deepcopy(cell)
    for node in ast.walk(cell):
        if isinstance(node, ast.Dict):
            kept = [not isinstance(value, ast.Name) for value in node.values]
            node.keys = list(compress(node.keys, kept))
            node.values = list(compress(node.values, kept))
    return cell


def _read(code: CodeType) -> set[str]:
    """The global names that the code reads, also inside its functions."""
    reading = ("LOAD_NAME", "LOAD_GLOBAL")
    names = {step.argval for step in dis.get_instructions(code) if step.opname in reading}
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return names.union(*map(_read, inner))


def _defined(cell: ast.Module) -> set[str]:
    """The names that the statements of a cell bind at top level."""
    names = set()
    for statement in cell.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names.add(statement.name)
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in statement.names}
        elif isinstance(statement, ast.Assign | ast.With):
            stored = (n for n in ast.walk(statement) if isinstance(n, ast.Name))
            names |= {n.id for n in stored if isinstance(n.ctx, ast.Store)}
    return names


def skip_cells_of_absent_frameworks() -> None:
    """Install `SkipCells` in the notebook that runs here, if it runs in one and needs it."""
    from IPython import get_ipython

    shell, missing = get_ipython(), [name for name in LABELS if find_spec(name) is None]
    if shell and missing and not any(isinstance(t, SkipCells) for t in shell.ast_transformers):
        shell.ast_transformers.append(SkipCells(shell.user_ns, missing))
