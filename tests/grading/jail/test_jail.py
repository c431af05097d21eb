"""What the jail's walls hold back, seen from the inside, and what they cost nobody."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from processes import jailed_processes, wait_until
from submissions import CLIPPED_RIGHT, EMPTY_TMP, QUICK, RECTIFIED_RIGHT, RUBRIC, notebook

from course_lib.grading.jail import bars
from course_lib.grading.jail.rooms import House, OpenRooms
from course_lib.grading.jail.wire import MAX_CONVERSATION, Gone, Late, Nonsense, Wire
from course_lib.grading.worker import grade_notebook

ROOT = Path(__file__).parents[3]
FIND = "__import__('os')"


class TestSeenFromInside:
    def test_it_is_alone(self, told):
        assert told(f"[p for p in {FIND}.listdir('/proc') if p.isdigit()]") == "['1']"

    def test_it_is_nobody(self, told):
        assert told(f"({FIND}.getresuid(), {FIND}.getresgid())") == str(((65534,) * 3,) * 2)

    def test_it_has_no_capability_and_can_get_none(self, told):
        status = told("[line.split()[1] for line in open('/proc/self/status') if 'Cap' in line]")
        assert set(re.findall(r"[0-9a-f]{16}", status)) == {"0" * 16}
        assert (
            told("[l.split()[1] for l in open('/proc/self/status') if 'NoNewPrivs' in l]")
            == "['1']"
        )

    def test_it_can_make_no_namespace_of_its_own(self, told):
        failed = "[__import__('ctypes').CDLL(None).unshare(1 << bit) for bit in (17, 28, 29, 30)]"
        assert told(failed) == "[-1, -1, -1, -1]"

    def test_there_is_no_memory_that_its_limits_do_not_count(self, told):
        calls = ["memfd_create(b'x', 0)", "shmget(1, 99, 0o1600)", "semget(1, 9, 0o1600)"]
        calls += ["msgget(1, 0o1600)", "mq_open(b'/x', 66, 0o600, 0)"]
        failed = f"[libc.{', libc.'.join(calls)}]"
        assert told(failed, "import ctypes\nlibc = ctypes.CDLL(None)") == str([-1] * len(calls))

    def test_there_is_no_network_device_that_is_up(self, told):
        assert told("__import__('socket').if_nameindex()") == "[(1, 'lo')]"
        flags = told("open('/sys/class/net/lo/flags').read()") if _sees_sys(told) else "0x8"
        assert int(flags, 16) & 1 == 0

    def test_the_environment_is_the_jails_own(self, told):
        known = {*bars.environment(bars.HOME, bars.COURSE), "PWD"}
        assert told(f"set(__import__('os').environ) - {known!r}") == "set()"

    def test_only_its_own_folders_can_be_written_to(self, told):
        mounts = (
            "places = [line.split()[4:6] for line in open('/proc/self/mountinfo')]\n"
            "places = {place for place, options in places if options.startswith('rw')}\n"
            "places = sorted(p for p in places if p == '/dev/shm' or not p.startswith('/dev/'))"
        )
        places = ["/dev/shm", bars.HOME, "/proc", *(["/tmp"] if EMPTY_TMP else [])]
        assert eval(told("places", mounts)) == places

    def test_nothing_under_proc_and_usr_can_be_written_to(self, told):
        tried = (
            "import glob, os\nopened = []\n"
            "for file in glob.glob('/proc/sys/**', recursive=True) + glob.glob('/usr/lib/*'):\n"
            "    if os.path.isfile(file) and 'ns_last_pid' not in file:\n"
            "        try:\n            open(file, 'a').close(); opened.append(file)\n"
            "        except OSError: pass"
        )
        assert told("opened", tried) == "[]"

    def test_neither_course_nor_home_is_there(self, told):
        for path in (ROOT / "solutions", ROOT / "tests", ROOT / ".git", Path.home() / ".ssh"):
            assert told(f"{FIND}.path.exists({str(path)!r})") == "False"

    def test_course_lib_is_there_and_works(self, told):
        assert told("__import__('course_lib').__file__") == "/course/course_lib/__init__.py"

    def test_one_descriptor_leads_out(self, told):
        look = (
            "import os\nlinks = []\nfor number in range(1024):\n"
            "    try: links.append(os.readlink(f'/proc/self/fd/{number}').partition(':')[0])\n"
            "    except OSError: pass"
        )
        assert told("links", look) == str(["/dev/null"] * 3 + ["socket"])


def _sees_sys(told):
    return told(f"{FIND}.path.exists('/sys/class/net')") == "True"


class TestZygote:
    def test_it_never_holds_a_submission(self, house, grade):
        """Its memory, read from outside, shows no trace of what its children ran."""
        token = "q7Zw" * 8
        zygotes = [process.pid for process in jailed_processes() if not process.in_a_try]
        assert grade(CLIPPED_RIGHT + f"\n# {token}\nkept = '{token}' * 1000")["clipped"].points == 3
        assert zygotes
        for pid in zygotes:
            assert token.encode() not in _memory(pid)

    def test_others_of_its_uid_may_not_read_it(self, house):
        zygotes = [process.pid for process in jailed_processes() if not process.in_a_try]
        assert zygotes
        for pid in zygotes:
            owners = {os.stat(f"/proc/{pid}/{name}").st_uid for name in ("mem", "environ", "fd")}
            assert owners == {0}, "a process that is not dumpable shows its files to root only"

    def test_a_killed_zygote_is_replaced(self):
        with House() as house:
            assert house.isolated
            rooms = house.rooms_for(())
            rooms._jail.kill()
            outcome = grade_notebook(notebook(CLIPPED_RIGHT, RECTIFIED_RIGHT), RUBRIC, house, QUICK)
            assert {verdict.status for verdict in outcome.verdicts} == {"right"}

    def test_killing_it_costs_the_submission_nothing(self):
        """The system may do so when memory is short; nobody in the jail can."""
        slow = notebook(CLIPPED_RIGHT, "import time; time.sleep(0.5)", RECTIFIED_RIGHT)
        with House() as house:
            assert house.isolated
            threading.Timer(0.2, house.rooms_for(())._jail.kill).start()
            outcome = grade_notebook(slow, RUBRIC, house, QUICK)
        assert {verdict.status for verdict in outcome.verdicts} == {"right"}
        assert outcome.notes == ()

    def test_it_ends_with_the_command(self):
        program = (
            "import sys\nfrom course_lib.grading.jail.rooms import House\n"
            "house = House()\nassert house.isolated\nprint('ready', flush=True)\nsys.stdin.read()"
        )
        command = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert command.stdout.readline() == "ready\n"
        zygotes = [process.pid for process in jailed_processes(under=command.pid)]
        assert zygotes
        command.kill()
        command.communicate()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in zygotes))


def _memory(pid):
    """All that can be read of a process: everything for root, nothing for others."""
    held = bytearray()
    try:
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
            for line in maps:
                if " rw" in line and "[v" not in line:
                    start, end = (int(number, 16) for number in line.split()[0].split("-"))
                    memory.seek(start)
                    held += memory.read(end - start)
    except PermissionError:
        return b""
    return bytes(held)


class TestBars:
    def test_what_is_hidden_is_covered_where_it_would_be_seen(self, tmp_path):
        inside = Path(sys.prefix) / "lib"
        command = bars.around(["-c", ""], hidden=[inside, tmp_path]).command
        covered = command[command.index(str(inside)) - 1]
        assert covered == "--tmpfs"
        assert str(tmp_path) not in command

    def test_a_course_among_the_systems_own_files_is_covered(self):
        command = bars.around(["-c", ""], hidden=[Path("/usr/share")]).command
        assert command[command.index("/usr/share") - 1] == "--tmpfs"

    def test_without_bubblewrap_it_says_how_to_get_it(self, monkeypatch):
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(bars.CannotIsolate, match="apt install bubblewrap"):
            bars.around(["-c", ""])

    def test_a_jail_that_does_not_start_says_why(self, monkeypatch, tmp_path):
        broken = tmp_path / "bwrap"
        broken.write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
        broken.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        with House() as house:
            assert not house.isolated
            assert "No permissions to create new namespace" in house.why_not


class TestInTheOpen:
    """Where there is no jail, grading goes on, says so, and keeps to the limits."""

    @pytest.fixture
    def open_house(self, monkeypatch):
        monkeypatch.setenv("PATH", "/nowhere")
        with House() as house:
            yield house

    def test_it_says_so_and_grades(self, open_house):
        outcome = grade_notebook(
            notebook(CLIPPED_RIGHT, RECTIFIED_RIGHT), RUBRIC, open_house, QUICK
        )
        assert not outcome.isolated
        assert {verdict.status for verdict in outcome.verdicts} == {"right"}

    @pytest.mark.parametrize("cell", ["import os\nos._exit(0)", "x = bytearray(4 << 30)"])
    def test_a_killer_costs_itself_only(self, cell, open_house):
        outcome = grade_notebook(
            notebook(CLIPPED_RIGHT, cell, RECTIFIED_RIGHT), RUBRIC, open_house, QUICK
        )
        assert {verdict.status for verdict in outcome.verdicts} == {"right"}

    def test_an_open_room_leaves_no_folder(self, open_house, tmp_path, monkeypatch):
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        monkeypatch.setattr("tempfile.tempdir", None)
        with OpenRooms().a_try(QUICK):
            assert len(list(tmp_path.iterdir())) == 1
        assert list(tmp_path.iterdir()) == []


class TestWire:
    @pytest.fixture
    def ends(self):
        import socket

        ours, theirs = socket.socketpair()
        with ours, theirs:
            yield Wire(ours), theirs

    def test_messages_arrive_whole_and_in_order(self, ends):
        wire, theirs = ends
        theirs.sendall(b'{"a": 1}\n{"b":')
        assert wire.receive(1) == {"a": 1}
        theirs.sendall(b" 2}\n")
        assert wire.receive(1) == {"b": 2}

    def test_what_has_arrived_is_read_after_the_deadline_too(self, ends):
        wire, theirs = ends
        theirs.sendall(b'{"a": 1}\n')
        assert wire.receive(-1) == {"a": 1}
        with pytest.raises(Late):
            wire.receive(-1)

    def test_late_gone_and_nonsense_are_told_apart(self, ends):
        wire, theirs = ends
        with pytest.raises(Late):
            wire.receive(0.01)
        for junk in (b"7", b"[]", b"{", b"\xff", b"[" * 100_000, b"9" * 100_000):
            theirs.sendall(junk + b"\n")
            with pytest.raises(Nonsense):
                wire.receive(1)
        theirs.close()
        with pytest.raises(Gone):
            wire.receive(1)

    def test_there_is_an_end_to_what_it_takes(self, ends):
        wire, theirs = ends

        def flood():
            try:
                for _ in range(MAX_CONVERSATION // (1 << 20) + 1):
                    theirs.sendall(b"x" * (1 << 20))
            except OSError:
                pass

        sender = threading.Thread(target=flood, daemon=True)
        sender.start()
        with pytest.raises(Nonsense, match="far more"):
            wire.receive(60)

    def test_one_who_does_not_listen_is_late(self, ends):
        wire, _ = ends
        with pytest.raises(Late, match="stopped listening"):
            wire.send({"x": "x" * (1 << 22)}, 0.05)
