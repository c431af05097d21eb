"""Live views over the figures."""

from course_lib.widgets.course_map import course_map
from course_lib.widgets.curve_pair import CurvePair
from course_lib.widgets.descent_race import DescentRace
from course_lib.widgets.picture import Picture, TradeOff
from course_lib.widgets.predict import predict
from course_lib.widgets.sketch_the_gradient import SketchTheGradient
from course_lib.widgets.step_size_curve import StepSizeCurve
from course_lib.widgets.tape_stepper import TapeStepper
from course_lib.widgets.view import View

__all__ = [
    "CurvePair",
    "DescentRace",
    "Picture",
    "SketchTheGradient",
    "StepSizeCurve",
    "TapeStepper",
    "TradeOff",
    "View",
    "course_map",
    "predict",
]
