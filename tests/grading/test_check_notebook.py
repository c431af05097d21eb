"""`check`, `hint` and `solution` as a learner meets them, with solutions at hand and without."""

import shutil
from html.parser import HTMLParser

import nbformat
import pytest
from small_exercise import SMALL_RUBRIC, SOLUTIONS

from course_lib.grading import notebook
from course_lib.grading.feedback import Card
from course_lib.grading.generate import write_exercises
from course_lib.grading.notebook import check, check_card, hint, hint_card, solution, solution_card

pytestmark = pytest.mark.usefixtures("own_progress")

RIGHT = {"square": lambda x: x**2}
CUBED = {"square": lambda x: x**3}


@pytest.fixture(autouse=True)
def no_hints_taken(monkeypatch):
    monkeypatch.setattr(notebook, "_hints_taken", {})


@pytest.fixture
def at_exercise(small_rubric, tmp_path, monkeypatch):
    """The working directory of a learner in the course: `exercises/01_small`."""
    write_exercises(tmp_path / "solutions", tmp_path / "exercises")
    monkeypatch.chdir(tmp_path / "exercises" / "01_small")
    return tmp_path


@pytest.fixture
def handed_out(at_exercise):
    """The same, where only the exercises were handed out."""
    shutil.rmtree(at_exercise / "solutions")
    return at_exercise


def test_the_four_outcomes(at_exercise):
    assert str(check_card("square", {})) == (
        "square: not attempted\nNothing here is called `square`."
    )
    assert str(check_card("square", RIGHT)) == "square: right (2 points)"
    assert str(check_card("square", {"square": ...})) == "square: not attempted"
    title, hint_line, detail = str(check_card("square", CUBED)).splitlines()
    assert title == "square: wrong (cubed)"
    assert hint_line == "One factor `x` too many."
    assert detail.startswith("square([") and "is expected at index" in detail
    title, error = str(check_card("square", {"square": lambda x: x @ "no"})).splitlines()
    assert title == "square: error"
    assert error


BROKEN = "def square(x):\n    return x + x"
REPAIR = """
def square(x):
    ### BEGIN SOLUTION
    #| return x + x
    return x**2
    ### END SOLUTION
"""


@pytest.fixture
def at_repair(at_exercise, small_rubric):
    """An exercise that hands out `BROKEN` for repair."""
    file = small_rubric.folder / "rubric.py"
    given = 'given=Mistake("doubled", "Not twice.", lambda x: x + x), hints'
    file.write_text(SMALL_RUBRIC.replace("hints", given, 1))
    model = small_rubric.folder / "small.ipynb"
    found = nbformat.read(model, as_version=4)
    found.cells[2].source = REPAIR
    nbformat.write(found, model)


@pytest.mark.parametrize(
    ("cells", "title"),
    [
        ([BROKEN], "square: not attempted"),
        (["def square(x):  # mine\n\n    return (x + x)"], "square: not attempted"),
        (["import numpy as np\n" + BROKEN], "square: not attempted"),
        (["def square(x):\n    return 2 * x"], "square: wrong (doubled)"),
        (
            [BROKEN, "def square(x):\n    return 2 * x", 'check("square")'],
            "square: wrong (doubled)",
        ),
        (["def square(x):\n    return 2 * x", BROKEN], "square: not attempted"),
        (["def square(x):\n    return " + "0 + " * 2_000 + "x + x"], "square: wrong (doubled)"),
    ],
)
def test_code_to_repair_is_attempted_once_it_is_edited(at_repair, cells, title):
    doubled = {"square": lambda x: x + x, "In": ["", *cells]}
    assert str(check_card("square", doubled)).splitlines()[0] == title


def test_the_same_answer_gets_the_same_words(at_exercise):
    assert str(check_card("square", CUBED)) == str(check_card("square", CUBED))


def test_an_answer_wrong_in_no_known_way_is_pointed_to_the_hints(at_exercise):
    text = str(check_card("square", {"square": lambda x: x + 1}))
    assert 'The answer has wrong numbers. `hint("square")` may help.' in text


def test_check_reads_the_callers_own_names(at_exercise, capsys):
    exec("def square(x):\n    return x**2\ncheck('square')", {"check": check})
    assert capsys.readouterr().out == "square: right (2 points)\n"


def test_outcomes_are_remembered(at_exercise):
    from course_lib import progress

    check_card("square", CUBED)
    assert not progress.passed("01_small", "square")
    check_card("square", RIGHT)
    assert progress.passed("01_small", "square")


