"""The bubblewrap command: all that a zygote, and so a submission, can ever see of this machine.

Seen, and read-only: the system's programs and libraries, the interpreter with its packages, and
`course_lib`. Not there at all: the solutions and their rubrics, the gradebook, the submissions,
the user's files, the network, the environment.
"""

import os
import shutil
import site
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import course_lib

HOME = "/home/student"
COURSE = "/course"
_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin")
_CONFIGURATION = ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts")


class CannotIsolate(RuntimeError):
    """This machine offers no jail; the message says what is missing."""


@dataclass(frozen=True)
class Bars:
    """A command that starts a zygote in its jail, and the folders that a try will write to."""

    command: list[str]
    environment: dict[str, str]
    writable: list[str]


def around(program: Sequence[str], hidden: Iterable[Path] = ()) -> Bars:
    """Put bubblewrap around a Python program.

    Parameters
    ----------
    program : sequence of str
        The arguments of the interpreter.
    hidden : iterable of Path
        What must not be seen even where it lies inside a folder that is, as the solutions do
        when the course stands inside its own environment.

    Raises
    ------
    CannotIsolate
        There is no bubblewrap here.
    """
    bubblewrap = shutil.which("bwrap")
    if bubblewrap is None:
        raise CannotIsolate(
            "bubblewrap (bwrap) is not installed; on Debian or Ubuntu: apt install bubblewrap"
        )
    seen = _packages()
    writable = [HOME, "/dev/shm"]
    if not any(path.is_relative_to("/tmp") for path in seen):
        writable.append("/tmp")
    options = [
        *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--new-session"),
        *_credentials(),
        *("--dev", "/dev"),
        *_folders("/tmp", "/etc", *Path(HOME).parents, COURSE, *_parents(seen)),
        *_system(),
        *(option for folder in seen for option in ("--ro-bind", str(folder), str(folder))),
        *("--ro-bind", str(Path(course_lib.__file__).parent), f"{COURSE}/course_lib"),
        *_covered(hidden, (*map(Path, _SYSTEM), *seen)),
        *("--perms", "1777", "--tmpfs", HOME),
        *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME),
    ]
    command = [bubblewrap, *options, "--", sys.executable, *program]
    return Bars(command, environment(HOME, COURSE), writable)


def environment(home: str, course: str) -> dict[str, str]:
    """All the environment that a submission gets: no secrets, no screen, one thread."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "USER": "student",
        "TMPDIR": home,
        "IPYTHONDIR": home,
        "MPLCONFIGDIR": home,
        "MPLBACKEND": "Agg",
        "COURSE_PROGRESS": f"{home}/.course_progress.json",
        # A cell with `!pip install` finds at once that there is no network, or that all is there.
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONPATH": course,
        "PYTHONDONTWRITEBYTECODE": "1",
        # Thread pools that outlive an import do not survive a fork.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "CUDA_VISIBLE_DEVICES": "",
    }


def _credentials() -> list[str]:
    """Who the zygote is.

    Run by root, it mounts its own /proc and then becomes nobody; a user cannot do either, and lets
    bubblewrap do so in a user namespace.
    """
    if os.geteuid() == 0:
        return ["--dir", "/proc"]
    return ["--unshare-user", "--uid", "65534", "--gid", "65534", "--proc", "/proc"]


def _system() -> list[str]:
    options = []
    for folder in filter(os.path.lexists, _SYSTEM):
        if os.path.islink(folder):
            options += ["--symlink", os.readlink(folder), folder]
        else:
            options += ["--ro-bind", folder, folder]
    for file in _CONFIGURATION:
        options += ["--ro-bind-try", file, file]
    return options


def _packages() -> list[Path]:
    """The folders of the interpreter and its packages, outermost first."""
    folders = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.base_exec_prefix)}
    folders |= {Path(entry) for entry in (*site.getsitepackages(), site.getusersitepackages())}
    folders |= {folder.resolve() for folder in folders}
    kept: list[Path] = []
    for folder in sorted(folders, key=lambda folder: len(folder.parts)):
        inside = any(folder.is_relative_to(other) for other in (*map(Path, _SYSTEM), *kept))
        if folder.is_dir() and not inside:
            kept.append(folder)
    return kept


def _folders(*folders: str | Path) -> list[str]:
    """Folders that all may enter, outermost first; bubblewrap would make them for root only."""
    wanted = dict.fromkeys(map(Path, folders))
    return [
        option
        for folder in sorted(wanted, key=lambda folder: len(folder.parts))
        if folder != Path("/")
        for option in ("--dir", str(folder))
    ]


def _parents(folders: Iterable[Path]) -> list[Path]:
    return [parent for folder in folders for parent in folder.parents]


def _covered(hidden: Iterable[Path], seen: Sequence[Path]) -> list[str]:
    options = []
    for path in {path.resolve() for path in hidden}:
        if not path.exists() or not any(path.is_relative_to(folder) for folder in seen):
            continue
        over = ["--tmpfs"] if path.is_dir() else ["--ro-bind", "/dev/null"]
        options += [*over, str(path)]
    return options
