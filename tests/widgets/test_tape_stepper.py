"""TapeStepper tells what a real tape did."""

import numpy as np
import pytest

from course_lib.tape import TapeError, custom_gradient, grad
from course_lib.tape import Variable as Var
from course_lib.widgets import TapeStepper


def product_plus_sine(x, y):
    return x * y + np.sin(x)


def sentences(view):
    return [page.alt for page in view.pages]


def test_the_way_forward_and_back():
    said = sentences(TapeStepper(product_plus_sine, 2.0, 3.0))
    assert said[0] == "Step 0 of 8: The inputs: x = 2 and y = 3."
    assert said[1] == "Step 1 of 8: Forward: v1 = x · y = 6 is recorded."
    assert said[4] == "Step 4 of 8: Backward starts at the output: ∂v3 = 1."
    assert said[7] == (
        "Step 7 of 8: Backward: the rule of multiply receives ∂v1 = 1; "
        "x gets ∂v1 · y = 3, in all 2.584; y gets ∂v1 · x = 2."
    )


def test_the_last_page_has_the_gradient_of_the_tape():
    x, y = Var(2.0), Var(3.0)
    dx, dy = grad(product_plus_sine(x, y), (x, y))
    last = sentences(TapeStepper(product_plus_sine, 2.0, 3.0))[-1]
    assert last == f"Step 8 of 8: The gradient: ∂x = {dx:.3f}, ∂y = {dy:.0f}."


def test_the_stage_has_every_page_and_needs_no_kernel():
    view = TapeStepper(product_plus_sine, 2.0, 3.0)
    assert view.stage.frames == [page.drawing for page in view.pages]
    assert view.stage.sentences == sentences(view)
    assert view.stage.high == len(view.pages) - 1
    assert len("".join(view.stage.frames)) < 100_000


def test_arrays_constants_and_broadcasting():
    said = sentences(TapeStepper(lambda x, w: (x * w) ** 2, [1.0, 2.0], 0.5))
    assert "v1 = x · w = [0.500, 1]" in said[1]
    assert "v2 = v1 ^ 2 = [0.250, 1]" in said[2]
    assert "w gets the sum of ∂v1 · x = 5" in said[-2]


def test_a_rule_of_your_own_is_a_step_by_its_name():
    @custom_gradient
    def seven(x):
        return x * x, lambda upstream: 7 * upstream

    said = sentences(TapeStepper(lambda x: np.sin(seven(x)), 2.0))
    assert any("the rule of seven receives" in sentence for sentence in said)
    assert said[-1].endswith(f"∂x = {7 * np.cos(4.0):.3f}.".replace("-", "−"))


def test_many_outputs_and_an_input_that_is_not_used():
    view = TapeStepper(lambda x, y: (x * x, np.exp(x)), 1.0, 5.0)
    assert sentences(view)[-1].endswith("∂x = 4.718, ∂y = 0.")


def test_the_printed_sentence_is_the_last_one():
    view = TapeStepper(product_plus_sine, 2.0, 3.0)
    data, _ = view._repr_mimebundle_()
    assert data["text/plain"] == sentences(view)[-1]
    assert "image/png" in data


def test_a_function_that_leaves_the_tape_is_explained():
    with pytest.raises(TapeError):
        TapeStepper(lambda x: np.asarray(x), 1.0)


@custom_gradient
def square_and_cube(x):
    return (x**2, x**3), lambda square, cube: 2 * x * square + 3 * x**2 * cube


def test_each_output_of_a_rule_has_an_adjoint_of_its_own():
    def product(x):
        square, cube = square_and_cube(x)
        return square * cube

    said = sentences(TapeStepper(product, 2.0))
    assert "v2 = v1[0] · v1[1] = 32" in said[2]
    assert "v1[0] gets ∂v2 · v1[1] = 8; v1[1] gets ∂v2 · v1[0] = 4." in said[4]
    assert "the rule of square_and_cube receives ∂v1[0] = 8 and ∂v1[1] = 4; x gets 80." in said[5]


def test_an_output_that_nobody_uses_has_no_adjoint():
    view = TapeStepper(lambda x: square_and_cube(x)[1], 2.0)
    assert "receives ∂v1[1] = 1; x gets 12." in sentences(view)[3]
    assert "∂ –; 1" in view.figure.drawing


def test_small_matrices_are_shown_and_large_ones_summed_up():
    said = sentences(TapeStepper(lambda a, b: a @ b, np.eye(2), np.arange(6.0).reshape(2, 3)))
    assert said[0].endswith("a = [[1, 0], [0, 1]] and b = [2 × 3: 0 to 5].")
    assert said[-1].endswith("∂a = [[3, 12], [3, 12]], ∂b = [2 × 3: 1].")


def test_a_long_tape_fits_the_page_and_stays_small():
    def long(x):
        for _ in range(30):
            x = np.sin(x) * 1.1
        return x

    view = TapeStepper(long, 0.5)
    assert len(view.pages) == 123
    assert max(page.height for page in view.pages) < 620
    assert len("".join(view.stage.frames)) < 700_000


def test_what_is_undefined_is_told():
    with np.errstate(all="ignore"):
        view = TapeStepper(lambda x: np.where(x > 0, np.sqrt(x), 0.0), [-1.0, 4.0])
    assert sentences(view)[-1].endswith("∂x = [undefined, 0.250].")
