"""A finished picture: its marks, its size and the sentence that says the same."""

from dataclasses import dataclass, replace
from functools import cached_property
from html import escape

from course_lib.figures import png, svg
from course_lib.figures.marks import Mark
from course_lib.figures.palette import stylesheet


@dataclass(frozen=True)
class Figure:
    """What every function of this room returns.

    Attributes
    ----------
    width, height
        Pixels.
    marks
        What is drawn, from back to front.
    alt
        One sentence with the numbers of the picture, for whoever does not see it.
    tracks
        ``(left, width)`` in pixels of each stretch along which a pointer may be dragged from the
        lowest value of the view to its highest.
    field
        ``(top, height)`` in pixels of the same, upwards, for views that are dragged both ways.
    page
        Whether there is a background; a picture without one is laid over another.
    """

    width: float
    height: float
    marks: tuple[Mark, ...]
    alt: str
    tracks: tuple[tuple[float, float], ...] = ()
    field: tuple[float, float] | None = None
    page: bool = True

    def under(self, over: "Figure") -> "Figure":
        """This picture with another laid over it, whose height and sentence it takes."""
        marks = (*self.marks, *over.marks)
        return replace(self, marks=marks, alt=over.alt, height=over.height)

    @cached_property
    def svg(self) -> str:
        """The picture as SVG that stands alone: labelled, with its own style."""
        label = f'role="img" aria-label="{escape(self.alt, quote=True)}"'
        return self._element(label, f"<style>{stylesheet()}</style>")

    @cached_property
    def drawing(self) -> str:
        """The picture as SVG for a page that has the style and the sentence already."""
        return self._element('aria-hidden="true"', "")

    def png(self) -> bytes:
        """The picture as the bytes of a PNG file, the same for the same figure."""
        return png.draw(self.marks, self.width, self.height)

    def _repr_svg_(self) -> str:
        return self.svg

    def _element(self, label: str, style: str) -> str:
        size = f'width="{self.width:g}" height="{self.height:g}"'
        tracks = ";".join(f"{left:.1f},{width:.1f}" for left, width in self.tracks)
        field = f' data-field="{self.field[0]:.1f},{self.field[1]:.1f}"' if self.field else ""
        page = f'<rect class="f-page" {size}/>' if self.page else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="cg-figure" {label} {size} '
            f'viewBox="0 0 {self.width:g} {self.height:g}" data-tracks="{tracks}"{field}>'
            f"{style}{page}{svg.draw(self.marks)}</svg>"
        )
