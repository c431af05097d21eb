"""From a submitted notebook to what is run of it.

Answers are found by the names that the questions ask for, not by what a submission claims about its
cells: renamed, stripped, retyped, copied and shuffled cells all count. The tests that were handed
out are never run from a submission.
"""

import ast
import json
import os
import re
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from IPython.core.inputtransformer2 import (
    classic_prompt,
    ipython_prompt,
    leading_empty_lines,
    leading_indent,
)

from .shelf import is_check

MAX_BYTES = 256 << 20
MAX_PARTS = 20_000_000
"""Commas and brackets in a file: each may cost dozens of bytes in memory."""
MAX_SOURCE = 2_000_000
"""Characters in all its code cells together."""
_LOOKED_INTO = 100_000  # characters of a cell: the parser takes minutes over longer ones
NONE: frozenset[int] = frozenset()
_DEFINITION = re.compile(
    r"^[ \t]*(?:(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)|(\w+)[ \t]*(?::[^=\n]+)?=(?!=))",
    re.MULTILINE,
)
_MAGIC_LINE = re.compile(r"^([ \t]*)(?:(?:\w+[ \t]*=[ \t]*)?[%!].*|.*\?[ \t]*)$", re.MULTILINE)


class Unreadable(ValueError):
    """A submission that cannot be read as a notebook; the message says why, for a person."""


@dataclass(frozen=True)
class Cell:
    """A cell to run: its position in the notebook, counted from 1 as a reader would.

    `defines` are the answers that it seems to define. `blanks` are the top-level statements,
    counted from 0, that are copies of an unfilled answer and would replace a filled one.
    """

    position: int
    source: str
    defines: frozenset[str] = frozenset()
    blanks: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Extract:
    """The cells to run, in order, and what a person should know about how they were found."""

    cells: tuple[Cell, ...] = ()
    notes: tuple[str, ...] = ()

    def defining(self, name: str) -> list[int]:
        """The positions of the cells that define an answer."""
        return [cell.position for cell in self.cells if name in cell.defines]


