"""A question in print."""

from course_lib.figures.lettering import text_width
from course_lib.figures.marks import Text
from course_lib.figures.question_card import question_card
from course_lib.figures.tape_graph import Moment, TapeNode, tape_graph


def test_the_sentence_has_the_question_and_every_choice():
    figure = question_card("How many?", ["one", "two"])
    assert figure.alt == "Predict: How many? Choices: one; two."


def test_long_questions_and_choices_are_wrapped():
    figure = question_card("Why " * 80 + "?", ["because " * 40, "so"])
    for mark in figure.marks:
        if isinstance(mark, Text):
            assert mark.x + text_width(mark.text, mark.size, mark.bold) <= figure.width
            assert mark.y <= figure.height


def test_what_follows_stands_below_unchanged(read):
    moment = Moment(1, ("1",), None, 0, "The gradient.")
    (below,) = tape_graph([TapeNode("x", "", "2")], [moment])
    card = question_card("How many?", ["one", "two"])
    both = question_card("How many?", ["one", "two"], below)
    assert both.height == card.height + below.height
    assert read(both).texts() == read(card).texts() + read(below).texts()
    assert read(both).paths("edge")[0][0][1] > card.height
