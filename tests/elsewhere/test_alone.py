"""Binder, Colab, an upload: an installation is whole, and a notebook needs no place of its own."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
NOT_ON_COLAB = ("jupyterlab", "nbgrader", "nbclient", "nbformat", "typer", "rich")
OFFLINE = ("--no-deps", "--no-build-isolation")
SOURCES = ("pyproject.toml", "constraints.txt", "environment.yml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of what an installation is made from."""
    copy = tmp_path_factory.mktemp("course")
    for name in SOURCES:
        shutil.copy(ROOT / name, copy)
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "course_lib", copy / "course_lib", ignore=leave)
    return copy


@pytest.fixture(scope="module")
def installed(course, tmp_path_factory):
    """The folder into which `pip install <the course's folder>` puts it."""
    place = tmp_path_factory.mktemp("installed")
    subprocess.run([*PIP, "wheel", "--quiet", *OFFLINE, "--wheel-dir", place, course], check=True)
    (wheel,) = place.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(place)
    return place


@pytest.fixture
def run_alone(installed, tmp_path, monkeypatch):
    """Runs a copy of a notebook in an empty folder, with no more installed than Colab has."""
    monkeypatch.setenv("PYTHONPATH", str(installed))
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)

    def run(path: Path) -> nbformat.NotebookNode:
        notebook = nbformat.read(path, as_version=4)
        block = f"import sys\nsys.modules.update(dict.fromkeys({NOT_ON_COLAB}))"
        where = "import course_lib\nprint(course_lib.__file__)"
        notebook.cells.insert(0, nbformat.v4.new_code_cell(block))
        notebook.cells.append(nbformat.v4.new_code_cell(where))
        here = {"metadata": {"path": str(tmp_path)}}
        NotebookClient(notebook, timeout=60, resources=here).execute()
        assert notebook.cells.pop().outputs[0].text.startswith(str(installed))
        return notebook

    return run


def test_an_installation_has_every_file_of_the_library(course, installed):
    wanted = {path.relative_to(course) for path in course.glob("course_lib/**/*.*")}
    found = {path.relative_to(installed) for path in installed.glob("course_lib/**/*.*")}
    assert wanted == found


def test_an_installation_tells_jupyters_server_of_the_extension(installed):
    (settings,) = installed.glob("*.data/data/etc/jupyter/jupyter_server_config.d/*.json")
    extensions = json.loads(settings.read_text(encoding="utf-8"))["ServerApp"]
    assert extensions == {"jpserver_extensions": {"course_lib.server": True}}
    assert settings.name == "course_lib.server.json", "`jupyter server extension disable` fails"


def test_the_first_notebook_runs_alone(run_alone):
    notebook = run_alone(ROOT / "notebooks" / "00_start_here.ipynb")
    said = [o.text for c in notebook.cells for o in c.get("outputs", []) if o.get("name")]
    assert said == ["ready\n"]


def test_an_exercise_runs_where_its_folder_is_put(run_alone, tmp_path):
    """Without solutions/, so that `check` knows only what was handed out."""
    shutil.copy(ROOT / "exercises" / "01_tape" / "handout.json", tmp_path)
    notebook = run_alone(ROOT / "solutions" / "01_tape" / "tape.ipynb")
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    said = [output.data["text/plain"].splitlines()[0] for output in outputs]
    assert said == [
        "product_vjp: it runs",
        "backward: it runs",
        "unbroadcast: it runs",
        "softplus_tape: the gradient fits the function",
    ]


def test_pip_takes_what_environment_yml_gives_it(course, tmp_path):
    """Conda hands these lines to pip in the folder of environment.yml; Binder does, too."""
    packages = yaml.safe_load((course / "environment.yml").read_text())["dependencies"]
    (lines,) = [entry["pip"] for entry in packages if isinstance(entry, dict)]
    (course / "requirements.txt").write_text("\n".join(lines))
    command = [*PIP, "install", "--dry-run", *OFFLINE, "--requirement", "requirements.txt"]
    done = subprocess.run(command, cwd=course, capture_output=True, text=True)
    assert "Would install custom-gradients-course" in done.stdout, done.stdout + done.stderr
    assert "does not provide the extra" not in done.stderr
