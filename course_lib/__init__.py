"""The shared library of the course on custom gradients: a room a folder, the lowest floor first.

``tape`` (the engine), ``frameworks`` (adapters), ``gradcheck`` (which mistake is it?), ``figures``
(data to pictures), ``widgets`` (live views), ``grading`` (checks and grades). Importing
``course_lib`` loads neither torch nor TensorFlow.
"""

import sys

__version__ = "0.1.0"

if "IPython" in sys.modules:  # in a notebook
    from course_lib.frameworks.absent import skip_cells_of_absent_frameworks

    skip_cells_of_absent_frameworks()
