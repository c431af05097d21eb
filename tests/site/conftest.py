"""The site, built once, on loopback, and somebody who reads it in the system's Chromium."""

import functools
import http.server
import subprocess
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))

from driver import REPOSITORY


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """The folder with the site, and whatever Sphinx had to say."""
    folder = tmp_path_factory.mktemp("site") / "html"
    command = [sys.executable, "-m", "sphinx", "--quiet", "--conf-dir", "docs", ".", str(folder)]
    built = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder, built.stderr


@pytest.fixture(scope="module")
def site(build):
    """The folder with the site."""
    return build[0]


@pytest.fixture(scope="module")
def address(site):
    """The site on loopback."""
    handler = functools.partial(_Quiet, directory=site)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_message: object) -> None:
        pass


class Reader:
    """Somebody with the site open in a window, who notices whatever goes wrong."""

    def __init__(self, chromium, address, **options):
        self.faults = []
        self._address = address
        self.page = chromium.new_context(**options).new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._see)
        self.page.on("requestfailed", self._miss)
        self.page.on("response", self._weigh)

    def open(self, name):
        self.page.goto(f"{self._address}/{name}", wait_until="load")
        return self.page

    def _hear(self, message):
        if message.type == "error":
            self.faults.append(message.text)

    def _see(self, request):
        if not request.url.startswith((self._address, "data:", "blob:")):
            self.faults.append(f"external: {request.url}")

    def _miss(self, request):
        if request.failure != "net::ERR_ABORTED":  # the window went on to the next page
            self.faults.append(f"{request.failure}: {request.url}")

    def _weigh(self, response):
        if response.status >= 400:
            self.faults.append(f"{response.status}: {response.url}")


@pytest.fixture
def reader(chromium, address):
    """Opens a window."""
    windows = []

    def open_window(**options):
        windows.append(Reader(chromium, address, **options))
        return windows[-1]

    yield open_window
    for window in windows:
        window.page.context.close()
