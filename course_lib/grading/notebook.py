"""`check`, `hint` and `solution`: what a learner types in an exercise."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from .compare import Status, Verdict, judge
from .feedback import Card, points_in_words, verdict_card
from .plain import from_plain
from .probe import run_probe
from .rubric import HINT_STEPS, Question, Rubric
from .shelf import broken_answer, find_solutions, load_rubric, load_rubrics, model_answer

HANDOUT = "handout.json"
SEED = 0
"""The same probes at every check, so that the same answer gets the same words."""

_hints_taken: dict[str, int] = {}


def check(name: str) -> None:
    """Check your answer to a question, and show what became of it.

    Parameters
    ----------
    name : str
        The name of the function, rule or list that the question asks for.
    """
    _show(check_card(name, sys._getframe(1).f_globals))


def hint(name: str) -> None:
    """Show a hint to the question `name`; each call goes one step further, three in all."""
    _show(hint_card(name))


def solution(name: str) -> None:
    """Show the model answer to the question `name`."""
    _show(solution_card(name))


def check_card(name: str, namespace: dict[str, Any]) -> Card:
    """What `check(name)` shows for the answer in a namespace; the outcome is remembered."""
    found = _find(name)
    if found is None:
        card = _check_without_solutions(_handed_out(name), namespace)
    else:
        card = verdict_card(_judge(*found, namespace))
    _remember(_exercise(found), name, card.tone)
    return card


def hint_card(name: str) -> Card:
    """What the next `hint(name)` shows."""
    found = _find(name)
    hints = found[1].hints if found else _handed_out(name)["hints"]
    key = f"{_exercise(found)}/{name}"
    step = _hints_taken[key] = _hints_taken.get(key, 0) + 1
    if step > HINT_STEPS:
        return Card("hint", f"{name}: no more hints", (f'`solution("{name}")` shows an answer.',))
    after = f'Then there is `solution("{name}")`.' if step == HINT_STEPS else ""
    title = f"{name}: hint {step} of {HINT_STEPS}"
    return Card("hint", title, tuple(filter(None, (hints[step - 1], after))))


def solution_card(name: str) -> Card:
    """What `solution(name)` shows."""
    found = _find(name)
    if found is None:
        _handed_out(name)
        line = "The solutions were not handed out with this exercise; ask your instructor."
        return Card("solution", f"{name}: no solution here", (line,))
    return Card("solution", f"{name}: one right answer", code=model_answer(found[0], name))


def _judge(rubric: Rubric, question: Question, namespace: dict[str, Any]) -> Verdict:
    probes = question.probes(np.random.default_rng(SEED))
    answers = [run_probe(namespace, probe.as_json()) for probe in probes]
    return judge(question, probes, answers, _is_edited(rubric, question, namespace))


def _is_edited(rubric: Rubric, question: Question, namespace: dict[str, Any]) -> bool:
    """Whether code handed out for repair was edited, by the cells that IPython remembers."""
    if question.given is None:
        return False
    from .extract import is_edited  # which imports IPython

    cells = [cell for cell in namespace.get("In", ()) if isinstance(cell, str)]
    return is_edited(cells, question.name, broken_answer(rubric, question.name))


def _find(name: str) -> tuple[Rubric, Question] | None:
    """The question of this name, in the exercise that the working directory is named after."""
    solutions = find_solutions()
    if solutions is None:
        return None
    here = solutions / Path.cwd().name
    if (here / "rubric.py").is_file():
        rubric = load_rubric(here)
        return rubric, rubric.question(name)
    asking = [
        rubric
        for rubric in load_rubrics(solutions)
        if any(question.name == name for question in rubric.questions)
    ]
    if len(asking) != 1:
        where = ", ".join(rubric.exercise for rubric in asking) or "no exercise"
        raise ValueError(
            f"The question {name!r} is asked by {where}. Start the notebook in the folder of its "
            "exercise, so that the check knows which one is meant."
        )
    return asking[0], asking[0].question(name)


def _exercise(found: tuple[Rubric, Question] | None) -> str:
    return found[0].exercise if found else Path.cwd().name


def _handed_out(name: str) -> dict[str, Any]:
    """What is known about a question where there is no rubric: the handout beside the notebook."""
    file = Path.cwd() / HANDOUT
    if not file.is_file():
        raise ValueError(
            f"Neither the solutions nor {HANDOUT} were found from {Path.cwd()}. Start the notebook "
            "in the folder of its exercise, as it was handed out."
        )
    questions = json.loads(file.read_text(encoding="utf-8"))["questions"]
    if name not in questions:
        names = ", ".join(questions)
        raise ValueError(f"This exercise has no question {name!r}; it asks for {names}.")
    return {"name": name, **questions[name]}


def _check_without_solutions(question: dict[str, Any], namespace: dict[str, Any]) -> Card:
    name, points = question["name"], question["points"]
    for probe in question["probes"]:
        answer = run_probe(namespace, probe)
        if answer["status"] != "ok":
            return verdict_card(_unjudged(question, answer))
    if not question["by_gradient"]:
        return Card(
            "handed in",
            f"{name}: it runs",
            (f"Your instructor grades it ({points_in_words(points)}).",),
        )
    fault = _gradient_fault(namespace[name], question["probes"])
    if fault is not None:
        found = Verdict(name, Status.WRONG, 0, points, fault.code, fault.hint, fault.message)
        return verdict_card(found)
    line = "Your instructor grades the rest: whether it computes what was asked for."
    return Card("handed in", f"{name}: the gradient fits the function", (line,))


def _unjudged(question: dict[str, Any], answer: dict[str, Any]) -> Verdict:
    name, points = question["name"], question["points"]
    if answer["status"] == "error":
        message = f"{answer['message']} ({answer['line']})" if answer["line"] else answer["message"]
        return Verdict(name, Status.ERROR, 0, points, message=message)
    return Verdict(name, Status.NOT_ATTEMPTED, 0, points)


def _gradient_fault(rule: Any, probes: list[dict[str, Any]]) -> Any:
    from course_lib.gradcheck import check_gradient

    by_hand = any(probe["watched"] for probe in probes)
    for probe in probes:
        report = check_gradient(rule, *from_plain(probe["args"]), framework=probe["framework"])
        fault = next(iter(report.faults), None)
        if fault and (by_hand or fault.code != "rule-not-run"):
            return fault
    return None


def _remember(exercise: str, name: str, outcome: str) -> None:
    from course_lib import progress

    progress.record("exercise", f"{exercise}/{name}", outcome)


def _show(card: Card) -> None:
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        print(card)
    else:
        display(card)
