"""Run notebooks in place and keep what belongs in the repository: sources and outputs, no more.

python tools/execute_notebooks.py notebooks/01_tape.ipynb notebooks solutions
"""

import os
import sys
import tempfile
import time
import uuid
from pathlib import Path

import nbformat
from nbclient import NotebookClient

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python"}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def execute(path):
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = {"kernelspec": KERNEL, "language_info": LANGUAGE}
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        store_widget_state=False,
    )
    client.execute()
    clean(notebook)
    nbformat.write(notebook, path)


def clean(notebook):
    """Nothing that changes with every run: timestamps, ids of widgets, where a print was split."""
    notebook.metadata = {"kernelspec": KERNEL, "language_info": LANGUAGE}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)
            for output in cell.outputs:
                if view := output.get("data", {}).get(WIDGET_VIEW):
                    view["model_id"] = str(uuid.uuid5(uuid.NAMESPACE_OID, cell.id))


def joined(outputs):
    """The outputs, with pieces of one stream that follow each other put together."""
    kept = []
    for output in outputs:
        if kept and output.output_type == "stream" and output.name == kept[-1].get("name"):
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def found(arguments):
    for argument in map(Path, arguments):
        yield from sorted(argument.rglob("*.ipynb")) if argument.is_dir() else [argument]


if __name__ == "__main__":
    # what the author has passed and predicted is not part of the course
    os.environ["COURSE_PROGRESS"] = os.path.join(tempfile.mkdtemp(), "progress.json")
    for path in found(sys.argv[1:]):
        if ".ipynb_checkpoints" in path.parts:
            continue
        start = time.perf_counter()
        execute(path)
        print(f"{path}  {time.perf_counter() - start:.1f} s", flush=True)
