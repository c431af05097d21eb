"""A clean clone of the course, and commands that are run in it as a person would."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.prefix) / "bin"


def clean_clone(folder: Path) -> Path:
    """Clone the course, what is not committed yet included, and put the environment in its place.

    It is the environment that we test in; `make` finds it where it would make its own.
    """
    git(ROOT, "clone", "--quiet", ".", folder)
    for name in git(ROOT, "ls-files", "--modified", "--others", "--exclude-standard").splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy2(ROOT / name, folder / name)
        else:
            (folder / name).unlink()
    git(folder, "add", "--all")
    (folder / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        (folder / ".venv" / part.name).symlink_to(part)
    (folder / ".venv" / ".ready").unlink(missing_ok=True)
    (folder / ".venv" / ".ready").touch()
    return folder


def git(folder: Path, *arguments: object) -> str:
    command = ["git", "-c", "core.quotepath=off", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def surroundings(clone: Path, **more: str) -> dict[str, str]:
    """The environment variables of a person in `clone`, who has activated nothing."""
    of_the_tests = ("PYTEST_", "MAKE", "MFLAGS")  # pytest's, and those of the make that started it
    ours = {name: value for name, value in os.environ.items() if not name.startswith(of_the_tests)}
    path = [part for part in ours["PATH"].split(os.pathsep) if Path(part) != BIN]
    theirs = {
        "PATH": os.pathsep.join(path),
        "PYTHONPATH": str(clone),  # the package is installed from where we test
        "COURSE_PROGRESS": str(clone / ".venv" / "progress.json"),
        "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache"),  # the same sources, so the same findings
    }
    return ours | theirs | more


def run(clone: Path, script: str, **more: str) -> subprocess.CompletedProcess:
    """Run what a fenced block says, in bash, up to the first command that fails."""
    return subprocess.run(
        ["bash", "-euc", script],
        cwd=clone,
        env=surroundings(clone, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def succeed(clone: Path, script: str, **more: str) -> str:
    """The same, which must succeed; what it printed."""
    done = run(clone, script, **more)
    assert done.returncode == 0, f"{script}\n{done.stdout}"
    return done.stdout
