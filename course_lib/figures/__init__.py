"""Pure functions from data to a picture: SVG, PNG and one sentence."""

from course_lib.figures.curve import Curve, Jump
from course_lib.figures.curve_pair import Strand, Truth, curve_pair
from course_lib.figures.descent_race import Race, Runner, descent_race
from course_lib.figures.entries import entries
from course_lib.figures.figure import Figure
from course_lib.figures.question_card import question_card
from course_lib.figures.sampling import sample, slope
from course_lib.figures.sketch import Sketch, sketch_figure
from course_lib.figures.step_size_curve import step_size_curve
from course_lib.figures.tape_graph import Moment, TapeNode, tape_graph

__all__ = [
    "Curve",
    "Figure",
    "Jump",
    "Moment",
    "Race",
    "Runner",
    "Sketch",
    "Strand",
    "TapeNode",
    "Truth",
    "curve_pair",
    "descent_race",
    "entries",
    "question_card",
    "sample",
    "sketch_figure",
    "slope",
    "step_size_curve",
    "tape_graph",
]
