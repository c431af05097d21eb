"""Drives a real JupyterLab in a real Chromium.

`JupyterLab` is a private server, `Notebook` one open notebook in it. Nothing waits for the clock,
always for a state of the page or of the kernel.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from contextlib import AbstractContextManager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page

REPOSITORY = Path(__file__).resolve().parents[2]

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    # No test may depend on the network, nor wait for it.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]

_MINUTE = 60_000

_IDLE = """() => {
  const panel = window.jupyterapp?.shell.currentWidget;
  const kernel = panel?.context?.sessionContext?.session?.kernel;
  return !!kernel && kernel.connectionStatus === "connected" && kernel.status === "idle";
}"""

_RUN_ALL = """async () => {
  await window.jupyterapp.commands.execute("notebook:run-all-cells");
  const cells = window.jupyterapp.shell.currentWidget.content.model.cells;
  const errors = [];
  for (const cell of cells) {
    if (cell.type !== "code") continue;
    for (let k = 0; k < cell.outputs.length; k++) {
      const output = cell.outputs.get(k).toJSON();
      if (output.output_type === "error") errors.push(`${output.ename}: ${output.evalue}`);
    }
  }
  return errors;
}"""

_TRACK = """(stage, [panel, height]) => {
  const svg = stage.firstElementChild, place = svg.getBoundingClientRect();
  const scale = place.width / svg.viewBox.baseVal.width;
  const [left, width] = svg.dataset.tracks.split(";")[panel].split(",").map(Number);
  return [place.left + scale * left, scale * width, place.top + height * place.height];
}"""

_PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def find_chromium() -> str | None:
    """The path of the system's Chromium, or None."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


