"""Every question of every exercise: right answers accepted, wrong ones rejected and recognised.

Exercises are found by being there. `make test-graders` (or --all-seeds) tries every seed.
"""

from dataclasses import replace

import numpy as np
import pytest
from small_exercise import SOLUTIONS, write_model

from course_lib import frameworks
from course_lib.grading import Edit, FunctionQuestion, Mistake, OrderQuestion, Rubric
from course_lib.grading.mutate import Trial, mutants, problems
from course_lib.grading.shelf import load_rubrics

TRIALS = [
    pytest.param(Trial(rubric, question), id=f"{rubric.exercise}-{question.name}")
    for rubric in load_rubrics(SOLUTIONS)
    for question in rubric.questions
    if question.framework is None or question.framework in frameworks.available()
]
AT_LEAST_RIGHT, AT_LEAST_WRONG = 3, 8


@pytest.mark.parametrize("trial", TRIALS)
def test_the_grader_judges_every_known_answer_rightly(trial, seeds):
    found = list(problems(trial, seeds))
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("trial", TRIALS)
def test_enough_answers_are_known(trial):
    question = trial.question
    assert len(question.right) >= AT_LEAST_RIGHT
    assert len(question.wrong) >= AT_LEAST_WRONG
    assert len(set(trial.right)) == len(trial.right), "two right answers are the same"
    assert len(set(trial.wrong)) == len(trial.wrong), "two wrong answers are the same"
    assert trial.mutants


@pytest.mark.parametrize("trial", TRIALS)
def test_every_named_mistake_has_an_answer_that_makes_it(trial):
    shown = {code for code, _ in trial.wrong}
    assert {mistake.code for mistake in trial.question.mistakes} <= shown


@pytest.mark.parametrize("trial", TRIALS)
def test_the_reference_is_finite_or_infinite_but_never_nan(trial, seeds):
    for seed in seeds:
        for probe in trial.question.probes(np.random.default_rng(seed)):
            assert not any(map(has_nan, trial.question.expected(probe).values()))


@pytest.mark.parametrize(
    "trial", [trial for trial in TRIALS if isinstance(trial.values[0].question, OrderQuestion)]
)
def test_every_accepted_order_is_a_program(trial):
    namespace = {}
    for cell in trial.cells_before:
        exec(cell, namespace)
    for order in trial.question.accepted:
        exec(compile(trial.question.program(order), "<order>", "exec"), namespace)


def has_nan(value):
    if isinstance(value, dict):
        return any(map(has_nan, value.values()))
    if isinstance(value, list | tuple):
        return any(map(has_nan, value))
    return isinstance(value, np.ndarray | float) and bool(np.isnan(value).any())


# The mutation test must be able to fail ----------------------------------------------------------

CLIP_MODEL = "def clip(upstream, x):\n    return upstream * (np.abs(x) <= 1.0)"


def clip(upstream, x):
    return upstream * (np.abs(x) <= 1)


@pytest.fixture
def trial_of_clip(small_rubric):
    """A trial whose model answer is `CLIP_MODEL`, for a question with these changes."""

    def build(**changes):
        question = FunctionQuestion(
            "clip",
            **{
                "points": 1,
                "inputs": lambda rng: [
                    (rng.normal(size=9), 2 * rng.normal(size=9)),
                    (rng.normal(size=6), np.array([-2.0, -1.0, 0.0, 1.0, 1.5, 2.0])),
                ],
                "reference": clip,
                "hints": ["one", "two", "three"],
                **changes,
            },
        )
        write_model(small_rubric.folder, "clip", CLIP_MODEL)
        return Trial(Rubric(small_rubric.file, [question]), question)

    return build


def whats(trial, seeds=range(3)):
    return {problem.what for problem in problems(trial, seeds)}


def test_a_good_question_has_no_problems(trial_of_clip):
    assert whats(trial_of_clip()) == set()


