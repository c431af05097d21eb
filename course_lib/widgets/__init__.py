"""Live views over the figures."""

from course_lib.widgets.course_map import course_map
from course_lib.widgets.curve_pair import CurvePair
from course_lib.widgets.predict import predict
from course_lib.widgets.tape_stepper import TapeStepper
from course_lib.widgets.view import View

__all__ = ["CurvePair", "TapeStepper", "View", "course_map", "predict"]
