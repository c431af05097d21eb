"""A figure that does not move, shown like the views: picture, PNG and sentence."""

import base64
from collections.abc import Mapping, Sequence

from course_lib.figures import Figure
from course_lib.figures.trade_off import trade_off


class Picture:
    """Shows a `figure` in a notebook: drawn for the theme, a PNG for GitHub, and its sentence."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        data = {
            "text/html": self.figure.svg,
            "image/png": base64.b64encode(self.figure.png()).decode(),
            "text/plain": self.figure.alt,
        }
        return data, {"image/png": {"alt": self.figure.alt}}


class TradeOff(Picture):
    """Measured points of one quantity against another, up to three lines of them.

    Parameters
    ----------
    lines
        ``{"adjoint": (evaluations, errors), "unrolled": (evaluations, errors)}``.
    across, up
        What the axes show, with the unit; an axis that spans much is logarithmic by itself.
    title
        What is compared.
    """

    def __init__(
        self,
        lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
        across: str,
        up: str,
        title: str,
    ) -> None:
        super().__init__(trade_off(lines, across, up, title))
