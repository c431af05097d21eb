"""Is this rule right, and if not, which mistake is it?

>>> from course_lib.gradcheck import check_gradient
>>> report = check_gradient(square, np.array([1.0, 2.0, 3.0]))
>>> report.ok, report.faults
"""

from course_lib.gradcheck.check import check_gradient
from course_lib.gradcheck.faults import HINTS, Fault
from course_lib.gradcheck.report import GradientReport

__all__ = ["HINTS", "Fault", "GradientReport", "check_gradient"]
