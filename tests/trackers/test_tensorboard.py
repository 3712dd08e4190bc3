from __future__ import annotations

import json
from pathlib import Path

import pytest

from evogen.errors import RunError, SpecError
from evogen.runs import Run
from evogen.sinks import feeding, settled
from evogen.trackers import track, tracker

from .conftest import Grow

pytest.importorskip("tensorboard")


def scalars(folder: Path, name: str) -> list[tuple[int, float]]:
    """Read a scalar as TensorBoard itself does."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    found.Reload()
    return [(event.step, event.value) for event in found.Scalars(name)]


def test_tensorboard_shows_every_cohort_once(search: tuple[Path, Grow], tmp_path: Path) -> None:
    run, grow = search
    grow(3)
    assert track(run, [f"tensorboard:{tmp_path / 'tb'}"]) == {f"tensorboard:{tmp_path / 'tb'}": 3}
    place = tmp_path / "tb" / "mine"
    assert scalars(place, "fitness/best") == [(0, 2.0), (1, 12.0), (2, 22.0)]
    assert scalars(place, "fitness/median") == [(0, 1.0), (1, 11.0), (2, 21.0)]
    assert scalars(place, "outcome/diverged") == [(at, 1.0) for at in range(3)]
    assert scalars(place, "search/steps") == [(0, 301.0), (1, 602.0), (2, 903.0)]
    assert scalars(place, "search/candidates")[-1] == (2, 12.0)
    grow(2)
    track(run, [f"tensorboard:{tmp_path / 'tb'}"])
    assert [step for step, _ in scalars(place, "fitness/best_so_far")] == [0, 1, 2, 3, 4]
    assert scalars(place, "search/steps")[-1] == (4, 5 * 301.0)


def test_what_a_cut_left_half_told_is_told_anew_and_once(search: tuple[Path, Grow], tmp_path: Path) -> None:
    run, grow = search
    grow(4)
    track(run, [f"tensorboard:{tmp_path / 'tb'}"])
    marker = tmp_path / "tb" / "mine" / "evogen.json"
    known = json.loads(marker.read_text())
    assert known["told"] == 4
    marker.write_text(json.dumps(known | {"told": 2}))  # as if it was cut before the marker was written
    track(run, [f"tensorboard:{tmp_path / 'tb'}"])
    steps = [step for step, _ in scalars(marker.parent, "fitness/best")]
    assert steps == [0, 1, 2, 3]


def test_events_of_another_search_are_left_alone(search: tuple[Path, Grow], tmp_path: Path) -> None:
    run, grow = search
    grow(1)
    place = tmp_path / "tb" / "mine"
    place.mkdir(parents=True)
    (place / "evogen.json").write_text('{"run": "other", "told": 9}')
    with pytest.raises(RunError, match="holds the events of another search; name another folder"):
        track(run, [f"tensorboard:{tmp_path / 'tb'}"])
    assert [path.name for path in place.iterdir()] == ["evogen.json"]


def test_a_search_goes_on_without_a_tracker_that_fails(search: tuple[Path, Grow], tmp_path: Path) -> None:
    folder, grow = search
    grow(2)
    (tmp_path / "tb").write_text("no folder")
    said: list[str] = []
    sink = tracker(f"tensorboard:{tmp_path / 'tb'}")
    with Run.open(folder, write=True) as run:
        with settled(run, [sink], notice=said.append):
            with feeding(run, [sink], notice=said.append) as turn:
                turn()
            (tmp_path / "tb").unlink()
        events = [event for event in run.events() if event.kind == "tracking failed"]
    assert len(said) == 1
    assert "is not up to date" in said[0]
    assert [event.payload["to"] for event in events] == [sink.name]
    assert [step for step, _ in scalars(tmp_path / "tb" / "mine", "fitness/best")] == [0, 1]


def test_settings_are_hyperparameters(search: tuple[Path, Grow], tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    run, grow = search
    grow(1)
    track(run, [f"tensorboard:{tmp_path / 'tb'}"])
    found = EventAccumulator(str(tmp_path / "tb" / "mine"))
    found.Reload()
    content = found.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    settings = HParamsPluginData.FromString(content).session_start_info.hparams
    assert settings["learner.kind"].string_value == "none"
    assert settings["search.cohort_size"].number_value == 4


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("tensorbord:x", "wanted tensorboard:DIR or mlflow:URI; did you mean 'tensorboard'"),
        ("tensorboard:", "names no place: wanted tensorboard:DIR"),
        ("mlflow", "names no place: wanted mlflow:URI"),
    ],
)
def test_a_tracker_that_is_none_is_refused(written: str, text: str) -> None:
    with pytest.raises(SpecError, match=text):
        tracker(written)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    with pytest.raises(SpecError, match=r"pip install 'evogen\[tensorboard\]'"):
        tracker(f"tensorboard:{tmp_path}")
