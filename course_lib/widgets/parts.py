"""The moving parts, live where anywidget is installed and plain where it is not."""

from types import ModuleType


def parts() -> ModuleType:
    """The module with the `Stage` and the `Dial` to use: `.live`, or else `.plain`."""
    try:
        from course_lib.widgets import live
    except ModuleNotFoundError as error:
        if error.name != "anywidget":
            raise
        from course_lib.widgets import plain

        return plain
    return live
