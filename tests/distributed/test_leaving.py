"""A driver with Ray workers that is asked to leave, as a process of its own."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from search_fakes import new_run, search

from evogen.runs import Run

FAKES = Path(__file__).parents[1] / "search_fakes.py"


@contextmanager
def driver(folder, *, lines):
    """A search of many cohorts on two workers, once it has printed so many lines."""
    command = [sys.executable, str(FAKES), str(folder), "1000", "2"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            for _ in range(lines):
                assert process.stdout.readline() == "\n", process.stderr.read()
            yield process
        finally:
            process.kill()


def descendants(pid):
    """Process ids by /proc, the process itself included."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, new = {pid}, {pid}
    while new:
        new = {child for child, parent in parents.items() if parent in new} - found
        found |= new
    return found


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("signals", "ending"),
    [
        ([signal.SIGTERM], "terminated"),
        ([signal.SIGINT], "stopped"),
    ],
)
def test_driver_leaves_in_order_and_leaves_no_process(tmp_path, signals, ending):
    with driver(tmp_path / "run", lines=8) as process:
        family = descendants(process.pid)
        assert len(family) > 3
        for number in signals:
            # Ctrl-C on a terminal goes to the whole group, workers included; they must not mind.
            os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
            time.sleep(0.05)
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        assert output.split()[-1] == ending
    end = time.monotonic() + 20
    while any(map(alive, family)) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(map(alive, family))
    with Run.open(tmp_path / "run", write=True) as run:
        assert [event.kind for event in run.events()] == ["created", "started", ending]
        told = run.told
        assert told >= 3
        rows = list(run.rows())
    with new_run(tmp_path / "whole") as run:
        search(run, told)
        assert list(run.rows()) == rows
