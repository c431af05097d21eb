"""`make lab`, as the README says it: the first notebook, with the exercises in reach."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FIRST = "notebooks/00_start_here.ipynb"


@pytest.fixture
def lab(tmp_path):
    """The address and token of a JupyterLab that `make lab` started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(8)
    flags = f"--no-browser --ServerApp.port={port} --IdentityProvider.token={token}"
    environment = os.environ | {"JUPYTER_RUNTIME_DIR": str(tmp_path)}
    # What `make lab` runs once the environment is ready; the environment is the one we test in.
    command = ["make", "--silent", "lab", f"LAB={flags}", f"BIN={Path(sys.executable).parent}"]
    command += ["--old-file=.venv/.ready"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, start_new_session=True, stderr=subprocess.DEVNULL
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


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_make_lab_opens_the_first_notebook(lab):
    address, token = lab
    assert FIRST in fetch(f"{address}/?token={token}").url
    for path in (FIRST, "exercises/01_tape/tape.ipynb"):
        fetch(f"{address}/api/contents/{path}?content=0&token={token}")


def test_the_readme_names_what_is_there():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in ("lab", "test"):
        assert f"make {command}" in readme and f"\n{command}: " in makefile
    for target in [part.split(")")[0] for part in readme.split("](")[1:]]:
        assert (ROOT / target).exists(), f"README.md links to {target}, which is not there"
