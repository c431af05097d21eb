"""A real Dask scheduler with real workers, one of which is killed in the middle."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from processes import wait_until
from submissions import hand_in, right_notebook

ROOT = Path(__file__).parents[3]


@pytest.fixture
def dask(tmp_path):
    """The scheduler's address, and two workers of one thread each."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    started = []

    def start(*arguments):
        command = [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
        with open(tmp_path / f"dask{len(started)}.log", "w") as log:
            started.append(
                subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
            )
        return started[-1]

    try:
        where = tmp_path / "scheduler.json"
        options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        start("scheduler", *options, "--scheduler-file", str(where))
        wait_until(lambda: where.exists() and where.read_text().rstrip().endswith("}"), 60)
        address = json.loads(where.read_text())["address"]
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard")
        yield address, [start("worker", address, *options) for _ in range(2)]
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    "count", [60, pytest.param(500, marks=pytest.mark.slow)], ids="{} submissions".format
)
def test_a_worker_is_killed_and_nothing_is_lost(count, course, dask, house):
    address, workers = dask
    for number in range(count):
        hand_in(course, f"student{number:03}", right_notebook())
    command = [sys.executable, "-m", "course_lib.cli", "grade", "submitted"]
    command += ["--cluster", address, "--output", "grades.json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    journal = course / ".course_grade.journal"
    with open(course / "said", "w") as said:
        running = subprocess.Popen(
            command, cwd=course, env=environment, stdout=said, stderr=subprocess.STDOUT
        )
        while not journal.exists() or journal.read_bytes().count(b"\n") < count // 4:
            assert running.poll() is None, (course / "said").read_text()
            time.sleep(0.01)
        workers[0].send_signal(signal.SIGKILL)
        assert running.wait(300) == 0, (course / "said").read_text()
    grades = json.loads((course / "grades.json").read_text())
    assert Counter(entry["student"] for entry in grades) == Counter(
        f"student{number:03}" for number in range(count)
    )
    assert {(entry["points"], entry["isolated"]) for entry in grades} == {(5, True)}
    students = [json.loads(line)["graded"]["student"] for line in journal.read_text().splitlines()]
    assert len(students) == len(set(students)) == count
