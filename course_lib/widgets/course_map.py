"""The map of the course: its notebooks, and which questions the reader has passed."""

import json
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

from course_lib import progress


@dataclass(frozen=True)
class Stop:
    """A notebook on the map."""

    file: str
    title: str
    minutes: str
    passed: tuple[str, ...]
    open: tuple[str, ...]


class CourseMap:
    """A table for the notebook, lines of text elsewhere."""

    def __init__(self, stops: list[Stop]) -> None:
        self.stops = stops

    def __repr__(self) -> str:
        return "\n".join(
            f"{stop.title} ({stop.minutes} min): {_standing(stop)}" for stop in self.stops
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><td style="text-align: left"><a href="{escape(stop.file)}">{escape(stop.title)}'
            f"</a></td><td>{escape(stop.minutes)}</td>"
            f'<td style="text-align: left">{escape(_standing(stop))}</td></tr>'
            for stop in self.stops
        )
        head = "".join(f'<th scope="col">{name}</th>' for name in ("notebook", "minutes", "passed"))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def course_map() -> CourseMap:
    """The notebooks beside this one, with their minutes and the questions passed so far."""
    return CourseMap([_stop(file) for file in sorted(Path.cwd().glob("[0-9][0-9]_*.ipynb"))])


def _stop(file: Path) -> Stop:
    header = "".join(json.loads(file.read_text(encoding="utf-8"))["cells"][0]["source"])
    title = re.search(r"^# (.+)$", header, flags=re.M)
    minutes = re.search(r"\*\*Minutes\*\* \| (\d+)", header)
    questions = _questions(file)
    done = tuple(name for name in questions if progress.passed(file.stem, name))
    left = tuple(name for name in questions if name not in done)
    named = title.group(1) if title else file.stem
    return Stop(file.name, named, minutes.group(1) if minutes else "?", done, left)


def _questions(notebook: Path) -> list[str]:
    handout = notebook.parents[1] / "exercises" / notebook.stem / "handout.json"
    if not handout.is_file():
        return []
    return list(json.loads(handout.read_text(encoding="utf-8"))["questions"])


def _standing(stop: Stop) -> str:
    if not stop.passed and not stop.open:
        return "no exercise"
    all_of_them = len(stop.passed) + len(stop.open)
    names = f": {', '.join(stop.passed)}" if stop.passed else ""
    return f"{len(stop.passed)} of {all_of_them}{names}"