def test_three_hints_and_then_the_solution(at_exercise, capsys):
    for _ in range(4):
        hint("square")
    solution("square")
    assert capsys.readouterr().out.splitlines() == [
        "square: hint 1 of 3",
        "one",
        "square: hint 2 of 3",
        "two",
        "square: hint 3 of 3",
        "three",
        'Then there is `solution("square")`.',
        "square: no more hints",
        '`solution("square")` shows an answer.',
        "square: one right answer",
        "def square(x):",
        "    return x**2",
    ]


@pytest.mark.parametrize("ask", [lambda name: check_card(name, {}), hint_card, solution_card])
def test_a_question_that_is_not_asked_is_said(at_exercise, ask):
    with pytest.raises(ValueError, match="no question 'squre'; it asks for square"):
        ask("squre")


def test_a_question_is_found_from_elsewhere_in_the_course(at_exercise, monkeypatch):
    monkeypatch.chdir(at_exercise)
    assert check_card("square", RIGHT).tone == "right"
    with pytest.raises(ValueError, match="asked by no exercise"):
        check_card("cube", {})


def test_a_question_that_two_exercises_ask_needs_its_folder(at_exercise, monkeypatch):
    shutil.copytree(at_exercise / "solutions/01_small", at_exercise / "solutions/02_small")
    monkeypatch.chdir(at_exercise)
    with pytest.raises(ValueError, match=r"asked by 01_small, 02_small\. Start the notebook"):
        check_card("square", {})


# Without the solutions ---------------------------------------------------------------------------


def test_a_function_runs_and_the_rest_is_the_instructors(handed_out):
    text = str(check_card("square", CUBED))
    assert text == "square: it runs\nYour instructor grades it (2 points)."


def test_blanks_and_errors_are_told_without_solutions(handed_out):
    assert str(check_card("square", {"square": ...})) == "square: not attempted"
    assert check_card("square", {"square": lambda x: x @ "no"}).tone == "error"


def test_hints_are_there_without_solutions_and_the_solution_is_not(handed_out):
    assert str(hint_card("square")) == "square: hint 1 of 3\none"
    assert "ask your instructor" in str(solution_card("square"))


def test_names_are_told_without_solutions(handed_out):
    with pytest.raises(ValueError, match="no question 'squre'; it asks for square"):
        check_card("squre", {})


def test_a_lost_notebook_is_told_where_to_go(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="Start the notebook in the folder of its exercise"):
        check_card("square", {})


@pytest.fixture
def three_dialects(tmp_path, monkeypatch):
    """The course's own exercise 02, handed out without its solutions."""
    write_exercises(SOLUTIONS, tmp_path / "exercises")
    monkeypatch.chdir(tmp_path / "exercises" / "02_three_dialects")


def cube_on_the_tape(backward):
    from course_lib.tape import register_custom_gradient

    return {"cube_tape": register_custom_gradient(lambda x: x**3, backward)}


def test_a_rule_is_checked_against_its_own_derivative(three_dialects):
    good = check_card("cube_tape", cube_on_the_tape(lambda u, x: u * 3 * x**2))
    assert good.tone == "handed in"
    assert "Your instructor grades the rest" in str(good)
    bad = check_card("cube_tape", cube_on_the_tape(lambda u, x: 3 * x**2))
    assert str(bad).startswith("cube_tape: wrong (upstream ignored)")


# Cards -------------------------------------------------------------------------------------------


class Outline(HTMLParser):
    """The tags and the text of a piece of HTML."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def test_a_card_is_announced_and_does_not_rely_on_colour():
    outline = Outline(Card("wrong", "square: wrong", ("Use `x`.",))._repr_html_())
    assert outline.tags[0][1]["role"] == "status"
    assert ("span", {"aria-hidden": "true"}) in outline.tags
    assert "square: wrong" in outline.text
    assert "background" not in outline.tags[0][1]["style"]


def test_what_a_student_wrote_is_shown_and_never_interpreted():
    html = Card("error", "<b>", ("<script>alert(1)</script>",), code="a < b")._repr_html_()
    assert "<script>" not in html and "<b>" not in html
    assert "a &lt; b" in html


def test_backticks_become_code():
    assert "<code>x</code>" in Card("hint", "t", ("use `x`",))._repr_html_()


def test_in_a_notebook_the_card_is_displayed(at_exercise, capsys):
    from IPython.testing.globalipapp import start_ipython

    shell = start_ipython()
    try:
        shell.run_cell("from course_lib.grading import check\nsquare = lambda x: x**2")
        shell.run_cell('check("square")')
    finally:
        type(shell).clear_instance()
    assert "square: right (2 points)" in capsys.readouterr().out
