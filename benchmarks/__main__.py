"""Every benchmark, one after the other, and benchmarks/RESULTS.md with what they printed.

python -m benchmarks            # all of them
python -m benchmarks engine     # one; RESULTS.md is then left alone
"""

import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
ALL = ["start", "engine", "gradcheck", "grading", "widgets"]
PEERS = ["numpy", "torch", "tensorflow", "autograd", "mygrad", "micrograd", "nbgrader"]
PEERS += ["jupyterlab", "matplotlib"]


def run(name):
    """A benchmark's own words, also shown while it runs."""
    print(f"\n== {name}", flush=True)
    environment = os.environ | {"COLUMNS": "110", "TERM": "dumb"}
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    process = subprocess.Popen(
        command, cwd=HERE.parent, env=environment, stdout=subprocess.PIPE, text=True
    )
    lines = []
    for line in process.stdout:
        print(line, end="", flush=True)
        lines.append(line.rstrip())
    if process.wait():
        sys.exit(f"benchmarks/{name}.py ended with an error")
    return "\n".join(lines).strip()


def machine():
    """The machine and the versions, in words."""
    packages = ", ".join(f"{name} {version(name)}" for name in PEERS)
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}, "
        f"Python {platform.python_version()}; {packages}."
    )


if __name__ == "__main__":
    chosen = sys.argv[1:] or ALL
    said = {name: run(name) for name in chosen}
    if chosen == ALL:
        parts = [f"## {name}\n\n```text\n{text}\n```\n" for name, text in said.items()]
        head = f"# Results\n\nPrinted by `make bench`: ratios matter, times do not. {machine()}\n"
        (HERE / "RESULTS.md").write_text("\n".join([head, *parts]), encoding="utf-8")
