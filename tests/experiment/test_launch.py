from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import experiment_files
import numpy as np
import pytest

import evogen
from evogen.cohort import Outcome
from evogen.errors import EvogenError, RunError, SpecError
from evogen.experiment import device_of, experiment_of, launch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return experiment_files.write(tmp_path)


def test_a_run_keeps_what_it_was_made_from(file: Path, tmp_path: Path) -> None:
    experiment = evogen.load(file)
    with evogen.run(experiment, out=tmp_path / "run") as run:
        assert run.told == 3
        assert run.outcomes()[Outcome.OK] == 12
        assert experiment_of(run) == experiment
        assert device_of(run) == "cpu"
        environment = json.loads(run.text("environment.json"))
    assert environment["versions"]["numpy"] == np.__version__
    assert {"python", "torch", "ray", "gymnasium", "evogen"} <= set(environment["versions"])
    assert {"command", "platform", "cpu", "device", "git"} <= set(environment)


def test_a_resumed_run_equals_an_unbroken_one(file: Path, tmp_path: Path) -> None:
    experiment = evogen.load(file)

    def stop(event: object) -> None:
        if getattr(event, "told", 0) == 1:
            raise KeyboardInterrupt

    with evogen.run(experiment, out=tmp_path / "whole") as whole:
        expected = whole.fingerprint()
    with evogen.run(experiment, out=tmp_path / "cut", on_event=stop) as cut:
        assert cut.told == 1
    with evogen.resume(tmp_path / "cut") as resumed:
        assert resumed.told == 3
        assert resumed.fingerprint() == expected


def test_a_finished_run_resumes_without_a_worker(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with evogen.run(evogen.load(file), out=tmp_path / "run") as run:
        expected, events = run.fingerprint(), run.events()

    def refuse(*_: object) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(launch, "_evaluator", refuse)
    with evogen.resume(tmp_path / "run", workers=2) as again:
        assert (again.fingerprint(), again.events()) == (expected, events)


def test_a_resume_on_another_processor_is_said_and_logged(file: Path, tmp_path: Path) -> None:
    def stop(event: object) -> None:
        if getattr(event, "told", 0) == 1:
            raise KeyboardInterrupt

    evogen.run(evogen.load(file), out=tmp_path / "run", on_event=stop).close()
    environment = tmp_path / "run/environment.json"
    before = json.loads(environment.read_text())
    environment.write_text(json.dumps(before | {"instructions": "ABACUS"}))
    said: list[str] = []
    with evogen.resume(tmp_path / "run", on_notice=said.append) as run:
        assert "environment changed" in {event.kind for event in run.events()}
    assert len(said) == 1
    assert f"instructions {before['instructions']} (was ABACUS)" in said[0]


def test_a_timeout_that_nothing_can_keep_is_said(file: Path, tmp_path: Path) -> None:
    said: list[str] = []
    experiment = evogen.load(file, ["compute.timeout=60", "search.cohorts=1"])
    evogen.run(experiment, out=tmp_path / "run", on_notice=said.append).close()
    assert said == ["compute.timeout is not kept without --workers: nothing can end what hangs here"]


def test_candidates_end_a_search_and_a_finished_one_is_not_gone_on_with(file: Path, tmp_path: Path) -> None:
    experiment = evogen.load(file, ["search.cohorts=null", "search.candidates=5"])
    with evogen.run(experiment, out=tmp_path / "run") as run:
        assert run.told == 2
        events = run.events()
    with evogen.resume(tmp_path / "run") as again:
        assert again.events() == events


def test_steps_cannot_end_a_search_that_takes_none(file: Path) -> None:
    with pytest.raises(SpecError, match=r"search\.steps: learner: none takes no steps"):
        evogen.load(file, ["search.steps=1000"])


def test_a_failed_search_gives_the_writers_lock_back(file: Path, tmp_path: Path) -> None:
    def fail(event: object) -> None:
        raise SpecError("as asked")

    with pytest.raises(SpecError, match="as asked"):
        evogen.run(evogen.load(file), out=tmp_path / "run", on_event=fail)
    evogen.resume(tmp_path / "run").close()


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"device": "gpu9"}, "--device gpu9: torch cannot use it"),
        ({"address": "127.0.0.1:1"}, "add --workers N"),
    ],
)
def test_nothing_is_written_where_the_search_cannot_start(
    file: Path, tmp_path: Path, settings: dict[str, Any], text: str
) -> None:
    with pytest.raises(EvogenError, match=text):
        evogen.run(evogen.load(file), out=tmp_path / "run", **settings)
    assert not (tmp_path / "run").exists()


def test_opening_something_else_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not a run"):
        evogen.open(tmp_path)


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'launch'"):
        evogen.launch  # noqa: B018
