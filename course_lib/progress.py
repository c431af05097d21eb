"""What the reader has passed and predicted, remembered in a small file on this machine only.

The file is ``.course_progress.json`` beside the notebooks folder, or what the environment variable
COURSE_PROGRESS names. It is a dict of kinds, each a dict: ``{"exercise": {"01_tape/square":
"right"}, "prediction": {"01_tape/order": "that of x"}}``.
"""

import json
import os
import tempfile
import warnings
from pathlib import Path

NAME = ".course_progress.json"


def path() -> Path:
    """Where the memory is: see the top of this file."""
    if named := os.environ.get("COURSE_PROGRESS"):
        return Path(named)
    here = Path.cwd().resolve()
    course = (f for f in (here, *here.parents) if (f / "course_lib").is_dir())
    return next(course, here) / NAME


def read() -> dict[str, dict[str, str]]:
    """All that is remembered. A damaged file is put aside with a warning, never overwritten."""
    file = path()
    try:
        remembered = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(remembered, dict) and all(isinstance(v, dict) for v in remembered.values()):
            return remembered
    except FileNotFoundError:
        return {}
    except (ValueError, OSError):
        pass
    aside = _free(file.with_name(f"{file.name}.damaged"))
    try:
        os.replace(file, aside)
    except OSError:
        return {}
    warnings.warn(
        f"{file.name} could not be read; it was put aside as {aside.name}, and a new one begun.",
        stacklevel=2,
    )
    return {}


def record(kind: str, key: str, value: str) -> None:
    """Remember ``value`` under ``kind`` and ``key``. Where nothing can be written, do without.

    The file is replaced as a whole, so that a crash leaves the old one.
    """
    remembered = read()
    remembered.setdefault(kind, {})[key] = value
    file = path()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, new = tempfile.mkstemp(dir=file.parent, prefix=NAME)
        with os.fdopen(handle, "w", encoding="utf-8") as text:
            json.dump(remembered, text, indent=1, sort_keys=True)
        os.replace(new, file)
    except OSError as error:
        warnings.warn(f"Progress cannot be remembered in {file}: {error}.", stacklevel=2)


def recall(kind: str, key: str) -> str | None:
    """What was recorded, or None."""
    return read().get(kind, {}).get(key)


def passed(exercise: str, question: str) -> bool:
    """Whether the reader's answer to a question was right when it was last checked."""
    return recall("exercise", f"{exercise}/{question}") == "right"


def _free(file: Path) -> Path:
    """``file``, or the first of ``file.2``, ``file.3``, … that does not exist."""
    taken, number = file, 1
    while taken.exists():
        number += 1
        taken = file.with_name(f"{file.name}.{number}")
    return taken
