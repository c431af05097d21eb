"""What all views have in common: a picture that answers, also as a PNG and as a sentence."""

import base64
from collections.abc import Callable, Sequence
from html import escape

import ipywidgets

from course_lib.figures import Figure
from course_lib.widgets.offline import pack, pages


class View(ipywidgets.VBox):
    """A `figure` on a `stage`, `controls` above it, and room below for what went wrong.

    A view says the same thing three times: live, as a PNG for GitHub and for paper, and as one
    sentence, which is also what nbval compares.
    """

    children: tuple[ipywidgets.Widget, ...]

    def __init__(self, figure: Figure, stage, controls: Sequence[ipywidgets.Widget] = ()) -> None:
        self.figure = figure
        self.stage = stage
        self._notice = ipywidgets.HTML()
        bar = [ipywidgets.HBox(controls, layout={"flex_flow": "row wrap"})] if controls else []
        super().__init__([*bar, stage, self._notice])
        self.add_class("cg-view")
        self.show(figure)

    def show(self, figure: Figure, over: Figure | None = None) -> None:
        """Put another picture on the stage; `over` is the part of it that moves, if any."""
        self.figure = figure.under(over) if over else figure
        self.stage.show(figure, over)

    def follow(self, widget: ipywidgets.Widget, respond: Callable[[], None], to="value") -> None:
        """Call `respond` whenever `widget` changes; if that raises, the view itself says so."""
        widget.observe(lambda _change: self.attempt(respond), to)

    def attempt(self, respond: Callable[[], None]) -> None:
        """Call `respond`; an error is shown below the picture, not lost in a log."""
        try:
            respond()
        except Exception as error:
            self.tell(f"{type(error).__name__}: {error}")
        else:
            self.tell("")

    def tell(self, message: str) -> None:
        """Say `message` below the picture; nothing if it is empty."""
        self._notice.value = (
            f'<p class="cg-notice" role="alert">{escape(message)}</p>' if message else ""
        )

    @property
    def notice(self) -> str:
        """What is said below the picture, as HTML."""
        return self._notice.value

    def offline(self) -> dict | None:
        """What the view shows where no kernel runs; None if that is its picture alone."""
        return pages(self.stage)

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        live = super()._repr_mimebundle_(**kwargs) or {}
        picture = base64.b64encode(self.figure.png()).decode()
        size = {"width": round(self.figure.width), "height": round(self.figure.height)}
        offline = self.offline()
        packed = {"offline": pack(offline)} if offline else {}
        data = {**live, "image/png": picture, "text/plain": self.figure.alt}
        return data, {"image/png": size | {"alt": self.figure.alt} | packed}
