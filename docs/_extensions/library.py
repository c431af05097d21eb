"""The library's pages: under what is written in docs/api/, what the code says of itself."""

import inspect
import re
from html import unescape
from importlib import import_module

import typer
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject
from typer.cli import get_docs_for_click

from course_lib.cli import app as course

FOLDER = "docs/api/"
SEVERAL = re.compile(r"^(\w+(?:, \w+)+)\n((?:    .*(?:\n|$))+)", flags=re.M)


def add_reference(_app: Sphinx, docname: str, source: list[str]) -> None:
    """A page of docs/api/ is named after a room of course_lib, or after its command."""
    name = docname.removeprefix(FOLDER)
    if name == docname or name == "index":
        return
    source[0] += command_line() if name == "command_line" else room(f"course_lib.{name}")


def room(module: str) -> str:
    """Its public names, first in a table, then one by one."""
    contents = import_module(module)
    names = "".join(f"   {name}\n" for name in contents.__all__ if callable(vars(contents)[name]))
    entries = "".join(entry(name, getattr(contents, name)) for name in contents.__all__)
    overview = f".. autosummary::\n   :nosignatures:\n\n{names}"
    directives = f".. currentmodule:: {module}\n\n{overview}\n{entries}"
    return f"\n```{{eval-rst}}\n.. automodule:: {module}\n\n{directives}\n```\n"


def entry(name: str, thing: object) -> str:
    if inspect.isclass(thing):
        return f".. autoclass:: {name}\n   :members:\n\n"
    if isinstance(thing, dict):
        plain = {key: text.replace("*", r"\*") for key, text in thing.items()}
        terms = "".join(f"   ``{key}``\n      {text}\n" for key, text in plain.items())
        return f".. data:: {name}\n\n{terms}\n"
    return f".. autofunction:: {name}\n\n"


def one_by_one(_app: Sphinx, what: str, _name: str, _thing: object, _options, lines) -> None:
    """Attributes that share a description, each with its own, as napoleon needs them."""
    if what == "class":
        text = SEVERAL.sub(repeated, "\n".join(lines) + "\n")
        lines[:] = text.splitlines()


def repeated(entry: re.Match) -> str:
    return "".join(f"{name}\n{entry[2]}" for name in entry[1].split(", "))


def as_written(_app: Sphinx, what: str, _name: str, thing: object, _options, lines) -> None:
    """A property's sentence: napoleon takes what stands before a colon for a type."""
    if what == "property":
        lines[:] = inspect.getdoc(thing).splitlines()


def command_line() -> str:
    """Every subcommand with its options, as Typer documents them."""
    group = typer.main.get_command(course)
    context = typer.Context(group, info_name="course")
    return "\n" + "".join(
        unescape(get_docs_for_click(obj=command, ctx=context, indent=1, call_prefix="course"))
        for command in group.commands.values()
    )


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", add_reference)
    app.connect("autodoc-process-docstring", one_by_one, priority=100)  # before napoleon
    app.connect("autodoc-process-docstring", as_written, priority=900)  # after it
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
