"""The trusted half: numbers against the reference, and the verdict."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_lib import frameworks
from course_lib.grading import FunctionQuestion, Mistake, RuleQuestion
from course_lib.grading.compare import Status, judge
from course_lib.grading.plain import to_plain
from course_lib.grading.probe import run_probe
from course_lib.tape import custom_gradient

HINTS = ["one", "two", "three"]
needs_torch = pytest.mark.skipif("torch" not in frameworks.available(), reason="needs PyTorch")


def verdict(question, answer, seed=0, edited=False):
    """The verdict on a Python object as the answer."""
    probes = question.probes(np.random.default_rng(seed))
    namespace = {question.name: answer}
    answers = [run_probe(namespace, probe.as_json()) for probe in probes]
    return judge(question, probes, answers, edited)


def returning(value, **changes):
    """A question whose right answer is one value, whatever the argument."""
    return FunctionQuestion(
        "f",
        **{
            "points": 1,
            "inputs": lambda rng: [1.0],
            "reference": lambda x: value,
            "hints": HINTS,
            **changes,
        },
    )


def test_right(square):
    got = verdict(square, lambda x: x * x)
    assert (got.status, got.points, got.max_points, got.mistake) == (Status.RIGHT, 2, 2, None)


def test_a_named_mistake_is_told_with_its_hint(square):
    got = verdict(square, lambda x: x**3)
    assert (got.status, got.points) == (Status.WRONG, 0)
    assert (got.mistake, got.hint) == ("cubed", "One factor too many.")


def test_a_mistake_must_fit_at_every_probe(square):
    got = verdict(square, lambda x: np.where(np.isin(x, [-1, 0, 1]), x**2, x**3))
    assert got.mistake == "wrong-values"


def test_one_wrong_entry_at_a_boundary_is_enough(square):
    got = verdict(square, lambda x: np.where(x == 0, 1e-3, x**2))
    assert (got.status, got.mistake) == (Status.WRONG, "wrong-values")
    assert "0.001 where 0 is expected at index (1,)" in got.detail


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda x: (x**2).sum(), "wrong-shape"),
        (lambda x: x[:, None] ** 2, "wrong-shape"),
        (lambda x: None, "wrong-shape"),
        (lambda x: "x squared", "wrong-shape"),
        (lambda x: x > 0, "wrong-dtype"),
        (lambda x: x**2 + 0j, "wrong-dtype"),
        (lambda x: (x**2).astype(np.float32), "wrong-dtype"),
        (lambda x: 3 * x**2, "wrong-scale"),
        (lambda x: -(x**2), "wrong-scale"),
        (lambda x: x**2 + np.nan, "unstable"),
        (lambda x: x**2 + np.inf, "unstable"),
        (lambda x: x**2 + 1e-6, "wrong-values"),
    ],
)
def test_wrong_answers_without_a_name_are_described(square, answer, code):
    got = verdict(square, answer)
    assert (got.status, got.mistake, got.points) == (Status.WRONG, code, 0)
    assert got.message or got.hint


def test_the_factor_is_told(square):
    assert "3 times" in verdict(square, lambda x: 3 * x**2).hint


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        (2.0, 2),
        (2, 2.0),
        (2.0, np.float64(2)),
        (np.array([1.0, 2.0]), [1.0, 2.0]),
        ((1.0, np.ones(2)), [1.0, np.ones(2)]),
        ([1.0, 2.0], np.array([1.0, 2.0])),
        ({"a": 1.0}, {"a": np.array(1.0)}),
        (np.inf, np.inf),
        ("left", "left"),
        (True, np.True_),
        (np.zeros((0, 3)), np.ones((0, 3))),
        (np.float32(1), np.float32(1.00001)),
        (1.0, 1 + 1e-9),
    ],
)
def test_the_same_numbers_in_another_form_are_right(expected, answer):
    assert verdict(returning(expected), lambda x: answer).status is Status.RIGHT


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        (np.nan, np.nan),
        (np.inf, -np.inf),
        (np.inf, 1e308),
        (1.0, True),
        (True, 1),
        ((1.0, 2.0), (1.0,)),
        ({"a": 1.0}, {"b": 1.0}),
        ({"a": 1.0}, [1.0]),
        ("left", "right"),
        (np.ones(3), np.ones((3, 1))),
        (np.ones(3), 1.0),
        (1.0, 1 + 1e-6),
        (None, 0.0),
    ],
)
def test_other_numbers_or_forms_are_wrong(expected, answer):
    assert verdict(returning(expected), lambda x: answer).status is Status.WRONG


def test_a_question_may_set_its_own_tolerance():
    assert verdict(returning(1.0, rtol=0.1), lambda x: 1.05).status is Status.RIGHT
    assert verdict(returning(1e-30, atol=0), lambda x: 0.0).status is Status.WRONG


class EqualsEverything:
    def __eq__(self, other):
        return True

    def __array__(self, *_, **__):
        raise TypeError


def test_an_object_that_equals_everything_earns_nothing(square):
    got = verdict(square, lambda x: EqualsEverything())
    assert (got.status, got.points) == (Status.ERROR, 0)
    assert "EqualsEverything, which is not a number" in got.message


def test_a_mistake_may_be_known_by_its_nan():
    unstable = Mistake("overflows", "Too large.", lambda x: np.nan)
    assert verdict(returning(1.0, mistakes=[unstable]), lambda x: np.nan).mistake == "overflows"


def test_a_mistake_may_be_known_by_its_error():
    known = Mistake("truth-of-an-array", "Use np.where.", raises="truth value")
    question = returning(1.0, inputs=lambda rng: [np.ones(2)], mistakes=[known])
    got = verdict(question, lambda x: 1 if x > 0 else 0)
    assert (got.status, got.mistake, got.hint) == (
        Status.ERROR,
        "truth-of-an-array",
        "Use np.where.",
    )


def test_a_mistake_whose_formula_fails_somewhere_is_not_the_one():
    other = Mistake("fails", "?", lambda x: 1 / 0)
    assert verdict(returning(1.0, mistakes=[other]), lambda x: 3.0).mistake == "wrong-values"


def test_the_right_numbers_from_an_overwritten_argument_are_wrong(square):
    def in_place(x):
        x *= x
        return x

    got = verdict(square, in_place)
    assert (got.status, got.mistake) == (Status.WRONG, "mutates-input")


def test_the_broken_answer_that_was_given_is_not_an_attempt(square):
    question = replace(square, given=Mistake("given", "?", lambda x: x**4))
    assert verdict(question, lambda x: x**4).status is Status.NOT_ATTEMPTED
    assert verdict(question, lambda x: x**3).status is Status.WRONG
    assert verdict(question, lambda x: x**2).status is Status.RIGHT


def test_an_edited_answer_is_an_attempt_even_if_it_computes_the_same(square):
    question = replace(square, given=Mistake("too-high", "Lower.", lambda x: x**4))
    got = verdict(question, lambda x: x * x * x * x, edited=True)
    assert (got.status, got.mistake) == (Status.WRONG, "too-high")
    assert got.hint == "This still computes what the broken version computes. Lower."
    assert verdict(question, lambda x: x**2, edited=True).status is Status.RIGHT


@pytest.mark.parametrize("blank", [..., lambda x: ...])
def test_a_blank_is_not_an_attempt(square, blank):
    assert verdict(square, blank).status is Status.NOT_ATTEMPTED


def test_a_missing_name_is_said(square):
    probes = square.probes(np.random.default_rng(0))
    got = judge(square, probes, [run_probe({}, probe.as_json()) for probe in probes])
    assert (got.status, got.message) == (Status.NOT_ATTEMPTED, "Nothing here is called `square`.")


def test_a_run_that_was_killed_is_for_a_person_to_look_at(square):
    probes = square.probes(np.random.default_rng(0))
    done = {"status": "ok", "parts": {"value": to_plain(probes[0].args[0] ** 2)}, "changed": []}
    for answers in ([done, None], [None, None], [done], [], [done, "junk"]):
        got = judge(square, probes, answers)
        assert (got.status, got.points) == (Status.REVIEW, 0)


@pytest.mark.parametrize(
    "forged",
    [
        {"status": "ok"},
        {"status": "ok", "parts": 3},
        {"status": "ok", "parts": {}},
        {"status": "ok", "parts": {"value": {"dtype": "O", "data": []}}},
        {"status": "ok", "parts": {"value": {"right": True}}},
        {"status": "right", "points": 2},
        {"status": "error"},
    ],
)
def test_forged_reports_earn_nothing(square, forged):
    probes = square.probes(np.random.default_rng(0))
    got = judge(square, probes, [forged] * len(probes))
    assert got.points == 0
    assert got.status in (Status.ERROR, Status.WRONG)


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.builds(
        to_plain, hnp.arrays(st.sampled_from([np.float64, np.int8, np.bool_, np.complex64]), (4,))
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries({"tuple": st.lists(inner, max_size=3)})
        | st.fixed_dictionaries(
            {"dict": st.lists(st.tuples(st.text(max_size=2), inner), max_size=2)}
        )
        | st.dictionaries(st.sampled_from(["data", "dtype", "shape", "list", "unfilled"]), inner)
    ),
)
FORGED = st.fixed_dictionaries(
    {"status": st.sampled_from(["ok", "error", "missing", "right"])},
    optional={
        "parts": st.dictionaries(st.sampled_from(["value", "output", "gradient"]), PLAIN) | PLAIN,
        "changed": PLAIN,
        "message": PLAIN,
        "line": PLAIN,
    },
)


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(FORGED | PLAIN, min_size=2, max_size=2))
def test_whatever_arrives_is_judged_and_earns_nothing(square, double, stairs, reports):
    for question in (square, double, stairs):
        probes = question.probes(np.random.default_rng(0))
        assert judge(question, probes, reports[: len(probes)]).points == 0


# Rules -------------------------------------------------------------------------------------------


def rule(framework="tape", **changes):
    return RuleQuestion(
        "r",
        **{
            "framework": framework,
            "points": 1,
            "inputs": lambda rng: [(rng.normal(size=3), rng.normal(size=3))],
            "forward": lambda x, y: x * y,
            "backward": lambda u, x, y: (u * y, u * x),
            "by_hand": False,
            "hints": HINTS,
            **changes,
        },
    )


def taped(backward, forward=lambda x, y: x * y):
    from course_lib.tape import register_custom_gradient

    return register_custom_gradient(forward, backward)


@pytest.mark.parametrize(
    ("backward", "code"),
    [
        (lambda u, x, y: (y, x), "upstream-ignored"),
        (lambda u, x, y: (-u * y, -u * x), "wrong-sign"),
        (lambda u, x, y: (u * x, u * y), "inputs-swapped"),
        (lambda u, x, y: (4 * u * y, 4 * u * x), "wrong-scale"),
        (lambda u, x, y: (u * y, u * y), "wrong-values"),
    ],
)
def test_the_usual_mistakes_in_a_gradient_are_recognised(backward, code):
    got = verdict(rule(), taped(backward))
    assert (got.status, got.mistake) == (Status.WRONG, code)


def test_a_wrong_gradient_says_of_which_input():
    got = verdict(rule(), taped(lambda u, x, y: (u * y, u + x)))
    assert got.message == "The gradient of input 2 has wrong numbers."


def test_a_wrong_output_is_told_before_its_gradient():
    got = verdict(rule(), taped(lambda u, x, y: (u * y, u), forward=lambda x, y: x + y))
    assert got.message == "The output has wrong numbers."


def test_the_number_of_outputs_is_compared():
    got = verdict(rule(), lambda x, y: (x * y, x))
    assert (got.status, got.mistake) == (Status.WRONG, "wrong-arity")


def test_autodiffs_own_numbers_are_no_rule():
    @custom_gradient
    def by_hand(x, y):
        return x * y, lambda u: (u * y, u * x)

    asked = rule(by_hand=True)
    assert verdict(asked, by_hand).status is Status.RIGHT
    assert verdict(asked, lambda x, y: by_hand(x, y) + 0).status is Status.RIGHT
    got = verdict(asked, lambda x, y: x * y)
    assert (got.status, got.mistake) == (Status.WRONG, "rule-not-run")
    assert verdict(rule(by_hand=False), lambda x, y: x * y).status is Status.RIGHT


@needs_torch
def test_no_gradient_and_a_gradient_of_zeros_are_the_same():
    question = rule("torch", forward=lambda x, y: 2 * x, backward=lambda u, x, y: (2 * u, None))
    assert verdict(question, lambda x, y: 2 * x).status is Status.RIGHT
    assert verdict(question, lambda x, y: 2 * x + 0 * y).status is Status.RIGHT
    got = verdict(rule("torch"), lambda x, y: x.detach() * y)
    assert got.mistake == "missing-gradient"


@needs_torch
def test_a_second_derivative_is_compared_where_it_is_asked_for():
    import torch

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def backward(ctx, upstream):
            return 2 * upstream * ctx.saved_tensors[0].detach()

    question = rule(
        "torch",
        inputs=lambda rng: [rng.normal(size=3)],
        forward=lambda x: x**2,
        backward=lambda u, x: 2 * u * x,
    )
    assert verdict(question, Square).status is Status.RIGHT
    twice = replace(question, second=lambda d, u, x: 2 * d * u)
    assert verdict(twice, lambda x: x**2).status is Status.RIGHT
    got = verdict(twice, Square)
    assert got.status is Status.WRONG
    assert "second gradient" in got.message.lower()


# Orders ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [["A", "B", "C"], ["B", "A", "C"]])
def test_every_accepted_order_is_right(stairs, order):
    assert verdict(stairs, order).status is Status.RIGHT


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (["A", "B", "D"], "distractor"),
        (["A", "B"], "line-missing"),
        ([], "line-missing"),
        (["C", "B", "A"], "wrong-order"),
        (["A", "B", "C", "C"], "line-twice"),
        (["A", "Z"], "unknown-line"),
    ],
)
def test_what_is_wrong_with_an_order_is_said(stairs, order, code):
    got = verdict(stairs, order)
    assert (got.status, got.mistake) == (Status.WRONG, code)
    assert got.hint


def test_how_far_an_order_is_right_is_said(stairs):
    assert verdict(stairs, ["A", "C"]).message == "The first 1 of your lines are right."


def test_the_report_has_the_agreed_entries(square):
    assert verdict(square, lambda x: x**3).as_json() == {
        "name": "square",
        "status": "wrong",
        "points": 0,
        "max_points": 2,
        "mistake": "cubed",
        "hint": "One factor too many.",
    }
