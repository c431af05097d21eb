"""A walk along a real tape, forward and back."""

from collections.abc import Callable

from course_lib.figures import Figure
from course_lib.figures.tape_graph import tape_graph
from course_lib.widgets.parts import parts
from course_lib.widgets.recording import record
from course_lib.widgets.view import View


class TapeStepper(View):
    """Steps through the tape that `f` records: values on the way out, adjoints on the way back.

    All pictures are drawn beforehand, so the view needs no kernel once it is shown. The printed
    picture is the last one, with every value and every adjoint.

    Parameters
    ----------
    f
        Any function of tape Variables that returns one, or a tuple of them.
    inputs
        Numbers or arrays, one a parameter of `f`.

    Raises
    ------
    TapeError
        If `f` leaves the tape, or its output does not depend on an input.

    Examples
    --------
    ``TapeStepper(lambda x, y: x * y + np.sin(x), 2.0, 3.0)``
    """

    def __init__(self, f: Callable, *inputs: object) -> None:
        nodes, moments = record(f, *inputs)
        self.pages = tape_graph(nodes, moments)
        stage = parts().Stage(
            label="Tape stepper: arrow keys step forward and back",
            value=0.0,
            low=0.0,
            high=float(len(moments) - 1),
            step=1.0,
            frames=[page.drawing for page in self.pages],
            sentences=[page.alt for page in self.pages],
        )
        super().__init__(self.pages[-1], stage)

    def show(self, figure: Figure, over: Figure | None = None) -> None:
        """Keep `figure` for print; the stage turns its own pages."""
        self.figure = figure
