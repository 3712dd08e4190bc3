from __future__ import annotations

import json
from pathlib import Path

import experiment_files
import pytest

import evogen
from evogen.errors import SpecError
from evogen.experiment import experiment_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return experiment_files.write(tmp_path)


@pytest.mark.parametrize("lookahead", [1, 3])
def test_a_longer_run_is_a_run_that_was_made_longer(lookahead: int, file: Path, tmp_path: Path) -> None:
    settings = [f"search.lookahead={lookahead}", "search.snapshot_every=2"]
    with evogen.run(evogen.load(file, [*settings, "search.cohorts=6"]), out=tmp_path / "whole") as whole:
        expected = whole.fingerprint()
    evogen.run(evogen.load(file, settings), out=tmp_path / "run").close()
    text = (tmp_path / "run/experiment.yaml").read_text()
    with evogen.resume(tmp_path / "run", overrides=["search.cohorts=6"]) as run:
        assert run.told == 6
        assert run.fingerprint() == expected
        assert experiment_of(run).search.cohorts == 6
        logged = [event.payload for event in run.events() if event.kind == "changed"]
    assert (tmp_path / "run/experiment.yaml").read_text() == text
    assert [(each["key"], each["from"], each["to"]) for each in logged] == [("search.cohorts", 3, 6)]
    assert logged[0]["versions"]["evogen"]


def test_a_change_holds_for_every_later_session(file: Path, tmp_path: Path) -> None:
    evogen.run(evogen.load(file), out=tmp_path / "run").close()
    wanted = ["search.cohorts=4", "search.snapshot_every=1", "compute.timeout=60"]
    evogen.resume(tmp_path / "run", overrides=wanted).close()
    with evogen.resume(tmp_path / "run", overrides=["search.cohorts=5", "search.snapshot_every=1"]) as run:
        found = experiment_of(run)
        keys = [event.payload["key"] for event in run.events() if event.kind == "changed"]
    assert (found.search.cohorts, found.search.snapshot_every, found.compute.timeout) == (5, 1, 60.0)
    assert keys == ["search.cohorts", "search.snapshot_every", "compute.timeout", "search.cohorts"]


def test_a_limit_may_be_lifted_and_another_set(file: Path, tmp_path: Path) -> None:
    evogen.run(evogen.load(file), out=tmp_path / "run").close()
    with evogen.resume(tmp_path / "run", overrides=["search.cohorts=null", "search.candidates=20"]) as run:
        assert run.told == 5
        assert json.loads(json.dumps([event.payload for event in run.events() if event.kind == "changed"]))


@pytest.mark.parametrize(
    ("override", "text"),
    [
        (
            "learner=ppo",
            "'learner' cannot change in a run that began, it would mix two searches",
        ),
        ("seed=2", "what can: .*search.cohorts.*; for anything else start a new run"),
        ("search.cohort_size=8", "'search.cohort_size' cannot change"),
        ("search={cohorts: 9}", "'search' cannot change"),
        ("search.cohorts=many", "search.cohorts: wanted a valid integer"),
        ("search.cohorts=2", r"--set search.cohorts=2: .*run has spent 3 already, wanted as much or more"),
        ("search.candidates=11", "has spent 12 already"),
        ("search.cohorts=null", "search.cohorts=null: the search would have no end; set one of"),
    ],
)
def test_what_may_not_change_is_refused_and_nothing_is_written(
    override: str, text: str, file: Path, tmp_path: Path
) -> None:
    with evogen.run(evogen.load(file), out=tmp_path / "run") as run:
        events = run.events()
    with pytest.raises(SpecError, match=text):
        evogen.resume(tmp_path / "run", overrides=[override])
    with evogen.open(tmp_path / "run") as run:
        assert run.events() == events
