"""What the tests of the pictures share: reading a picture back."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pytest

from course_lib.figures import Figure

SVG = "{http://www.w3.org/2000/svg}"


class Reading:
    """An SVG parsed, with the questions that the tests ask of it."""

    def __init__(self, figure: Figure) -> None:
        self.root = ElementTree.fromstring(figure.svg)

    def paths(self, ink: str) -> list[list[tuple[float, float]]]:
        """The points of every line drawn in `ink`."""
        lines = [p.get("d", "") for p in self.root.iter(f"{SVG}path") if self._drawn(p, ink)]
        return [[tuple(map(float, step.split())) for step in d[1:].split("L")] for d in lines]

    def dots(self, ink: str, fill: str) -> list[tuple[float, float]]:
        circles = [c for c in self.root.iter(f"{SVG}circle") if self._drawn(c, ink)]
        filled = [c for c in circles if f"f-{fill}" in c.get("class", "").split()]
        return [(float(c.get("cx")), float(c.get("cy"))) for c in filled]

    def texts(self) -> list[str]:
        return [text.text or "" for text in self.root.iter(f"{SVG}text")]

    @staticmethod
    def _drawn(element: ElementTree.Element, ink: str) -> bool:
        return f"s-{ink}" in element.get("class", "").split()


@pytest.fixture
def read() -> Callable[[Figure], Reading]:
    return Reading