def read_notebook(path: Path) -> bytes:
    """The bytes of a submitted notebook; raise `Unreadable` for anything but a plain file."""
    try:
        # Neither follow a link, which may lead to the solutions, nor wait at a named pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as reason:
        what = "is a link" if path.is_symlink() else f"cannot be opened ({reason.strerror})"
        raise Unreadable(f"{path.name} {what}; a notebook is expected.") from reason
    with open(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise Unreadable(f"{path.name} is not a file; a notebook is expected.")
        if about.st_size > MAX_BYTES:
            raise Unreadable(f"{path.name} has {about.st_size:,} bytes, more than {MAX_BYTES:,}.")
        return file.read()


def extract(notebook: bytes, names: Collection[str]) -> Extract:
    """Choose the cells to run.

    Parameters
    ----------
    notebook : bytes
        The file, as it was handed in.
    names : collection of str
        The names of the questions.

    Raises
    ------
    Unreadable
        It is not a notebook.
    """
    code, prose = [], []
    for position, kind, source, is_test in _cells_of(_parse(notebook)):
        if kind != "code":
            prose.append((position, kind, source))
        elif not is_check(source) and not (is_test and not _defined_in(source, names)):
            code.append((position, source))
    size = sum(len(source) for _, source in code)
    if size > MAX_SOURCE:
        raise Unreadable(f"Its code has {size:,} characters, more than {MAX_SOURCE:,}.")
    rescued, notes = _rescue(prose, set(names) - _defined_in_any(code, names))
    code = sorted([*code, *rescued])
    blanks = _blanks(code, names)
    cells = tuple(
        Cell(position, source, frozenset(_defined_in(source, names)), blanks.get(position, NONE))
        for position, source in code
    )
    return Extract(cells, tuple(notes))


def is_edited(cells: Iterable[str], name: str, handed_out: str) -> bool:
    """Whether an answer differs from the one handed out in more than form and comments.

    Parameters
    ----------
    cells : iterable of str
        Sources, in the order in which they ran: the last that defines the answer counts.
    name : str
    handed_out : str
        The source of the cell that the student found.
    """
    defining = [cell for cell in cells if _defined_in(cell, [name])]
    if not defining:
        return False
    try:
        present = {ast.dump(statement) for statement in _statements(defining[-1])}
    except RecursionError:  # no source that was handed out is nested so deeply
        return True
    return any(ast.dump(statement) not in present for statement in _statements(handed_out))


def filled(notebook: bytes, names: Collection[str]) -> set[str]:
    """Which of the answers a notebook fills in, as far as can be seen without running it.

    Raises
    ------
    Unreadable
        It is not a notebook.
    """
    cells = [cell for cell in extract(notebook, names).cells if cell.defines]
    statements = [statement for cell in cells for statement in _statements(cell.source)]
    bound = [_bound_by(statement) for statement in statements if not _is_unfilled(statement)]
    return set().union(*bound).intersection(names)


def written_answer(notebook: bytes, name: str) -> str | None:
    """The text of the cell that nbgrader knows by this name; None if there is none."""
    for cell in _raw_cells(_parse(notebook)):
        if _marks(cell).get("grade_id") == name:
            return _source(cell)
    return None


def _parse(notebook: bytes) -> dict[str, Any]:
    parts = sum(map(notebook.count, (b",", b"[", b"{")))
    if parts > MAX_PARTS:
        raise Unreadable(f"The file has {parts:,} parts, more than {MAX_PARTS:,}.")
    try:
        parsed = json.loads(notebook.decode(json.detect_encoding(notebook)))
    except UnicodeDecodeError as reason:
        raise Unreadable("The file is not text in Unicode, as a notebook is.") from reason
    except (ValueError, RecursionError) as reason:
        where = f" at line {reason.lineno}" if isinstance(reason, json.JSONDecodeError) else ""
        size = "is empty" if not notebook.strip() else f"is broken{where} (not valid JSON)"
        raise Unreadable(f"The notebook file {size}.") from reason
    if not isinstance(parsed, dict):
        raise Unreadable("The file is JSON, but not a notebook.")
    return parsed


def _cells_of(notebook: dict[str, Any]) -> Iterator[tuple[int, str, str, bool]]:
    """Position, type, source, and whether it claims to be a test, of each cell that is one."""
    for position, cell in enumerate(_raw_cells(notebook), start=1):
        marks = _marks(cell)
        is_test = bool(marks.get("grade")) and not marks.get("solution")
        yield position, str(cell.get("cell_type")), _source(cell), is_test


def _raw_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    cells = notebook.get("cells")
    if cells is None and isinstance(notebook.get("worksheets"), list):  # before 2015
        sheets = filter(_is_dict, notebook["worksheets"])
        cells = [cell for sheet in sheets for cell in sheet.get("cells", [])]
    if not isinstance(cells, list):
        raise Unreadable("The file is JSON, but has no list of cells as a notebook has.")
    return [cell if _is_dict(cell) else {} for cell in cells]


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def _marks(cell: dict[str, Any]) -> dict[str, Any]:
    """What nbgrader wrote into a cell's metadata, as far as it is still there."""
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if _is_dict(metadata) else None
    return marks if _is_dict(marks) else {}


def _is_dict(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _defined_in(source: str, names: Collection[str]) -> set[str]:
    """Which of the names a source defines, judged by its text: it may be no valid Python."""
    return {name for found in _DEFINITION.findall(source) for name in found}.intersection(names)


def _defined_in_any(code: list[tuple[int, str]], names: Collection[str]) -> set[str]:
    return set().union(*(_defined_in(source, names) for _, source in code))


def _rescue(
    prose: list[tuple[int, str, str]], missing: set[str]
) -> tuple[list[tuple[int, str]], list[str]]:
    """Answers that stand in cells of another type, when no code cell has them."""
    cells, notes = [], []
    for position, kind, source in prose:
        text = _unfenced(source)
        found = _defined_in(text, missing)
        if found and _statements(text):
            cells.append((position, text))
            wanted = ", ".join(sorted(found))
            notes.append(f"Cell {position}, a {kind} cell, was run as code: it defines {wanted}.")
    return cells, notes


def _unfenced(source: str) -> str:
    fenced = re.findall(r"^```\w*\n(.*?)^```", source, re.MULTILINE | re.DOTALL)
    return "\n".join(fenced) if fenced else source


def _blanks(code: list[tuple[int, str]], names: Collection[str]) -> dict[int, frozenset[int]]:
    """Statements that would replace a filled answer by an unfilled copy of its cell."""
    defined = Counter(name for _, source in code for name in _defined_in(source, names))
    names = {name for name, times in defined.items() if times > 1}
    filled: set[str] = set()
    blanks: dict[int, frozenset[int]] = {}
    for position, source in code:
        copies = _statements(source) if _defined_in(source, names) else []
        for index, statement in enumerate(copies):
            for name in _bound_by(statement) & names:
                if not _is_unfilled(statement):
                    filled.add(name)
                elif name in filled:
                    blanks[position] = blanks.get(position, NONE) | {index}
    return blanks


def _statements(source: str) -> list[ast.stmt]:
    """The top-level statements of a cell, as IPython counts them: a magic line is one."""
    if len(source) > _LOOKED_INTO or source.startswith("%%"):
        return []
    lines = f"{source}\n".splitlines(keepends=True)
    for strip in (leading_empty_lines, leading_indent, classic_prompt, ipython_prompt):
        lines = strip(lines)
    tidy = "".join(lines)
    for python in (tidy, _MAGIC_LINE.sub(r"\1pass", tidy)):
        try:
            return ast.parse(python).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return []


def _bound_by(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Assign):
        return {target.id for target in statement.targets if isinstance(target, ast.Name)}
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return {statement.target.id}
    return set()


def _is_unfilled(statement: ast.stmt) -> bool:
    """Whether this leaves a blank: `x = ...`, or a function or method that is still a stub."""
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        return any(_is_ellipsis(node) for node in ast.walk(statement))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(_is_stub(node) for node in ast.walk(statement) if isinstance(node, functions))


def _is_stub(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    last = function.body[-1]
    if isinstance(last, ast.Raise):
        return last.exc is not None and "NotImplementedError" in ast.unparse(last.exc)
    return all(
        isinstance(node, ast.Pass)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in function.body
    )


def _is_ellipsis(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is Ellipsis
