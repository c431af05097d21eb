"""A machine as `hub/Dockerfile` makes it, without Docker: the same files, accounts and command.

Bubblewrap gives root a view in which /etc, /home and /srv are private copies. Everything in it is
real, unprivileged accounts included, and it leaves no trace on the machine underneath. What the
Dockerfile installs with apt-get and pip is taken from the environment under test.
"""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "hub" / "Dockerfile"
PRIVATE = ("etc", "home", "srv")
TMP = Path("/tmp")
PATH = f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
# Bubblewrap's own /proc is covered in part, and in such a one the graders build no jail.
OWN_PROCESSES = ("sh", "-c", 'mount -t proc proc /proc && exec "$@"', "sh")


class Machine:
    """What the Dockerfile makes, under `place`."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.folder = Path("/")
        self.command: list[str] = []
        place.chmod(0o755)
        for name in PRIVATE:
            (place / name).mkdir(mode=0o755)
        shutil.copytree("/etc", place / "etc", symlinks=True, dirs_exist_ok=True)
        self.on_disk("/etc/profile.d/under_test.sh").write_text(f"PATH={PATH}\n")
        for instruction, rest in instructions(DOCKERFILE.read_text(encoding="utf-8")):
            self._carry_out(instruction, rest)

    def on_disk(self, path: str | Path) -> Path:
        """Where a path of the machine really lies."""
        return self.place / str(path).lstrip("/")

    def start(self, command: list[str], **popen) -> subprocess.Popen:
        """Start `command` as root of the machine; all its processes end with it."""
        view = ["bwrap", "--dev-bind", "/", "/", "--dev", "/dev"]
        view += ["--unshare-pid", "--die-with-parent", "--cap-add", "ALL"]
        # An environment in a folder that only root may enter is put where everybody can.
        for emptied in sorted({TMP} | {top for top in map(_emptied_above, _needed()) if top}):
            view += ["--perms", "1777", "--tmpfs", str(emptied)]
        for path in _needed():
            for above in _below(_emptied_above(path), path):
                view += ["--perms", "0755", "--dir", str(above)]
            view += ["--ro-bind", str(path), str(path)]
        for name in PRIVATE:
            view += ["--bind", str(self.place / name), f"/{name}"]
        environment = {"PATH": PATH, "HOME": "/srv", "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.Popen(
            [*view, "--chdir", str(self.folder), "--", *OWN_PROCESSES, *command],
            env=environment,
            **popen,
        )

    def _carry_out(self, instruction: str, rest: str) -> None:
        if instruction == "WORKDIR":
            self.folder = Path(rest)
            self.on_disk(rest).mkdir(parents=True, exist_ok=True)
        elif instruction == "COPY":
            self._copy(*shlex.split(rest))
        elif instruction == "RUN" and not rest.startswith(("apt-get ", "pip ")):
            assert self.start(["sh", "-c", rest]).wait() == 0, f"RUN {rest}"
        elif instruction == "CMD":
            self.command = json.loads(rest)

    def _copy(self, *paths: str) -> None:
        *sources, target = paths
        goal = self.on_disk(self.folder / target)
        for source in map(ROOT.joinpath, sources):
            if source.is_dir():
                shutil.copytree(source, goal, dirs_exist_ok=True)
            else:
                goal.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, goal)


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Each instruction and what follows it."""
    lines = dockerfile.replace("\\\n", " ").splitlines()
    written = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in written]


def _needed() -> list[Path]:
    """The environment under test, its interpreter, and the library where it is not a copy."""
    return sorted({Path(sys.prefix), Path(sys.base_prefix).resolve(), ROOT / "course_lib"})


def _emptied_above(path: Path) -> Path | None:
    """The highest folder above `path` that is emptied: /tmp, or one that only root may enter."""
    for top in reversed(path.parents):
        if top == TMP or not top.stat().st_mode & 0o001:
            return top
    return None


def _below(emptied: Path | None, path: Path) -> list[Path]:
    """The folders between `emptied` and `path`."""
    between = [top for top in path.parents if emptied and top.is_relative_to(emptied)]
    return [top for top in reversed(between) if top != emptied]
