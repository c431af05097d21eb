"""The journal of a run: a line a graded submission, so that a run that is killed loses nothing.

A line counts for a submission only while its notebook, and the rubric that it was graded by, are
the same; whatever has changed since is graded again.
"""

import fcntl
import hashlib
import json
import os
from pathlib import Path
from types import TracebackType

from .graded import Graded
from .rubric import Rubric


class JournalBusy(RuntimeError):
    """Another run is writing this journal."""


class Journal:
    """An append-only file of graded submissions, held by one run at a time.

    Parameters
    ----------
    path : Path
    resume : bool
        Keep what an earlier run wrote; otherwise begin afresh.

    Raises
    ------
    JournalBusy
        Another run holds it.
    """

    def __init__(self, path: Path, resume: bool = False) -> None:
        self._file = open(path, "a+b")  # noqa: SIM115 - it stays open as long as the run
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as reason:
            self._file.close()
            raise JournalBusy(
                f"Another run is writing {path}. Wait for it, or give this one --journal OTHER."
            ) from reason
        if not resume:
            self._file.truncate(0)
        self._graded = dict(self._read())

    def _read(self) -> list[tuple[tuple[str, str, str], Graded]]:
        self._file.seek(0)
        content = self._file.read()
        if content and not content.endswith(b"\n"):
            self._file.write(b"\n")  # the run was killed in the middle of a line
            self._file.flush()
        lines = []
        for line in content.splitlines():
            try:
                entry = json.loads(line)
                graded = Graded.from_json(entry["graded"], entry["notes"])
                lines.append(((graded.student, graded.exercise, entry["digest"]), graded))
            except (ValueError, KeyError, TypeError):
                continue
        return lines

    def find(self, student: str, exercise: str, digest: str) -> Graded | None:
        """What an earlier run wrote about this submission, if it has not changed since."""
        return self._graded.get((student, exercise, digest))

    def write(self, graded: Graded, digest: str) -> None:
        """Add a line; when this returns, killing the run can no longer lose it."""
        entry = {"digest": digest, "graded": graded.as_json(), "notes": graded.notes}
        self._file.write(json.dumps(entry).encode() + b"\n")
        self._file.flush()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def digest_of(notebook: bytes, rubric: Rubric | None) -> str:
    """What has to be the same for an earlier grade to stand."""
    state = hashlib.sha256(notebook)
    if rubric is not None and os.path.isfile(rubric.file):
        state.update(hashlib.sha256(Path(rubric.file).read_bytes()).digest())
    return state.hexdigest()