def test_a_boundary_that_is_not_probed_is_found_by_a_mutant(trial_of_clip):
    trial = trial_of_clip(inputs=lambda rng: [(rng.normal(size=99), 2 * rng.normal(size=99))])
    assert whats(trial) == {"A mutant is accepted; probe more boundaries"}
    assert any("< 1.0" in problem.source for problem in problems(trial, [0]))


def test_outside_its_domain_a_question_has_no_boundaries(trial_of_clip):
    trial = trial_of_clip(
        inputs=lambda rng: [(rng.normal(size=99), 2 * rng.normal(size=99))],
        domain=lambda upstream, x: not np.any(np.abs(x) == 1),
    )
    assert whats(trial) == set()


def test_a_right_answer_that_is_rejected_is_found(trial_of_clip):
    assert whats(trial_of_clip(right=[Edit("<=", "<")])) == {"A right answer is rejected"}


def test_a_wrong_answer_that_is_accepted_is_found(trial_of_clip):
    assert whats(trial_of_clip(wrong=[Edit("<=", "<= +")])) == {"A wrong answer is accepted"}


def test_a_mistake_that_is_not_recognised_is_found(trial_of_clip):
    masked = Mistake("mask-ignored", "?", lambda upstream, x: upstream)
    good = trial_of_clip(
        mistakes=[masked], wrong=[("mask-ignored", Edit("(np.abs(x) <= 1.0)", "1"))]
    )
    assert whats(good) == set()


def test_a_mistake_that_fits_another_formula_is_not_recognised(trial_of_clip):
    masked = Mistake("mask-ignored", "?", lambda upstream, x: upstream)
    bad = trial_of_clip(mistakes=[masked], wrong=[("mask-ignored", Edit("upstream * ", "x * "))])
    assert whats(bad) == {"The mistake mask-ignored is not recognised"}


def test_a_mutant_that_computes_the_same_is_no_problem(trial_of_clip):
    trial = trial_of_clip()
    assert trial.is_equivalent(CLIP_MODEL.replace("np.abs(x)", "np.abs(-x)"))
    assert not trial.is_equivalent(CLIP_MODEL.replace("<=", "<"))


def test_an_answer_that_does_not_end_is_stopped(trial_of_clip, monkeypatch):
    monkeypatch.setattr("course_lib.grading.mutate.SECONDS_AN_ANSWER", 0.05)
    endless = "def clip(upstream, x):\n    while True:\n        pass"
    assert trial_of_clip().verdict(endless, 0).message.startswith("TimeoutError")
    assert trial_of_clip().verdict("while True:\n    pass", 0).status == "error"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a <= b", {"a < b", "a >= b"}),
        ("a * b", {"a + b", "a / b"}),
        ("x ** 2", {"x * 2", "x ** 3"}),
        ("-a", {"+a"}),
        ("-1", {"-2"}),
        ("f(keep=True)", {"f(keep=False)"}),
        ("np.where(c, a, b)", {"np.where(c, b, a)"}),
        ("np.exp(a)", {"np.expm1(a)"}),
        ("return_(a, b)", set()),
        ("(a, b)", {"(b, a)"}),
        ("a and b", {"a or b"}),
    ],
)
def test_mutants_change_one_thing(source, expected):
    assert set(mutants(source)) == expected


def test_accumulating_is_mutated_to_overwriting():
    source = "def f(g):\n    total = 0\n    for x in g:\n        total += x\n    return total"
    assert any("total = x" in mutant for mutant in mutants(source))


def test_mutants_of_an_order_leave_out_what_is_right_too(small_rubric, stairs):
    orders = Trial(replace(small_rubric, questions=[stairs]), stairs).mutants
    assert "stairs = ['A', 'C', 'B']" in orders
    assert "stairs = ['A', 'B', 'D', 'C']" in orders
    assert "stairs = ['B', 'A', 'C']" not in orders
