"""nbgrader, for everybody on the machine: one course, one exchange."""

from pathlib import Path

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "gradients"
c.Exchange.root = "/srv/exchange"

# The students: fetched where the notebooks link to.
c.Exchange.assignment_dir = str(Path.home() / "custom-gradients" / "exercises")

# The instructor, in the course's folder.
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
