"""A newcomer does what README.md says, to the letter, in a clean clone.

The environment is not made anew for that; .ci/run, which begins with `make test` on a machine with
nothing, does so.
"""

import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import time
import tomllib
import urllib.error
import urllib.request

import nbformat
import pytest
import yaml
from clean_clone import BIN, ROOT, clean_clone, succeed, surroundings
from guide import steps
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

README = ROOT / "README.md"
TWO_COMMANDS, CONDA, CPU_ONLY, GRADE = steps(README)  # a fifth block needs a test of its own
GUIDES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FIRST = "notebooks/00_start_here.ipynb"
need_make = pytest.mark.skipif(
    shutil.which("make") is None or not (BIN / "activate").exists(),
    reason="the README's own way needs make, which makes a virtual environment",
)


def commands(step):
    """The commands of a block, without what explains them."""
    return [line.split("  #")[0].strip() for line in step.text.splitlines()]


def constraints():
    """The version that constraints.txt pins, by name."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    return clean_clone(tmp_path_factory.mktemp("newcomer") / "course")


# -- two commands ---------------------------------------------------------------------------------


@pytest.fixture
def lab(clone, tmp_path):
    """The address and token of a JupyterLab that `make lab` started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(8)
    quietly = f"--no-browser --ServerApp.port={port} --IdentityProvider.token={token}"
    process = subprocess.Popen(
        ["bash", "-euc", commands(TWO_COMMANDS)[0]],
        cwd=clone,
        env=surroundings(clone, LAB=quietly, JUPYTER_RUNTIME_DIR=str(tmp_path)),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield f"http://127.0.0.1:{port}", token
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def fetch(address):
    for _ in range(450):
        try:
            return urllib.request.urlopen(address, timeout=5)
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{address} does not answer")


@need_make
def test_the_first_command_opens_the_first_notebook_with_the_exercises_in_reach(lab):
    address, token = lab
    assert FIRST in fetch(f"{address}/?token={token}").url
    for path in (FIRST, "exercises/01_tape/tape.ipynb"):
        fetch(f"{address}/api/contents/{path}?content=0&token={token}")


@need_make
def test_the_second_command_checks_everything_and_runs_the_tests(clone):
    _, test = commands(TWO_COMMANDS)
    said = succeed(clone, test, TESTS="tests/test_progress.py")
    assert re.search(r"ruff check\.+Passed", said) and re.search(r"\d+ passed", said)


# -- with conda -----------------------------------------------------------------------------------


def test_conda_installs_what_make_installs():
    create, *_ = commands(CONDA)
    environment = yaml.safe_load((ROOT / create.split()[-1]).read_text(encoding="utf-8"))
    python, pip, from_pip = environment["dependencies"]
    assert (python.split("=")[0], pip) == ("python", "pip")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (by_make,) = re.findall(r"pip install --disable-pip-version-check (.+)", makefile)
    by_make = by_make.replace(",hub", "")  # Binder, which reads the file too, has its own hub
    assert shlex.split(" ".join(from_pip["pip"])) == shlex.split(by_make)
    assert all(f"--name {environment['name']} " in line for line in commands(CONDA)[1:])


@need_make
def test_conda_opens_what_make_opens(clone):
    _, lab, _ = commands(CONDA)
    by_make = succeed(clone, "make --dry-run lab", LAB="").replace("--allow-root", "")
    assert lab.split()[4:] == by_make.replace(".venv/bin/", "").split()


def test_the_tests_run_without_make(clone):
    test = commands(CONDA)[2].removeprefix("conda run --name custom-gradients ")
    few = "--ignore-glob=tests/*/* -k half_written"
    activated = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    assert re.search(r"\d+ passed", succeed(clone, test, PATH=activated, PYTEST_ADDOPTS=few))


def test_every_dependency_is_pinned_within_its_range():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    pinned = {canonicalize_name(name): version for name, version in constraints().items()}
    for wanted in map(Requirement, sum(extras.values(), project["dependencies"])):
        version = pinned.get(canonicalize_name(wanted.name))
        assert version in wanted.specifier, f"{wanted}, but constraints.txt has {version}"


def test_the_version_of_pytorch_is_the_pinned_one():
    text = README.read_text(encoding="utf-8")
    assert f"pins torch to {constraints()['torch']}," in text
    assert commands(CPU_ONLY) == [f"PIP_EXTRA_INDEX_URL=<that address> {commands(TWO_COMMANDS)[0]}"]


# -- grading --------------------------------------------------------------------------------------


@need_make
def test_a_notebook_and_a_class_are_graded(clone):
    shutil.copy(clone / "solutions/01_tape/tape.ipynb", clone / "notebook.ipynb")
    alice = clone / "submitted/alice/01_tape"
    alice.mkdir(parents=True)
    shutil.copy(clone / "exercises/01_tape/tape.ipynb", alice)
    said = succeed(clone, GRADE.text)
    assert "notebook: 10 of 10 points" in said and "alice: 0 of 10 points" in said
    rows = (clone / "grades.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 5 and all("not attempted" in row for row in rows[1:])
    assert "not attempted" in (clone / "feedback/alice.html").read_text(encoding="utf-8")


# -- what it shows --------------------------------------------------------------------------------


def header(path):
    """Number, title and minutes, as the first cell of a notebook has them."""
    first = nbformat.read(path, as_version=4).cells[0].source
    number, title = re.search(r"^# (\d+) · (.+)$", first, flags=re.M).groups()
    return f"{int(number):02d}", title, re.search(r"\*\*Minutes\*\* \| (\d+)", first)[1]


def test_the_map_is_what_the_notebooks_say_of_themselves():
    row = r"^\| (\d\d) \| \[(.+?)\]\((notebooks/.+?)\) \| .+ \| (\d+) \|$"
    rows = re.findall(row, README.read_text(encoding="utf-8"), flags=re.M)
    shown = {path: (number, title, minutes) for number, title, path, minutes in rows}
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert shown == {f"notebooks/{path.name}": header(path) for path in notebooks}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_links_lead_somewhere(guide):
    prose = re.sub(r"```.*?```", "", guide.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)#:]+)[^):]*\)", prose):
        assert (guide.parent / target).exists(), f"{guide.name} links to {target}: not there"


def test_the_weeks_are_as_long_as_the_notebooks_and_exercises_say():
    guide = (ROOT / "docs" / "learner.md").read_text(encoding="utf-8")
    weeks = re.findall(r"^\| \d+ \| ([\d, ]+) \| (\d+) \|$", guide, flags=re.M)
    notebooks = {path.name[:2]: path for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert ", ".join(week for week, _ in weeks).split(", ") == sorted(notebooks)
    for week, minutes in weeks:
        paths = [notebooks[number] for number in week.split(", ")]
        assert int(minutes) == sum(int(header(path)[2]) + exercise_minutes(path) for path in paths)


def exercise_minutes(path):
    """What the exercise of a notebook says of itself; nothing if there is none."""
    said = "".join(
        file.read_text(encoding="utf-8")
        for file in (ROOT / "exercises" / path.stem).glob("*.ipynb")
    )
    return sum(map(int, re.findall(r"Allow about (\d+) minutes", said)))
