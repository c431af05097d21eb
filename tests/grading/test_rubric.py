"""Questions: what they refuse, what they probe, what they expect."""

import json

import numpy as np
import pytest

from course_lib.grading import (
    Code,
    Edit,
    FunctionQuestion,
    Mistake,
    OrderQuestion,
    Rubric,
    RuleQuestion,
)
from course_lib.grading.plain import from_plain

HINTS = ["one", "two", "three"]


def rng(seed=0):
    return np.random.default_rng(seed)


def product(**changes):
    return RuleQuestion(
        "product",
        **{
            "framework": "tape",
            "points": 1,
            "inputs": lambda rng: [(rng.normal(size=3), rng.normal(size=3), 2.0)],
            "forward": lambda x, y, power: (x * y, x**power),
            "backward": lambda u, v, x, y, power: (u * y + v * 2 * x, u * x, None),
            "hints": HINTS,
            **changes,
        },
    )


def test_a_probe_is_data(square):
    for probe in square.probes(rng()):
        written = json.loads(json.dumps(probe.as_json()))
        (x,) = from_plain(written["args"])
        np.testing.assert_array_equal(x, probe.args[0])


def test_probes_depend_on_the_seed_and_on_nothing_else(square):
    first, again, other = (square.probes(rng(seed))[0].args[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_boundary_points_are_in_every_probe_set(square):
    for seed in range(5):
        np.testing.assert_array_equal(square.probes(rng(seed))[1].args[0], [-1, 0, 1])


def test_a_rule_is_probed_with_an_upstream_for_each_output_and_never_with_ones():
    (probe,) = product().probes(rng())
    assert [u.shape for u in probe.upstreams] == [(3,), (3,)]
    assert not any(np.allclose(u, 1) for u in probe.upstreams)
    assert probe.directions == ()


def test_a_rule_expects_its_outputs_and_one_gradient_an_input():
    question = product()
    (probe,) = question.probes(rng())
    (x, y, _), (u, v) = probe.args, probe.upstreams
    parts = question.expected(probe)
    np.testing.assert_allclose(parts["output"], [x * y, x**2])
    np.testing.assert_allclose(parts["gradient"][:2], [u * y + 2 * v * x, u * x])
    assert parts["gradient"][2] is None


def test_second_derivatives_are_probed_where_they_are_given():
    question = product(
        inputs=lambda rng: [rng.normal(size=3)],
        forward=lambda x: x**2,
        backward=lambda u, x: 2 * u * x,
        second=lambda d, u, x: 2 * d * u,
    )
    (probe,) = question.probes(rng())
    (direction,), (upstream,) = probe.directions, probe.upstreams
    np.testing.assert_array_equal(
        question.expected(probe)["second gradient"][0], 2 * direction * upstream
    )


def test_a_mistake_says_only_what_differs():
    question = product()
    (probe,) = question.probes(rng())
    mistake = Mistake("w", "?", backward=lambda u, v, x, y, power: (u, v, None))
    right, wrong = question.expected(probe), question.expected(probe, mistake)
    np.testing.assert_array_equal(right["output"], wrong["output"])
    np.testing.assert_array_equal(wrong["gradient"][0], probe.upstreams[0])


@pytest.mark.parametrize(
    ("code", "formula"),
    [
        ("upstream-ignored", lambda u, v, x, y: (y + 2 * x, x)),
        ("wrong-sign", lambda u, v, x, y: (-u * y - 2 * v * x, -u * x)),
    ],
)
def test_every_rule_knows_the_usual_mistakes(code, formula):
    question = product()
    (probe,) = question.probes(rng())
    mistake = next(m for m in question.known_mistakes if m.code == code)
    got = question.expected(probe, mistake)["gradient"]
    wanted = formula(*probe.upstreams, *probe.args[:2])
    np.testing.assert_allclose(got[:2], wanted)


def test_an_author_may_word_a_usual_mistake_anew():
    own = Mistake("wrong-sign", "In my words.", backward=lambda u, v, x, y, p: (0 * x, 0 * y, None))
    codes = [m.code for m in product(mistakes=[own]).known_mistakes]
    assert codes.count("wrong-sign") == 1
    assert product(mistakes=[own]).known_mistakes[0] is own


def test_code_reaches_the_reference_as_a_function():
    question = FunctionQuestion(
        "apply",
        points=1,
        inputs=lambda rng: [
            (Code("lambda x: np.sin(x)"), 0.5),
            (Code("abs", truth=lambda x: 7), 1),
        ],
        reference=lambda f, x: f(x),
        hints=HINTS,
    )
    first, second = question.probes(rng())
    assert question.expected(first)["value"] == np.sin(0.5)
    assert question.expected(second)["value"] == 7
    assert first.as_json()["args"] == {"tuple": [{"code": "lambda x: np.sin(x)"}, 0.5]}


def test_the_lines_of_an_order_are_listed_with_their_labels(stairs):
    assert stairs.listing.splitlines()[0] == "A |     a = 1"
    assert stairs.program(["B", "A", "C"]).splitlines() == [
        "def climb():",
        "    b = 2",
        "    a = 1",
        "    return a + b",
    ]


def test_an_edit_wants_its_text_exactly_once():
    assert Edit("a", "b", "b + c", "d").apply("a + c") == "d"
    with pytest.raises(ValueError, match="stands 2 times"):
        Edit("x", "y").apply("x + x")
    with pytest.raises(ValueError, match="stands 0 times"):
        Edit("z", "y").apply("x + x")
    with pytest.raises(ValueError, match="pairs"):
        Edit("z")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"points": 0}, "points must be positive"),
        ({"hints": ["one"]}, "3 hints"),
        ({"framework": "jax"}, "none of tape, tensorflow, torch"),
        ({"mistakes": [Mistake("a", "?", when=bool)] * 2}, "same code"),
    ],
)
def test_a_question_refuses_what_cannot_be_graded(changes, words):
    with pytest.raises(ValueError, match=words):
        product(**changes)


def test_a_mistake_refuses_to_be_unrecognisable():
    with pytest.raises(ValueError, match="cannot be recognised"):
        Mistake("a-code", "A hint.")
    with pytest.raises(ValueError, match="kebab-case"):
        Mistake("A Code", "A hint.", abs)


def test_an_order_refuses_labels_that_no_line_has():
    with pytest.raises(ValueError, match="labels that no line has"):
        OrderQuestion("o", points=1, lines={"A": "a"}, answer=["A", "B"], hints=HINTS)


def test_a_rubric_finds_its_questions_and_names_them_when_it_does_not(square, tmp_path):
    rubric = Rubric(tmp_path / "07_topic" / "rubric.py", [square])
    assert (rubric.exercise, rubric.points) == ("07_topic", 2)
    assert rubric.question("square") is square
    with pytest.raises(ValueError, match="07_topic has no question 'cube'; it asks for square"):
        rubric.question("cube")
    with pytest.raises(ValueError, match="a name of its own"):
        Rubric(tmp_path / "rubric.py", [square, square])
