"""What the tests of grading share: questions of each kind, a small exercise, and the seeds."""

import numpy as np
import pytest
from small_exercise import SMALL_RUBRIC, write_model

from course_lib.grading import Edit, FunctionQuestion, Mistake, OrderQuestion, Rubric, RuleQuestion

SAMPLE_SEEDS = range(3)
ALL_SEEDS = range(20)


def pytest_addoption(parser):
    parser.addoption(
        "--all-seeds",
        action="store_true",
        help=f"Try every known answer on {len(ALL_SEEDS)} seeds, not {len(SAMPLE_SEEDS)}.",
    )


@pytest.fixture(scope="session")
def seeds(request):
    return ALL_SEEDS if request.config.getoption("all_seeds", default=False) else SAMPLE_SEEDS


@pytest.fixture
def own_progress(tmp_path, monkeypatch):
    """A progress file of the test's own."""
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))


@pytest.fixture
def square():
    """A function of one array; zero is its boundary point."""
    return FunctionQuestion(
        "square",
        points=2,
        inputs=lambda rng: [rng.normal(size=4), np.array([-1.0, 0.0, 1.0])],
        reference=lambda x: x**2,
        mistakes=[Mistake("cubed", "One factor too many.", lambda x: x**3)],
        hints=["one", "two", "three"],
        right=[Edit("x**2", "x * x")],
        wrong=[("cubed", Edit("x**2", "x**3"))],
    )


@pytest.fixture
def double():
    """A rule on the tape: 2x, with a second derivative of zero."""
    return RuleQuestion(
        "double",
        framework="tape",
        points=1,
        inputs=lambda rng: [rng.normal(size=3)],
        forward=lambda x: 2 * x,
        backward=lambda upstream, x: 2 * upstream,
        hints=["one", "two", "three"],
    )


@pytest.fixture
def stairs():
    """A Parsons problem with two right orders and one distractor."""
    return OrderQuestion(
        "stairs",
        points=1,
        preamble="def climb():",
        lines={"A": "    a = 1", "B": "    b = 2", "C": "    return a + b", "D": "    return a"},
        answer=["A", "B", "C"],
        also=[["B", "A", "C"]],
        hints=["one", "two", "three"],
    )


@pytest.fixture
def small_rubric(tmp_path, square):
    """A whole exercise on disk: `solutions/01_small/`."""
    folder = tmp_path / "solutions" / "01_small"
    folder.mkdir(parents=True)
    write_model(folder, "square", "def square(x):\n    return x**2", points=2)
    (folder / "rubric.py").write_text(SMALL_RUBRIC)
    return Rubric(folder / "rubric.py", [square])
