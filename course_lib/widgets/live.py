"""The parts of a view that the reader moves, as small anywidgets of our own."""

from pathlib import Path

import anywidget
import traitlets

from course_lib.figures import Figure
from course_lib.figures.palette import stylesheet

_HERE = Path(__file__).parent
_STYLE = stylesheet() + (_HERE / "stage.css").read_text(encoding="utf-8")
_FROM_THE_PAGE = {"sync": True, "echo_update": False}
"""Tags of what the reader moves: the page knows it already and need not be told again."""


class Stage(anywidget.AnyWidget):
    """A picture with a point that is dragged or moved by keys: see ``stage.js``.

    Attributes
    ----------
    drawing, over
        What stays and what moves above it.
    says
        The sentence of both.
    value
        Where the point is, from `low` to `high` in multiples of `step`.
    label
        What a screen reader calls the stage.
    frames, sentences
        Precomputed pictures, which `value` leafs through without a kernel, and what each says.
        They are laid over `drawing`.
    pace
        Milliseconds that a frame stays when the frames play by themselves.
    levels, reach, level_step
        Heights of the knots that the reader draws, how far they reach, and the step of a key.
    """

    _esm = _HERE / "stage.js"
    _css = _STYLE

    drawing = traitlets.Unicode().tag(sync=True)
    over = traitlets.Unicode().tag(sync=True)
    says = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    value = traitlets.Float().tag(**_FROM_THE_PAGE)
    low = traitlets.Float(0.0).tag(sync=True)
    high = traitlets.Float(1.0).tag(sync=True)
    step = traitlets.Float(0.05).tag(sync=True)
    frames = traitlets.List(traitlets.Unicode()).tag(sync=True)
    sentences = traitlets.List(traitlets.Unicode()).tag(sync=True)
    pace = traitlets.Int(1200).tag(sync=True)
    levels = traitlets.List(traitlets.Float()).tag(**_FROM_THE_PAGE)
    reach = traitlets.Tuple(traitlets.Float(), traitlets.Float(), default_value=(-1, 1)).tag(
        sync=True
    )
    level_step = traitlets.Float(0.1).tag(sync=True)

    def show(self, figure: Figure, over: Figure | None = None) -> None:
        """Put another picture on the stage; what stays the same is not sent again."""
        with self.hold_sync():
            self.says = (over or figure).alt
            self.drawing = figure.drawing
            self.over = over.drawing if over else ""


class Dial(anywidget.AnyWidget):
    """A named slider: see ``dial.js``."""

    _esm = _HERE / "dial.js"
    _css = _STYLE

    name = traitlets.Unicode().tag(sync=True)
    value = traitlets.Float().tag(**_FROM_THE_PAGE)
    low = traitlets.Float().tag(sync=True)
    high = traitlets.Float(1.0).tag(sync=True)
    step = traitlets.Float(0.1).tag(sync=True)
    digits = traitlets.Int(2).tag(sync=True)


class Choice(anywidget.AnyWidget):
    """A question with choices, of which one can be committed to: see ``choice.js``.

    Attributes
    ----------
    picked
        The place of the choice that was committed to, or -1.
    right, verdict
        The place of the answer and what to say, both set when a choice was committed to.
    """

    _esm = _HERE / "choice.js"
    _css = _STYLE

    question = traitlets.Unicode().tag(sync=True)
    choices = traitlets.List(traitlets.Unicode()).tag(sync=True)
    picked = traitlets.Int(-1).tag(sync=True)
    right = traitlets.Int(-1).tag(sync=True)
    verdict = traitlets.Unicode().tag(sync=True)
