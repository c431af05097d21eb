"""The half of grading that runs where the answer runs."""

import json

import numpy as np
import pytest

from course_lib import frameworks
from course_lib.grading import Code, FunctionQuestion
from course_lib.grading.plain import from_plain
from course_lib.grading.probe import Probe, run_probe


def report(question, source, seed=0):
    """What comes back for the first probe, over the wire."""
    probe = question.probes(np.random.default_rng(seed))[0]
    return report_on(probe, source)


def report_on(probe, source):
    namespace = {"np": np}
    exec(compile(source, "<answer>", "exec"), namespace)
    sent = json.loads(json.dumps(probe.as_json()))
    return json.loads(json.dumps(run_probe(namespace, sent)))


def test_a_function_is_called(square):
    got = report(square, "def square(x):\n    return x**2")
    assert got["status"] == "ok"
    assert from_plain(got["parts"]["value"]).shape == (4,)
    assert got["changed"] == []


def test_an_argument_that_is_overwritten_is_reported_and_the_next_probe_is_spared(square):
    source = "def square(x):\n    x *= x\n    return x"
    assert report(square, source)["changed"] == [0]
    assert report(square, source)["parts"] == report(square, source)["parts"]


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("other = 1", "missing"),
        ("square = ...", "not attempted"),
        ("def square(x):\n    raise NotImplementedError  # your code here", "not attempted"),
        ("def square(x):\n    return np.array([], dtype=object)", "error"),
    ],
)
def test_what_is_not_there_is_told_from_what_is_wrong(square, source, status):
    assert report(square, source)["status"] == status


def test_a_framework_that_lacks_an_operation_is_an_error_and_not_a_blank(square):
    namespace = {"library": lacks_an_operation}
    exec("def square(x):\n    return library(x)", namespace)
    probe = square.probes(np.random.default_rng(0))[0]
    got = run_probe(namespace, probe.as_json())
    assert (got["status"], got["message"]) == ("error", "NotImplementedError: no such operation")


def lacks_an_operation(x):
    raise NotImplementedError("no such operation")


def test_an_error_comes_with_the_students_own_line(square):
    got = report(square, "def square(x):\n    y = x\n    return y @ np.ones((7, 7))")
    assert got["status"] == "error"
    assert got["message"].startswith("ValueError: matmul")
    assert got["line"].startswith("line 3")


def test_leaving_python_is_an_error_of_the_answer_only(square):
    got = report(square, "import sys\ndef square(x):\n    sys.exit('bye')")
    assert (got["status"], got["message"]) == ("error", "SystemExit: bye")


def test_what_stops_an_answer_from_outside_passes_through(square):
    class Stop(BaseException):
        pass

    def answer(x):
        raise Stop

    with pytest.raises(Stop):
        run_probe({"square": answer}, square.probes(np.random.default_rng(0))[0].as_json())


def test_warnings_cost_nothing(square, recwarn):
    got = report(
        square, "import warnings\ndef square(x):\n    warnings.warn('!')\n    return x / 0"
    )
    assert got["status"] == "ok"
    assert not recwarn.list


def test_a_function_may_be_given_a_function():
    question = FunctionQuestion(
        "slope",
        points=1,
        inputs=lambda rng: [(Code("lambda x: np.sin(x)"), 0.0)],
        reference=lambda f, x: np.cos(x),
        hints=["one", "two", "three"],
    )
    got = report(question, "def slope(f, x):\n    return (f(x + 1e-6) - f(x - 1e-6)) / 2e-6")
    assert from_plain(got["parts"]["value"]) == pytest.approx(1)


@pytest.mark.skipif("torch" not in frameworks.available(), reason="needs PyTorch")
def test_a_function_on_tensors_is_given_tensors():
    probe = Probe("double", "function", "torch", (np.ones(2),))
    got = report_on(probe, "def double(x):\n    return x.mul(2)")
    np.testing.assert_array_equal(from_plain(got["parts"]["value"]), [2, 2])


RULE_ON_THE_TAPE = """
from course_lib.tape import custom_gradient, Function

@custom_gradient
def double(x):
    return 2 * x, lambda upstream: 2 * upstream
"""

RULE_AS_A_CLASS = """
from course_lib.tape import Function

class double(Function):
    @staticmethod
    def forward(ctx, x):
        return 2 * x
    @staticmethod
    def backward(ctx, upstream):
        return 2 * upstream
"""


@pytest.mark.parametrize("source", [RULE_ON_THE_TAPE, RULE_AS_A_CLASS])
def test_a_rule_is_differentiated(double, source):
    probe = double.probes(np.random.default_rng(0))[0]
    got = report_on(probe, source)
    np.testing.assert_array_equal(from_plain(got["parts"]["output"])[0], 2 * probe.args[0])
    np.testing.assert_array_equal(from_plain(got["parts"]["gradient"])[0], 2 * probe.upstreams[0])


def test_a_blank_inside_a_backward_is_not_attempted(double):
    source = RULE_AS_A_CLASS.replace("return 2 * upstream", "raise NotImplementedError")
    assert report(double, source)["status"] == "not attempted"


@pytest.mark.parametrize(
    "source", ['stairs = ["A", "B"]', 'stairs = ("A", "B")', 'stairs = "A B"', 'stairs = "A, B"']
)
def test_an_order_may_be_written_in_several_ways(stairs, source):
    assert from_plain(report(stairs, source)["parts"]["value"]) == ["A", "B"]


def test_an_order_that_is_no_list_is_an_error(stairs):
    assert "a list of labels is expected" in report(stairs, "stairs = 3")["message"]
