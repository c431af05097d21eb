"""Rules in three dialects, run in zygotes that have imported what they need."""

import json
from pathlib import Path

import pytest
import submissions
from submissions import TAPE_RIGHT, TENSORFLOW_RIGHT, TORCH_RIGHT

from course_lib.grading import Rubric
from course_lib.grading.handed_out import handed_out
from course_lib.grading.jail.limits import Limits
from course_lib.grading.shelf import load_rubric, load_rubrics, model_notebook, without_marks

SOLUTIONS = Path(__file__).parents[3] / "solutions"

RUBRIC = Rubric(
    "/02_dialects/rubric.py",
    [submissions.SURROGATE, submissions.TORCH_SQUARE, submissions.TENSORFLOW_SQUARE],
)
PATIENT = Limits()


def test_right_rules_are_right(grade):
    verdicts = grade(
        "import numpy as np",
        TAPE_RIGHT,
        TORCH_RIGHT,
        TENSORFLOW_RIGHT,
        rubric=RUBRIC,
        limits=PATIENT,
    )
    assert {verdict.status for verdict in verdicts.values()} == {"right"}, verdicts


def test_plain_autodiff_is_not_the_rule_that_was_asked_for(grade):
    plain = (
        "import numpy as np",
        "def straight_through(x):\n    return np.sin(x)",
        "def square_torch(x):\n    return x * x",
        "def square_tf(x):\n    return x * x",
    )
    verdicts = grade(*plain, rubric=RUBRIC, limits=PATIENT)
    assert {verdict.status for verdict in verdicts.values()} == {"wrong"}, verdicts


def test_plain_autodiff_is_no_rule_even_where_its_numbers_are_right(grade):
    """As the course's own exercise asks: the true derivative, by hand, in three dialects."""
    rubric = load_rubric(SOLUTIONS / "02_three_dialects")
    plain = (f"def cube_{dialect}(x):\n    return x**3" for dialect in ("tape", "torch", "tf"))
    verdicts = grade("import numpy as np", *plain, rubric=rubric, limits=PATIENT)
    mistakes = {name: verdict.mistake for name, verdict in verdicts.items() if "cube" in name}
    assert mistakes == dict.fromkeys(("cube_tape", "cube_torch", "cube_tf"), "rule-not-run")


def test_operations_before_the_questions_do_no_harm(grade):
    busy = (
        "import torch\na = torch.ones(300, 300) @ torch.ones(300, 300)\nassert a[0, 0] == 300",
        "import tensorflow as tf\nb = tf.function(lambda x: x @ x)(tf.ones((300, 300)))",
    )
    verdicts = grade(
        "import numpy as np",
        *busy,
        TAPE_RIGHT,
        TORCH_RIGHT,
        TENSORFLOW_RIGHT,
        rubric=RUBRIC,
        limits=PATIENT,
    )
    assert {verdict.status for verdict in verdicts.values()} == {"right"}, verdicts


def test_a_framework_is_imported_once_and_not_for_every_try(grade):
    """The zygote has imported it: a try that uses TensorFlow does not pay seconds for that."""
    spy = (
        "import sys\nknown = {'torch', 'tensorflow'} & set(sys.modules)",
        "def square_tf(x):\n    raise ValueError(f'{len(known)} were there')",
    )
    verdicts = grade(*spy, rubric=RUBRIC, limits=PATIENT)
    assert "2 were there" in verdicts["square_tf"].message


@pytest.mark.parametrize("rubric", load_rubrics(SOLUTIONS), ids=lambda rubric: rubric.exercise)
def test_the_courses_own_answers_are_right(rubric, grade):
    model = json.loads(model_notebook(rubric).read_text(encoding="utf-8"))
    for cell in model["cells"]:
        cell["source"] = without_marks("".join(cell["source"]))
    content, given = json.dumps(model).encode(), handed_out(rubric).given
    verdicts = grade(content, rubric=rubric, given=given, limits=PATIENT, seed=0)
    assert {verdict.status for verdict in verdicts.values()} == {"right"}, verdicts
    assert sum(verdict.points for verdict in verdicts.values()) == rubric.points
