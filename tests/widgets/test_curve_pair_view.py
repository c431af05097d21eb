"""CurvePair without a browser: sliders drive it, and its picture and sentence answer."""

import base64
import re
import subprocess
import sys

import comm
import numpy as np
import pytest

from course_lib.frameworks import torch
from course_lib.tape import custom_gradient
from course_lib.widgets import CurvePair


@custom_gradient
def seven_square_tape(x):
    return x * x, lambda upstream: 14 * x * upstream


def square_torch(x):
    return x * x


def smooth_step_tape(x, alpha):
    return 1 / (1 + np.exp(-alpha * x))


def test_the_rule_and_not_its_forward_is_what_is_drawn():
    view = CurvePair(seven_square_tape, x=0.5)
    assert view.figure.alt == (
        "seven_square(x) at x = 0.50: value 0.250, gradient 7.000, true derivative 1.000; "
        "largest difference from the true derivative 36.000 at x = −3.00."
    )


def test_frameworks_are_laid_over_each_other_and_toggled():
    view = CurvePair({"tape": seven_square_tape, "torch": square_torch}, x=0.5)
    assert "gradient 7.000 (the tape), 1.000 (PyTorch)" in view.figure.alt
    view.toggles["tape"].value = False
    assert "gradient 1.000, true derivative 1.000" in view.figure.alt
    assert "s-tape" not in view.figure.drawing


def test_switching_everything_off_is_answered_in_the_view():
    view = CurvePair({"tape": seven_square_tape, "torch": square_torch})
    for toggle in view.toggles.values():
        toggle.value = False
    assert "switch at least one on" in view.notice
    view.toggles["torch"].value = True
    assert view.notice == ""


def test_a_dial_moves_the_curve_but_not_the_axes():
    view = CurvePair(smooth_step_tape, {"alpha": (10, 1, 30)})
    before = view.figure
    view.dials["alpha"].value = 5.0
    assert "alpha=5" in view.figure.alt
    assert view.figure.drawing != before.drawing
    assert view._glim == (pytest.approx(-0.15, abs=1e-3), pytest.approx(2.65, abs=1e-3))


def test_a_number_is_passed_on_without_a_dial():
    view = CurvePair(smooth_step_tape, {"alpha": 4})
    assert view.dials == {}
    assert "alpha=4" in view.figure.alt


def test_the_browser_moves_the_point():
    view = CurvePair(seven_square_tape)
    view.stage.set_state({"value": -1.25})
    assert "x = −1.25: value 1.562" in view.figure.alt
    assert view.stage.says == view.figure.alt


def test_moving_the_point_sends_one_small_message(monkeypatch):
    sent = []

    class Spy(comm.base_comm.BaseComm):
        def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
            if msg_type == "comm_msg" and data["method"] == "update":
                sent.append(data["state"])

    monkeypatch.setattr(comm, "create_comm", lambda *args, **options: Spy(*args, **options))
    view = CurvePair({"tape": smooth_step_tape}, {"alpha": (10, 1, 30)})
    sent.clear()
    view.stage.set_state({"value": 1.0})
    pictures = [state for state in sent if "over" in state]
    assert len(pictures) == 1
    assert "drawing" not in pictures[0], "the curves have not changed"
    assert len(pictures[0]["over"].encode()) < 4_000


def test_moving_the_point_evaluates_only_the_point():
    seen = []

    def noisy(x):
        seen.append(x.shape[0])
        return x * x

    view = CurvePair(noisy)
    assert 242 in seen, "the grid and the point"
    seen.clear()
    view.stage.value = 1.0
    assert max(seen) <= 6, "the point, and both sides of it at three distances"


