"""Descents from the same start: the true gradient against modified ones."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from course_lib import frameworks
from course_lib.figures.descent_race import Race, Runner, descent_race, race_at, race_ground
from course_lib.figures.figure import Figure
from course_lib.figures.palette import LINES
from course_lib.widgets.parts import parts
from course_lib.widgets.view import View


class DescentRace(View):
    """Gradient descent by each of several losses, which share a forward but not a gradient.

    All steps are drawn beforehand, so the view needs no kernel once it is shown. The printed
    picture is the last step.

    Parameters
    ----------
    losses
        ``{"true gradient": loss, "modified": loss_with_a_rule_of_its_own}``, up to three functions
        of the tape from a point to a number. The first is the landscape; each runner follows its
        own gradient.
    start
        Where all begin: a number, or two.
    rate, steps
        Length of a step as a multiple of the gradient, and how many steps.

    Raises
    ------
    TypeError
        If the losses are not a dict.
    ValueError
        If there are no losses or more than three, the start is not one or two numbers, a loss is
        not a single number or not finite at the start, or there is no step to take.
    """

    def __init__(
        self,
        losses: Mapping[str, Callable],
        start: float | Sequence[float],
        *,
        rate: float = 0.1,
        steps: int = 40,
    ) -> None:
        if not isinstance(losses, Mapping):
            raise TypeError(f'The losses are {losses!r}; give a dict such as {{"true": loss}}.')
        if not 1 <= len(losses) <= len(LINES):
            raise ValueError(f"{len(losses)} losses were given; give one to {len(LINES)}.")
        if not isinstance(steps, int) or steps < 1:
            raise ValueError(f"{steps!r} steps were asked for; give a whole number from 1.")
        if np.size(start) not in (1, 2):
            raise ValueError(f"The start is {start!r}; give one number or two.")
        landscape = next(iter(losses.values()))
        shape = np.shape(start)

        def loss(point: np.ndarray) -> float:
            with np.errstate(all="ignore"):
                return _number(frameworks.get("tape").call(landscape, point.reshape(shape)))

        runners = [
            _run(label, rule, np.asarray(start, dtype=float), rate, steps)
            for label, rule in losses.items()
        ]
        if not np.isfinite([runner.losses[0] for runner in runners]).all():
            raise ValueError(f"The loss at the start {start!r} is not finite; start elsewhere.")
        self.race = Race(runners, loss)
        frames = [race_at(self.race, step) for step in range(steps + 1)]
        stage = parts().Stage(
            label="Descent race: drag, or use the arrow keys, to scrub through the steps",
            value=float(steps),
            low=0.0,
            high=float(steps),
            step=1.0,
            frames=[frame.drawing for frame in frames],
            sentences=[frame.alt for frame in frames],
            pace=150,
        )
        stage.show(race_ground(self.race))
        super().__init__(descent_race(self.race, steps), stage)

    def show(self, figure: Figure, over: Figure | None = None) -> None:
        """Keep `figure` for print; the stage turns its own pages."""
        self.figure = figure


def _run(label: str, rule: Callable, start: np.ndarray, rate: float, steps: int) -> Runner:
    """One descent by the rule's own gradient."""
    tape = frameworks.get("tape")
    place, path, losses = start, [start.ravel()], []
    with np.errstate(all="ignore"):
        for _ in range(steps + 1):
            outputs, pullback = tape.vjp(rule, place)
            losses.append(_number(outputs))
            (gradient,) = pullback(np.ones_like(outputs[0]))
            if gradient is not None:
                place = np.asarray(place - rate * gradient)
            path.append(place.ravel())
    return Runner(label, np.array(path[:-1]), np.array(losses))


def _number(outputs: Sequence[np.ndarray]) -> float:
    if len(outputs) != 1 or np.size(outputs[0]) != 1:
        shapes = [np.shape(output) for output in outputs]
        raise ValueError(f"A loss gave outputs of shapes {shapes}; it must give a single number.")
    return float(np.asarray(outputs[0]).item())
