"""Predict, then see: a choice to commit to before a view is shown."""

import re
from collections.abc import Callable, Sequence

import ipywidgets

from course_lib import progress
from course_lib.figures import Figure
from course_lib.figures.question_card import question_card
from course_lib.widgets.parts import parts
from course_lib.widgets.view import View

_KIND = "prediction"


def predict(
    question: str,
    choices: Sequence[str],
    answer: str,
    then: ipywidgets.Widget | Callable[[], ipywidgets.Widget] | None = None,
    key: str | None = None,
) -> "Prediction":
    """Ask for a prediction; what follows is shown when the reader has committed to one.

    Who predicts learns from a demonstration; who only watches does not (Crouch, Fagen, Callan and
    Mazur, 2004).

    Parameters
    ----------
    question, choices
        What is asked, and at least two possible answers.
    answer
        The right one, as it stands among the choices.
    then
        The view that shows why, or a function without arguments that makes it.
    key
        Under which name the choice is remembered; by default made from the question.

    Raises
    ------
    ValueError
        If there are fewer than two different choices, or the answer is not one of them.
    """
    return Prediction(question, choices, answer, then, key)


class Prediction(View):
    """See `predict`. In print it is the question, its choices and the picture that follows."""

    def __init__(
        self,
        question: str,
        choices: Sequence[str],
        answer: str,
        then: ipywidgets.Widget | Callable[[], ipywidgets.Widget] | None,
        key: str | None,
    ) -> None:
        self._question = question
        self._choices = [str(choice) for choice in choices]
        if len(set(self._choices)) < max(2, len(self._choices)):
            raise ValueError(f"The choices are {self._choices}; give two or more, each different.")
        if str(answer) not in self._choices:
            raise ValueError(
                f"The answer {answer!r} is not one of the choices {self._choices}; give one of "
                "them, word for word."
            )
        self._answer = str(answer)
        self._then = then
        self._key = key or re.sub(r"\W+", "_", question.lower()).strip("_")
        self.choice = parts().Choice(question=question, choices=self._choices)
        super().__init__(question_card(question, self._choices), self.choice)
        self.follow(self.choice, self._commit, "picked")
        remembered = progress.recall(_KIND, self._key)
        if remembered in self._choices:
            self.choice.picked = self._choices.index(remembered)

    def show(self, figure: Figure, over: Figure | None = None) -> None:
        """Keep `figure` for print; live, the question speaks for itself."""
        self.figure = figure

    @property
    def following(self) -> ipywidgets.Widget | None:
        """The view that the prediction unlocks."""
        if self._then is not None and not isinstance(self._then, ipywidgets.Widget):
            self._then = self._then()
        return self._then

    def offline(self) -> dict:
        """The question, what to say to each choice, and the view or the picture that follows."""
        asked = {
            "question": self._question,
            "choices": self._choices,
            "answer": self._choices.index(self._answer),
            "verdicts": [self._verdict(choice) for choice in self._choices],
        }
        # Printing has made what follows; where that failed, the view says so.
        if not isinstance(self._then, View):
            return {"asked": asked}
        below = self._then.figure
        picture = {"says": below.alt, "share": below.height / self.figure.height}
        return {"asked": asked} | (self._then.offline() or {"picture": picture})

    def _commit(self) -> None:
        said = self._choices[self.choice.picked]
        if progress.recall(_KIND, self._key) != said:
            progress.record(_KIND, self._key, said)
        self.choice.right = self._choices.index(self._answer)
        self.choice.verdict = self._verdict(said)
        if self.following is not None:
            self.children = (*self.children, self.following)

    def _verdict(self, said: str) -> str:
        look = " Now see for yourself:" if self._then is not None else ""
        if said == self._answer:
            return f"Right: {self._answer}.{look}"
        return f"You said: {said}. It is: {self._answer}.{look}"

    def _print(self) -> None:
        below = getattr(self.following, "figure", None)
        self.show(question_card(self._question, self._choices, below))

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        self.attempt(self._print)
        return super()._repr_mimebundle_(**kwargs)