def test_an_error_in_a_rule_keeps_the_last_picture_and_is_told():
    def picky(x, alpha):
        if alpha < 0:
            raise ValueError("alpha must not be <negative>")
        return alpha * x

    view = CurvePair(picky, {"alpha": (1, -1, 1)})
    before = view.stage.drawing + view.stage.over
    view.dials["alpha"].value = -1.0
    assert "ValueError: alpha must not be &lt;negative&gt;" in view.notice
    assert view.stage.drawing + view.stage.over == before


def test_the_bundle_is_live_and_static():
    view = CurvePair(seven_square_tape)
    data, metadata = view._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"] == view.figure.alt
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"] == view.figure.alt


def test_a_rule_that_gives_no_gradient_has_none_drawn():
    view = CurvePair({"torch": lambda x: torch.ones_like(x)})
    assert "gradient undefined" in view.figure.alt


def test_a_truth_of_your_own():
    view = CurvePair(np.square, true=lambda x: 0 * x, x=1.0)
    assert "gradient 2.000, true derivative 0.000" in view.figure.alt


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((np.square, None, (3, -3)), {}, "the lower first"),
        ((np.square, None, 3), {}, "the lower first"),
        ((np.square,), {"x": np.nan}, "a number from -3 to 3"),
        ((smooth_step_tape, {"alpha": (40, 1, 30)}), {}, "(start, lowest, highest)"),
        ((smooth_step_tape, {"alpha": "ten"}), {}, "(start, lowest, highest)"),
        ((lambda x: x.sum(),), {}, "shape of x"),
        (({"tape": None},), {}, "None of the rules"),
        (({"jax": np.square},), {}, "jax"),
        (({"tape": 3},), {}, "expected a function"),
    ],
)
def test_bad_arguments_are_explained(arguments, options, words):
    with pytest.raises((ValueError, TypeError), match=re.escape(words)):
        CurvePair(*arguments, **options)


@pytest.mark.parametrize(
    ("given", "step"),
    [((10, 1, 30), 0.5), ((5, 0.5, 20), 0.1), ((0.2, -1, 1), 0.02), ((1, 0.5, 200), 0.5)],
)
def test_the_steps_of_a_dial_reach_its_start(given, step):
    dial = CurvePair(smooth_step_tape, {"alpha": given}).dials["alpha"]
    assert (dial.value, dial.step) == (given[0], pytest.approx(step))


def test_a_fixed_parameter_is_passed_on_as_it_is():
    def power(x, n):
        return sum(x**k for k in range(n))

    assert "value 1.500" in CurvePair(power, {"n": 2}, x=0.5).figure.alt


@pytest.mark.parametrize(
    "rule", [lambda x: 1 / x, np.tan, np.log, np.sign, np.floor, lambda x: 1e200 * x, np.arccosh]
)
def test_a_right_gradient_differs_nowhere(rule):
    view = CurvePair(rule, x=0.05)
    assert view.figure.alt.endswith("largest difference from the true derivative 0.000.")
    assert "nan" not in view.figure.drawing and "inf" not in view.figure.drawing
    assert view.figure.png().startswith(b"\x89PNG")


WITHOUT_ANYWIDGET = """
import sys
sys.modules["anywidget"] = None
import numpy as np
from course_lib.widgets import CurvePair

view = CurvePair(np.square, {}, x=0.5)
view.stage.children[1].value = 2.0
assert "x = 2.00: value 4.000" in view.figure.alt
assert view.stage.children[0].value == view.figure.svg
step = CurvePair(lambda x, alpha: alpha * x, {"alpha": (1, 0, 2)})
step.dials["alpha"].value = 2.0
assert "alpha=2" in step.figure.alt
"""

WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None
import numpy as np
from course_lib.widgets import CurvePair

view = CurvePair({"tape": np.square, "tensorflow": None})
assert view.figure.alt.endswith("; TensorFlow is not installed and left out."), view.figure.alt
"""


@pytest.mark.parametrize("script", [WITHOUT_ANYWIDGET, WITHOUT_TENSORFLOW])
def test_what_is_not_installed_is_not_needed(script):
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
