"""The house: lower floors know nothing of the upper ones, and what is public says what it is."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

import course_lib

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "course_lib"
FLOORS = ["server", "progress", "figures", "tape", "frameworks", "gradcheck", "widgets"]
FLOORS += ["grading", "cli"]
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


def public_names():
    for room in ["tape", "frameworks", "gradcheck", "figures", "widgets", "grading"]:
        module = importlib.import_module(f"course_lib.{room}")
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing) and not (isinstance(thing, type) and issubclass(thing, Exception)):
                yield pytest.param(thing, id=f"{room}.{name}")


PUBLIC = list(public_names())


def described(thing):
    """The docstring; of a class, also those of the classes of ours that it is made from."""
    whole = thing.__mro__ if isinstance(thing, type) else [thing]
    return "\n".join(
        inspect.getdoc(t) or "" for t in whole if t.__module__.startswith("course_lib")
    )


@pytest.mark.parametrize("thing", PUBLIC)
def test_a_docstring_speaks_of_every_parameter(thing):
    parameters = inspect.signature(thing).parameters.keys() - {"args", "kwargs"}
    silent = [name for name in parameters if not re.search(rf"\b{name}\b", described(thing))]
    assert not silent, f"the docstring of {thing.__qualname__} does not say what {silent} is"


@pytest.mark.parametrize("thing", PUBLIC)
def test_a_docstring_says_what_is_raised(thing):
    made = vars(thing).get("__init__", vars(thing).get("__post_init__"))
    body = made if isinstance(thing, type) else thing
    if inspect.isfunction(body) and "<string>" not in body.__code__.co_filename:
        tree = ast.parse(textwrap.dedent(inspect.getsource(body)))
        if any(isinstance(node, ast.Raise) and node.exc for node in ast.walk(tree)):
            assert "Raises\n------" in described(thing), f"say what {thing.__qualname__} raises"


def test_the_changelog_tells_of_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == course_lib.__version__
    assert f"\n## [{course_lib.__version__}] - " in changelog


def test_no_path_of_a_machine():
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    here = Path(__file__).relative_to(ROOT).as_posix()
    wrong = re.compile(r"/(root|Users|home)/(?!student|instructor)\w")
    for name in filter(None, tracked):
        path = ROOT / name
        if name == here or path.suffix in {".png", ".woff2"} or not path.exists():
            continue
        line = wrong.search(path.read_text(encoding="utf-8", errors="replace"))
        assert not line, f"{name} has {line.group()!r}, which belongs to one machine"
