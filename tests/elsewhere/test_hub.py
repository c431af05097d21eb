"""A class on a real JupyterHub, as docs/elsewhere.md has it: real accounts, a real browser."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from driver import Notebook
from machine import PATH, ROOT, Machine
from newcomer import commit_and_move_the_slider

NEEDED = ("bwrap", "useradd", "chpasswd", "jupyterhub", "configurable-http-proxy")
missing = [name for name in NEEDED if shutil.which(name, path=PATH) is None]

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a machine its accounts"),
    pytest.mark.skipif(bool(missing), reason=f"no hub without {', '.join(missing)}"),
]

PEOPLE = ("instructor", "alice")
FIRST = "custom-gradients/notebooks/00_start_here.ipynb"
EXERCISE = "01_tape"

_RUN = """async command => {
  const session = await window.jupyterapp.serviceManager.terminals.startNew();
  let said = "";
  const ended = new Promise(done => session.messageReceived.connect((_, message) => {
    if (message.type !== "stdout") return;
    said += message.content[0];
    const end = said.match(/<rc (\\d+)>/);
    if (end) done([Number(end[1]), said]);
  }));
  session.send({type: "stdin", content: [`clear; ${command}; echo "<r""c $?>"\\r`]});
  const result = await ended;
  await session.shutdown();
  return result;
}"""


class Hub:
    """A hub on loopback, on a machine of its own with an account for each of `PEOPLE`."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.passwords = {name: secrets.token_hex(8) for name in PEOPLE}
        accounts = "".join(f"{name}:{word}\n" for name, word in self.passwords.items())
        machine.on_disk("/srv/hub/class.txt").write_text(accounts)
        # So that the driver reaches JupyterLab from within the page.
        page = machine.on_disk("/etc/jupyter/labconfig/page_config.json")
        page.parent.mkdir()
        page.write_text(json.dumps({"exposeAppInBrowser": True}))

    def __enter__(self) -> "Hub":
        ports = _free_ports(3)
        self.url = f"http://127.0.0.1:{ports[0]}"
        self._log = self.machine.on_disk("/srv/hub.log").open("w+")
        places = [
            f"--JupyterHub.bind_url={self.url}",
            f"--JupyterHub.hub_port={ports[1]}",
            f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{ports[2]}",
        ]
        self._process = self.machine.start(
            [*self.machine.command, *places], stdout=self._log, stderr=subprocess.STDOUT
        )
        for _ in range(450):
            try:
                urllib.request.urlopen(f"{self.url}/hub/login", timeout=5)
                return self
            except (urllib.error.URLError, OSError):
                if self._process.poll() is not None:
                    break
                time.sleep(0.2)
        raise AssertionError(f"The hub did not start:\n{self.log}")

    def __exit__(self, *_exception: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._log.close()

    @property
    def log(self) -> str:
        return self.machine.on_disk("/srv/hub.log").read_text()

    def home(self, name: str) -> Path:
        return self.machine.on_disk(f"/home/{name}")


class Seat:
    """Somebody at a browser, logged in, with a server of their own."""

    def __init__(self, hub: Hub, chromium, name: str) -> None:
        self.hub, self.name, self.home = hub, name, hub.home(name)
        self.context = chromium.new_context(viewport={"width": 1100, "height": 1000})
        self.page = self.context.new_page()
        self.page.goto(f"{hub.url}/hub/login")
        self.page.fill("#username_input", name)
        self.page.fill("#password_input", hub.passwords[name])
        self.page.click("#login_submit")
        self.page.wait_for_url("**/lab/tree/**", timeout=90_000, wait_until="commit")

    def page_of(self, notebook: str) -> str:
        return f"{self.hub.url}/user/{self.name}/doc/tree/{notebook}"

    def run(self, command: str) -> str:
        """What `command` says in a terminal of JupyterLab; it has to end well."""
        self.page.wait_for_function("() => window.jupyterapp", timeout=90_000)
        status, said = self.page.evaluate(_RUN, command)
        assert status == 0, f"{self.name}: {command}\n{said}"
        return said


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    place = tmp_path_factory.mktemp("machine")
    place.parent.chmod(0o755)
    with Hub(Machine(place)) as running:
        instructor = running.home("instructor")
        shutil.copytree(
            ROOT / "solutions" / EXERCISE, instructor / "gradients/solutions" / EXERCISE
        )
        owner = instructor.stat()
        for path in (instructor / "gradients").rglob("*"):
            os.chown(path, owner.st_uid, owner.st_gid)
        os.chown(instructor / "gradients", owner.st_uid, owner.st_gid)
        yield running
    shutil.rmtree(place)  # with the copy of /etc


@pytest.fixture(scope="module")
def alice(hub, chromium):
    return Seat(hub, chromium, "alice")


@pytest.fixture(scope="module")
def instructor(hub, chromium):
    return Seat(hub, chromium, "instructor")


def test_a_student_begins_with_the_first_notebook(alice):
    assert alice.page.url.endswith(FIRST)
    notebook = Notebook(alice, alice.context, FIRST)
    assert notebook.run_all() == []
    commit_and_move_the_slider(notebook.page)
    assert (alice.home / ".course_progress.json").exists()
    notebook.close()


def test_a_class_from_release_to_feedback(alice, instructor):
    """The instructor's commands as the guides give them."""
    instructor.run("cd gradients && course generate && nbgrader release_assignment 01_tape")
    alice.page.get_by_role("menuitem", name="Nbgrader").click()
    alice.page.get_by_role("menuitem", name="Assignment List").click()
    alice.page.get_by_role("button", name="Fetch").click()
    alice.page.get_by_role("button", name="Submit").wait_for()
    sheet = alice.home / "custom-gradients/exercises/01_tape/tape.ipynb"
    sheet.write_bytes((ROOT / "solutions/01_tape/tape.ipynb").read_bytes())
    alice.run("nbgrader submit 01_tape")
    instructor.run("cd gradients && nbgrader collect 01_tape")
    instructor.run(
        "cd gradients && course grade submitted --output grades.json --feedback feedback"
        " --gradebook sqlite:///gradebook.db"
    )
    (grade,) = json.loads((instructor.home / "gradients/grades.json").read_text())
    assert grade["student"] == "alice" and grade["isolated"]
    assert grade["points"] == grade["max_points"] > 0
    instructor.run("cd gradients && nbgrader release_feedback 01_tape")
    alice.run("nbgrader fetch_feedback 01_tape")
    (page,) = sheet.parent.glob("feedback/*/tape.html")
    assert "right" in page.read_text()


@pytest.mark.parametrize(
    "path", ["/home/instructor/gradients/solutions", "/srv/hub/class.txt", "/srv/course/solutions"]
)
def test_nobody_reads_what_is_not_theirs(alice, path):
    alice.run(f"! ls {path}")
