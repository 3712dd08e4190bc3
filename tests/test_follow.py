from __future__ import annotations

import os
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from threading import Thread

import experiment_files
import pytest
from cli.calls import call
from lives import make_cohort
from rich.console import Console
from search_fakes import done

import evogen
from evogen.follow import follow
from evogen.runs import Run, store

FAKES = Path(__file__).parent / "search_fakes.py"


def write(folder: Path, cohorts: int) -> None:
    """Commit so many cohorts, one every now and then."""
    with Run.open(folder, write=True) as run:
        for index in range(cohorts):
            time.sleep(0.1)
            cohort = make_cohort(index)
            run.commit(cohort, done(cohort))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of five cohorts that nobody has begun."""
    experiment = evogen.load(experiment_files.write(tmp_path), ["search.cohorts=5"])
    files = {"grammar.bnf": experiment.grammar.encode()}
    Run.create(tmp_path / "run", experiment=experiment.yaml, files=files, environment={}).close()
    return tmp_path / "run"


@pytest.mark.parametrize("cohorts", [5, 3])
def test_a_search_is_followed_to_its_end_or_to_that_of_its_writer(folder: Path, cohorts: int) -> None:
    writer, shown = Thread(target=write, args=(folder, cohorts)), StringIO()
    writer.start()
    while store.writer(folder) is None:
        time.sleep(0.01)
    with evogen.open(folder) as run:
        assert follow(Console(file=shown, width=80), run, seconds=0.02) == (cohorts == 5)
        assert run.told == cohorts
    writer.join()
    told = [line.split()[1] for line in shown.getvalue().splitlines()]
    assert told[-2:] == [f"{cohorts - 1}/5", f"{cohorts}/5"]
    assert told == sorted(set(told))


def test_a_terminal_shows_the_panel(folder: Path) -> None:
    write(folder, 5)
    shown = StringIO()
    with evogen.open(folder) as run:
        assert follow(Console(file=shown, width=80, force_terminal=True), run)
    assert "workers busy" in shown.getvalue()
    assert "5/5" in shown.getvalue()


def test_status_names_the_process_at_work_and_reads_while_it_writes(tmp_path: Path) -> None:
    command = [sys.executable, str(FAKES), str(tmp_path / "run"), "100000", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            name = f"process {process.pid} on {os.uname().nodename}"
            assert store.writer(tmp_path / "run") == name
            with evogen.open(tmp_path / "run") as run:
                before = run.told
                while run.told < before + 5:
                    said = call("status", str(tmp_path / "run")).stdout
                assert f"writer    {name}\n" in said
                assert "unfinished" not in said
                told = run.told
                prints = [len(list(run.rows(end=told))), run.fingerprint()]
            assert prints[0] == 3 * told
        finally:
            process.kill()
    assert store.writer(tmp_path / "run") is None
    said = call("status", str(tmp_path / "run")).stdout
    assert "no process is at work on it: go on with 'evogen resume" in said


def test_looking_who_writes_keeps_no_writer_out(folder: Path) -> None:
    stop: list[int] = []

    def look() -> None:
        while not stop:
            store.writer(folder)

    looker = Thread(target=look)
    looker.start()
    try:
        for _ in range(50):
            Run.open(folder, write=True).close()
    finally:
        stop.append(1)
        looker.join()


def test_what_status_exits_with(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = call("status", str(folder), "--follow")
    assert stopped.exit_code == 2
    assert "nobody is at work on" in stopped.stderr
    absent = call("status", str(tmp_path / "soon"), "--follow")
    assert absent.exit_code == 2
    assert "there is no folder" in absent.stderr
    write(folder, 5)
    assert call("status", str(folder), "-f").exit_code == 0

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("evogen.follow.tally_of", interrupt)
    assert call("status", str(folder), "-f").exit_code == 130
