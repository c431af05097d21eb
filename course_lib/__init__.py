"""The shared library of the course on custom gradients: a room a folder, the lowest floor first.

``tape`` (the engine), ``frameworks`` (adapters), ``gradcheck`` (which mistake is it?), ``figures``
(data to pictures), ``widgets`` (live views), ``grading`` (checks and grades). Importing
``course_lib`` loads none of them.
"""

__version__ = "0.1.0"
