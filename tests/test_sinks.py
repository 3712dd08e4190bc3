from __future__ import annotations

import threading
from pathlib import Path

import experiment_files
import pytest

import evogen
from evogen.runs import Run
from evogen.sinks import settled


class Sink:
    """Notes what it was brought up to; fails at those pushes whose numbers it is given."""

    name = "somewhere"

    def __init__(self, *failing: int) -> None:
        self.failing, self.pushes, self.seen = failing, 0, [0]
        self.closed = 0

    def push(self, folder: Path) -> int:
        self.pushes += 1
        assert threading.current_thread() is not threading.main_thread()
        if self.pushes in self.failing or not self.failing:
            raise ConnectionError("nobody answers")
        with Run.open(folder) as run:
            self.seen.append(run.told)
        return self.seen[-1]

    def close(self) -> None:
        self.closed += 1


def test_a_search_is_the_same_with_a_sink_that_always_fails(tmp_path: Path) -> None:
    experiment = evogen.load(experiment_files.write(tmp_path))
    said: list[str] = []
    with evogen.run(experiment, out=tmp_path / "plain") as plain:
        wanted = plain.fingerprint()
    with evogen.run(experiment, out=tmp_path / "told", sinks=[Sink()], on_notice=said.append) as told:
        assert told.fingerprint() == wanted
        failures = [event.payload for event in told.events() if event.kind == "tracking failed"]
    what = "ConnectionError: nobody answers"
    assert failures == [{"to": "somewhere", "what": what}]
    assert said == [f"somewhere is not up to date ({what}); the search goes on, it is tried again"]


def test_a_sink_has_every_commit_in_the_end_though_it_failed_between(tmp_path: Path) -> None:
    experiment = evogen.load(experiment_files.write(tmp_path))
    sink = Sink(2)
    with evogen.run(experiment, out=tmp_path / "run", sinks=[sink]) as run:
        assert sink.seen == sorted(sink.seen)
        assert sink.seen[-1] == run.told == 3
    assert sink.closed == 0, "whoever made it closes it"


def test_settling_pushes_and_closes_also_after_an_error(tmp_path: Path) -> None:
    experiment = evogen.load(experiment_files.write(tmp_path))
    sink = Sink(99)
    with (
        evogen.run(experiment, out=tmp_path / "run") as run,
        pytest.raises(ZeroDivisionError),
        settled(run, [sink], notice=lambda _: None),
    ):
        raise ZeroDivisionError
    assert (sink.seen[-1], sink.closed) == (3, 1)
