"""Pure functions from data to a picture: SVG, PNG and one sentence."""

from course_lib.figures.curve import Curve, Jump
from course_lib.figures.curve_pair import Strand, Truth, curve_pair
from course_lib.figures.figure import Figure
from course_lib.figures.sampling import sample, slope

__all__ = ["Curve", "Figure", "Jump", "Strand", "Truth", "curve_pair", "sample", "slope"]