class JupyterLab(AbstractContextManager):
    """A JupyterLab server over `root`, with settings of its own: nobody's state leaks in or out."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._token = secrets.token_hex(16)
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> "JupyterLab":
        self._state = tempfile.TemporaryDirectory(prefix="course-lab-", ignore_cleanup_errors=True)
        state = Path(self._state.name)
        settings = state / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text(
            json.dumps({"fetchNews": "false", "checkForUpdates": False})
        )
        self._log = (state / "server.log").open("w+")
        self._server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyter", "lab", "--no-browser"),
                *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self._port}"),
                *("--ServerApp.port_retries=0", "--ServerApp.allow_root=True"),
                *(f"--ServerApp.root_dir={self.root}", f"--IdentityProvider.token={self._token}"),
                *("--LabApp.expose_app_in_browser=True", "--LabApp.news_url="),
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                # A framework takes seconds to clear up at the end of its kernel.
                "--KernelManager.shutdown_wait_time=0",
            ],
            env=_environment(state),
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._wait_until_up()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.terminate()
        try:
            self._server.wait(20)
        except subprocess.TimeoutExpired:
            self._server.kill()
        self._log.close()
        self._state.cleanup()

    def page_of(self, notebook: str) -> str:
        """The address of a notebook alone on the page, in a workspace never used before."""
        workspace = f"test-{uuid.uuid4().hex[:8]}"
        return f"{self.url}/doc/workspaces/{workspace}/tree/{notebook}?token={self._token}"

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + 90
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/api/status?token={self._token}", timeout=2)
                return
            except (urllib.error.URLError, OSError):
                if self._server.poll() is not None or time.monotonic() > deadline:
                    self._log.seek(0)
                    raise RuntimeError(f"JupyterLab did not start:\n{self._log.read()}") from None
                time.sleep(0.2)


class Notebook:
    """A notebook open in JupyterLab, with its kernel connected and idle."""

    def __init__(self, lab: JupyterLab, context: BrowserContext, name: str) -> None:
        self.console_errors: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(_MINUTE / 3)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.console_errors.append(error.stack))
        self.page.goto(lab.page_of(name), wait_until="domcontentloaded")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")
        self.wait_until_idle()

    def close(self) -> None:
        """Shut the kernel down and close the page without asking whether to save."""
        if self.page.is_closed():
            return
        self.shut_kernel_down()
        self.page.close(run_before_unload=False)

    def shut_kernel_down(self) -> None:
        self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()"
        )

    def run_all(self) -> list[str]:
        """Run every cell; the errors among the outputs."""
        errors = self.page.evaluate(_RUN_ALL)
        self.wait_until_idle()
        self.wait_until_painted()
        return errors

    def wait_until_idle(self) -> None:
        self.page.wait_for_function(_IDLE, timeout=3 * _MINUTE)

    def wait_until_painted(self) -> None:
        self.page.evaluate(_PAINTED)

    def stages(self) -> Locator:
        """Every stage on the page."""
        return self.page.locator(".cg-stage")

    def every_stage(self) -> list["Stage"]:
        """Every stage on the page, from top to bottom."""
        return [Stage(self, self.stages().nth(k)) for k in range(self.stages().count())]

    def stage(self, label: str) -> "Stage":
        """The stage whose name begins with `label`."""
        return Stage(self, self.page.locator(f'.cg-stage[aria-label^="{label}"]').first)

    def dial(self, name: str) -> Locator:
        """The named slider."""
        return self.page.get_by_role("slider", name=name, exact=True)

    def number_of_cells(self) -> int:
        return self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.content.model.cells.length"
        )

    def set_theme(self, theme: str) -> None:
        """ "Light" or "Dark"."""
        self.page.evaluate(
            "name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})",
            f"JupyterLab {theme}",
        )
        light = "true" if theme == "Light" else "false"
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")
        # JupyterLab's splash screen takes itself away late; two at once trip over each other.
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")
        self.wait_until_painted()

    def accessibility_faults(self, selector: str) -> list[str]:
        """What axe finds wrong inside `selector`, one line a fault."""
        found = Axe().run(self.page, context={"include": [[selector]]})
        return [
            f"{fault['id']}: {node['html'][:200]}"
            for fault in found.response["violations"]
            for node in fault["nodes"]
        ]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console_errors.append(message.text)


class Stage:
    """One stage, as a reader's hands and a screen reader meet it."""

    def __init__(self, notebook: Notebook, locator: Locator) -> None:
        self.notebook = notebook
        self.locator = locator
        locator.wait_for()
        locator.scroll_into_view_if_needed()

    @property
    def value(self) -> float:
        return float(self.locator.get_attribute("aria-valuenow"))

    @property
    def lowest(self) -> float:
        return float(self.locator.get_attribute("aria-valuemin"))

    @property
    def says(self) -> str:
        return self.locator.get_attribute("aria-valuetext")

    @property
    def picture(self) -> str:
        return self.locator.inner_html()

    def press(self, *keys: str) -> None:
        self.locator.focus()
        for key in keys:
            self.notebook.page.keyboard.press(key)

    def drag(self, start: float, end: float, panel: int = 0, height: float = 0.3) -> None:
        """Drag along a panel from `start` to `end`, in shares of its width.

        `height` is where, in shares of the stage from its top.
        """
        left, width, y = self.locator.evaluate(_TRACK, [panel, height])
        mouse = self.notebook.page.mouse
        mouse.move(left + start * width, y)
        mouse.down()
        mouse.move(left + end * width, y, steps=8)
        mouse.up()

    def wait_for_value(self, value: float) -> None:
        """Wait until the stage is at `value` and the kernel has answered."""
        page = self.notebook.page
        self.locator.and_(page.locator(f'[aria-valuenow="{value:g}"]')).wait_for()
        self.notebook.wait_until_idle()
        self.notebook.wait_until_painted()

    def wait_until_the_picture_is_not(self, before: str) -> None:
        self.notebook.page.wait_for_function(
            "([stage, before]) => stage.innerHTML !== before",
            arg=[self.locator.element_handle(), before],
        )

    def wait_until_it_says(self, words: str) -> None:
        self.locator.and_(self.notebook.page.locator(f'[aria-valuetext*="{words}"]')).wait_for()


def _environment(state: Path) -> dict[str, str]:
    return os.environ | {
        "JUPYTER_CONFIG_DIR": str(state / "config"),
        "JUPYTER_DATA_DIR": str(state / "data"),
        "JUPYTER_RUNTIME_DIR": str(state / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(state / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(state / "workspaces"),
        "IPYTHONDIR": str(state / "ipython"),
        "COURSE_PROGRESS": str(state / "progress.json"),
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")]),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
