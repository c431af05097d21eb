"""The same parts from ipywidgets alone, for where anywidget is not installed."""

from html import escape

import ipywidgets
import traitlets

from course_lib.figures import Figure
from course_lib.figures.palette import stylesheet

_STYLE = (
    f"<style>{stylesheet()}.cg-leaf {{ position: relative }}"
    ".cg-leaf > svg + svg { position: absolute; inset: 0 }</style>"
)


class Stage(ipywidgets.VBox):
    """A picture with a slider under it in the place of a point that can be dragged.

    The attributes are those of `course_lib.widgets.live.Stage`.
    """

    value = traitlets.Float()
    frames = traitlets.List(traitlets.Unicode())
    sentences = traitlets.List(traitlets.Unicode())
    levels = traitlets.List(traitlets.Float())
    children: tuple[ipywidgets.Widget, ...]

    def __init__(
        self,
        *,
        label: str,
        value: float,
        low: float,
        high: float,
        step: float,
        frames: list[str] | None = None,
        sentences: list[str] | None = None,
        levels: list[float] | None = None,
        pace: int = 1200,
        reach: tuple[float, float] = (-1.0, 1.0),
        level_step: float = 0.1,
    ) -> None:
        self._picture, self._ground = ipywidgets.HTML(), ""
        self._slider = _slider(label, value, low, high, step)
        self._height = _slider("height", 0.0, *reach, level_step)
        super().__init__([self._picture, self._slider])
        self.value, self.frames, self.sentences = value, frames or [], sentences or []
        ipywidgets.link((self, "value"), (self._slider, "value"))
        if self.frames:
            self.children = (self._player(pace), *self.children)
            self.observe(self._turn, "value")
            self._turn()
        if levels:
            self.levels = levels
            self.children = (*self.children, self._height)
            self._height.value = levels[int(value)]
            self.observe(self._choose, "value")
            self._height.observe(self._raise, "value")

    def show(self, figure: Figure, over: Figure | None = None) -> None:
        """Put another picture on the stage; if there are frames, under them."""
        if self.frames:
            self._ground = figure.drawing
            self._turn()
        else:
            self._picture.value = (figure.under(over) if over else figure).svg

    def _player(self, pace: int) -> ipywidgets.Play:
        last = len(self.frames) - 1
        play = ipywidgets.Play(value=round(self.value), min=0, max=last, interval=pace)
        ipywidgets.jslink((play, "value"), (self._slider, "value"))
        return play

    def _turn(self, _change: object = None) -> None:
        page = round(self.value)
        says = escape(self.sentences[page], quote=True)
        drawing = self._ground + self.frames[page]
        self._picture.value = (
            f'{_STYLE}<div class="cg-leaf" role="img" aria-label="{says}">{drawing}</div>'
        )

    def _choose(self, _change: object) -> None:
        self._height.value = self.levels[round(self.value)]

    def _raise(self, _change: object) -> None:
        levels = list(self.levels)
        levels[round(self.value)] = self._height.value
        self.levels = levels


class Dial(ipywidgets.FloatSlider):
    """A named slider."""

    def __init__(
        self, *, name: str, value: float, low: float, high: float, step: float, digits: int
    ) -> None:
        super().__init__(
            value=value,
            min=low,
            max=high,
            step=step,
            description=name,
            readout_format=f".{digits}f",
        )


class Choice(ipywidgets.VBox):
    """A question with choices; the attributes are those of `course_lib.widgets.live.Choice`."""

    picked = traitlets.Int(-1)
    right = traitlets.Int(-1)
    verdict = traitlets.Unicode()

    def __init__(self, *, question: str, choices: list[str]) -> None:
        self._radios = ipywidgets.RadioButtons(
            options=[(choice, k) for k, choice in enumerate(choices)],
            value=None,
            layout={"width": "max-content"},
        )
        self._commit = ipywidgets.Button(description="Commit", disabled=True)
        self._verdict = ipywidgets.Label()
        head = ipywidgets.HTML(f"<b>{escape(question)}</b>")
        super().__init__([head, self._radios, self._commit, self._verdict])
        self._radios.observe(self._choose, "value")
        self._commit.on_click(self._pick)
        self.observe(self._close, "picked")
        ipywidgets.dlink((self, "verdict"), (self._verdict, "value"))

    def _choose(self, _change: object) -> None:
        self._commit.disabled = self._radios.value is None

    def _pick(self, _button: object) -> None:
        self.picked = self._radios.value

    def _close(self, _change: object) -> None:
        self._radios.value = self.picked
        self._radios.disabled = self._commit.disabled = True


def _slider(
    label: str, value: float, low: float, high: float, step: float
) -> ipywidgets.FloatSlider:
    return ipywidgets.FloatSlider(
        value=value,
        min=low,
        max=high,
        step=step,
        description=label,
        style={"description_width": "initial"},
        layout={"width": "95%"},
    )
