"""A jail for the tests of this folder, and what to do on a machine that has none."""

import shutil
import subprocess

import postgresql
import pytest
import submissions
from submissions import QUICK

from course_lib.grading.jail.rooms import House
from course_lib.grading.worker import grade_notebook

TRIVIAL_JAIL = ["bwrap", "--ro-bind", "/", "/", "--unshare-user", "true"]
NO_JAIL = (
    shutil.which("bwrap") is None or subprocess.run(TRIVIAL_JAIL, capture_output=True).returncode
)


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: the full-size variant of a test; run with -m slow")


def pytest_report_header(config):
    lines = []
    if NO_JAIL:
        lines.append(
            "NOT ISOLATED: bubblewrap does not work here; what only a jail can do is not tested"
        )
    if not postgresql.programs():
        lines.append("There is no PostgreSQL here: the gradebook is tested with SQLite only")
    return lines


def pytest_collection_modifyitems(config, items):
    """Leave out the full-size variants, unless asked for; and what needs a jail, or PostgreSQL,
    where there is none."""
    left_out = [
        item
        for item in items
        if (NO_JAIL and "house" in getattr(item, "fixturenames", ()))
        or (not postgresql.programs() and "postgresql_url" in getattr(item, "fixturenames", ()))
        or (item.get_closest_marker("slow") and "slow" not in config.option.markexpr)
    ]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def house():
    """Rooms behind bubblewrap."""
    with House() as house:
        assert house.isolated, f"These tests need a jail: {house.why_not}"
        yield house


@pytest.fixture
def grade(house):
    """Grade cells, or a notebook's bytes, as one submission: question to verdict."""

    def grade(*cells, rubric=submissions.RUBRIC, given=(), limits=QUICK, seed=None):
        content = cells[0] if isinstance(cells[0], bytes) else submissions.notebook(*cells)
        outcome = grade_notebook(content, rubric, house, limits, given, seed)
        assert outcome.isolated
        return {verdict.question: verdict for verdict in outcome.verdicts}

    return grade


@pytest.fixture
def told(grade):
    """What an expression is worth inside the jail, as text: the answer smuggles it out."""

    def told(expression, *before):
        answer = f"def rectified(upstream, x):\n    raise ValueError('«' + str({expression}) + '»')"
        message = grade(*before, answer)["rectified"].message
        assert "«" in message, message
        return message.partition("«")[2].partition("»")[0]

    return told


@pytest.fixture
def course(tmp_path):
    """A course on disk, with nothing handed in."""
    return submissions.course_folder(tmp_path)
