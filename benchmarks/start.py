"""How soon the course starts: each room's import in a fresh process, and the first notebook.

    python -m benchmarks.start

Processor time and memory, the median of several processes; beside the rooms what most of them need,
NumPy, and what none may load, the frameworks.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

PROCESSES = 9
NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "00_start_here.ipynb"
PEERS = ["numpy", "torch", "tensorflow"]
ROOMS = ["tape", "frameworks", "gradcheck", "figures", "widgets", "grading", "cli"]
FRAMEWORKS = "sorted({'torch', 'tensorflow'} & set(sys.modules))"
SPENT = (
    "import psutil, sys; me = psutil.Process(); spent = me.cpu_times(); "
    f"print(spent.user + spent.system, me.memory_info().rss / 2**20, *{FRAMEWORKS})"
)


def spent(statement: str) -> tuple[float, float, list[str]]:
    """Seconds, MiB and frameworks of a fresh process that runs `statement`."""
    command = [sys.executable, "-c", f"{statement}; {SPENT}"]
    said = subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL)
    seconds, memory, *frameworks = said.split()
    return float(seconds), float(memory), frameworks


def imports(names: list[str]) -> None:
    """A line a module, in interleaved rounds; the time is without that of a bare interpreter."""
    rounds = [{name: spent(f"import {name}") for name in ["sys", *names]} for _ in range(PROCESSES)]
    bare = statistics.median(each["sys"][0] for each in rounds)
    for name in names:
        seconds = max(0.0, statistics.median(each[name][0] for each in rounds) - bare)
        memory = statistics.median(each[name][1] for each in rounds)
        print(f"{name:24}{seconds:8.2f} s{memory:8.0f} MiB   {', '.join(rounds[0][name][2])}")


def first_notebook() -> None:
    """The first notebook in a kernel, from its start to its end, as somebody waits for it."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(SPENT))
    start = time.perf_counter()
    NotebookClient(notebook, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    waited = time.perf_counter() - start
    seconds, memory, *frameworks = notebook.cells[-1].outputs[0].text.split()
    print(
        f"\n{NOTEBOOK.stem}, from a new kernel to its last cell: {waited:.1f} s, of which the "
        f"kernel computed {float(seconds):.1f} s; {float(memory):.0f} MiB; "
        f"frameworks loaded: {', '.join(frameworks) or 'none'}"
    )


if __name__ == "__main__":
    print(f"{'import':24}{'CPU':>10}{'memory':>12}   loads")
    imports(["course_lib", *(f"course_lib.{room}" for room in ROOMS), *PEERS])
    first_notebook()
