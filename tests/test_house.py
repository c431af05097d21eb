"""The house: lower floors know nothing of the upper ones, and frameworks are loaded when used."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "course_lib"
FLOORS = ["progress", "figures", "tape", "frameworks", "gradcheck", "widgets", "grading", "cli"]
SOURCES = sorted(LIBRARY.rglob("*.py"))


def room(path):
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def imported_modules(path):
    """The dotted names that a file imports, relative ones resolved."""
    package = ("course_lib", *path.relative_to(LIBRARY).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_imports_come_from_below(path):
    here = room(path)
    if here == "__init__":
        return
    assert here in FLOORS, f"{here} is a new room: give it its place among {FLOORS}"
    for module in imported_modules(path):
        parts = module.split(".")
        if parts[0] != "course_lib" or len(parts) < 2 or parts[1] not in FLOORS:
            continue
        assert FLOORS.index(parts[1]) <= FLOORS.index(here), f"{path} imports {module} from above"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_only_frameworks_knows_the_frameworks(path):
    if room(path) == "frameworks":
        return
    found = {module.split(".")[0] for module in imported_modules(path)} & {"torch", "tensorflow"}
    assert not found, f"{path} imports {found}; only course_lib/frameworks may"


@pytest.mark.parametrize("name", ["", *(f".{floor}" for floor in FLOORS if floor != "cli")])
def test_importing_loads_no_framework(name):
    program = f"import sys, course_lib{name}; print({{'torch', 'tensorflow'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr


def test_no_path_of_a_machine():
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    here = Path(__file__).relative_to(ROOT).as_posix()
    wrong = re.compile(r"/(root|Users|home)/(?!student)\w")
    for name in filter(None, tracked):
        path = ROOT / name
        if name == here or path.suffix in {".png", ".woff2"} or not path.exists():
            continue
        line = wrong.search(path.read_text(encoding="utf-8", errors="replace"))
        assert not line, f"{name} has {line.group()!r}, which belongs to one machine"
