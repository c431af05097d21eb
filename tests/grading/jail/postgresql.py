"""A PostgreSQL server of the test's own: unprivileged, on loopback, in a folder that goes away."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from processes import wait_until

NOBODY = 65534


def programs():
    """The folder with the newest server's programs; None where there is no PostgreSQL."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(debian, key=lambda path: int(path.parts[-3]), default=None)
    found = newest or shutil.which("initdb")
    return Path(found).parent if found else None


@contextlib.contextmanager
def server():
    """Start a server; its URL, as SQLAlchemy and nbgrader take it."""
    with tempfile.TemporaryDirectory() as folder:
        run_as = {}
        if os.geteuid() == 0:  # whom PostgreSQL refuses to serve
            os.chown(folder, NOBODY, NOBODY)
            run_as = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        data, log = f"{folder}/data", f"{folder}/log"
        initdb = [programs() / "initdb", "--pgdata", data, "--username", "course", "--no-sync"]
        subprocess.run(
            [*initdb, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8"],
            check=True,
            capture_output=True,
            cwd=folder,
            **run_as,
        )
        port = _free_port()
        options = ["listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off"]
        with open(log, "w") as said:
            process = subprocess.Popen(
                [programs() / "postgres", "-D", data, "-p", str(port)]
                + [word for option in options for word in ("-c", option)],
                stdout=said,
                stderr=said,
                cwd=folder,
                **run_as,
            )
        try:
            wait_until(lambda: "ready to accept connections" in Path(log).read_text())
            yield f"postgresql+psycopg://course@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
            process.wait()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
