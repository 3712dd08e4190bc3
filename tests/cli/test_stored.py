from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import evogen

from .calls import call


def test_resume_with_more_cohorts_says_what_it_does(folder: Path, run: str) -> None:
    longer = call("run", "small.yaml", "--set", "search.cohorts=5", "-o", "longer")
    assert longer.exit_code == 0, longer.output
    result = call("resume", run, "--set", "search.cohorts=5")
    assert result.exit_code == 0, result.output
    assert [line.split()[1] for line in result.stdout.splitlines()[:2]] == ["4/5", "5/5"]
    assert call("fingerprint", run).stdout == call("fingerprint", "longer").stdout
    assert "5/5 committed" in call("status", run).stdout
    refused = call("resume", run, "--set", "learner=ppo")
    assert refused.exit_code == 2
    assert "what can: search.cohorts, " in refused.stderr


def test_replay_says_equal_or_what_differs_and_exits_accordingly(folder: Path, run: str) -> None:
    same = call("replay", f"{run}@1:2")
    assert (same.exit_code, same.stdout) == (0, "1:2 equals what is stored, to the last bit (ended ok)\n")
    with closing(sqlite3.connect(folder / run / "run.db")) as database, database:
        database.execute("UPDATE candidate SET steps = 5 WHERE cohort = 1 AND row = 2")
    environment = folder / run / "environment.json"
    environment.write_text(
        environment.read_text().replace('"instructions": "', '"instructions": "older than ')
    )
    other = call("replay", f"{run}@1:2")
    assert other.exit_code == 1
    assert other.stdout == "1:2 differs\n  steps: 5 stored, 0 now\n"
    assert "note: here is other than where the run began: instructions " in other.stderr
    assert call("replay", run, "--sample", "2").stdout.count("equals what is stored") >= 1
    assert call("replay", run).exit_code == 2
    assert "names no candidate" in call("replay", run).stderr


def test_export_writes_beside_the_run_or_where_it_is_told(folder: Path, run: str) -> None:
    assert call("export", run, "--to", "csv").stdout == f"export: {run}/candidates.csv\n"
    assert len((folder / run / "candidates.csv").read_text().splitlines()) == 13
    result = call("export", run, "--to", "optuna", "-o", "study.log")
    assert result.stdout == "export: study.log\nopen it with: optuna-dashboard study.log\n"
    assert len((folder / "study.log").read_text().splitlines()) >= 13
    assert call("export", run, "--to", "xls").exit_code == 2


def test_a_mirror_is_made_fetched_and_gone_on_with(folder: Path, run: str) -> None:
    result = call("run", "small.yaml", "-o", "out", "--mirror", "there", "--mirror-every", "1")
    assert result.exit_code == 0, result.output
    assert "mirror    there has 3 cohorts" in call("status", "out").stdout
    assert call("fetch", "there", "back").stdout == "back: 3 cohorts; go on with 'evogen resume back'\n"
    prints = [call("fingerprint", name).stdout for name in ("out", "there", "back", run)]
    assert len(set(prints)) == 1
    assert call("resume", "there", "--set", "search.cohorts=4").exit_code == 0
    refused = call("resume", "out", "--set", "search.cohorts=4", "--mirror", "there")
    assert refused.exit_code == 2
    assert "somebody went on with it there" in refused.stderr
    unknown = call("run", "small.yaml", "-o", "other", "--mirror", "nothing://x")
    assert unknown.exit_code == 2
    assert not (folder / "other").exists()


def test_several_objectives_and_bounds_are_shown(folder: Path) -> None:
    goals = "search.objectives={fitness: maximise, synapses: minimise}"
    result = call("run", "small.yaml", "-o", "two", "--set", goals, "--set", "strategy=nsga2")
    assert result.exit_code == 0, result.output
    assert "that none dominates" in result.stdout
    assert "synapses" in result.stdout
    assert "          by fitness " in call("status", "two").stdout
    shown = call("show", "two@best").stdout
    assert "objectives  fitness " in shown
    bounded = call(
        "run", "small.yaml", "-o", "bounded", "--set", "search.constraints={synapses: {at_most: 1}}"
    )
    assert bounded.exit_code == 0, bounded.output
    assert "violation" in bounded.stdout
    value = json.loads(call("show", "bounded@best", "--json").stdout)
    with evogen.open(folder / "bounded") as found:
        assert value["violation"] == min(
            told.violation for cohort in range(3) for told in found.results(cohort, found.goals)
        )
        assert value["violation"] > 0


def test_a_network_file_system_is_said_and_logged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evogen.experiment.launch.network", lambda _: "nfs4")
    result = call("run", "small.yaml")
    assert result.exit_code == 0
    assert "note: runs/small lies on a network file system (nfs4)" in result.stderr
    with evogen.open("runs/small") as found:
        assert {"what": "nfs4"} in [event.payload for event in found.events()]
