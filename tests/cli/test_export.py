"""`export` of an agent, and `track`, as commands; the forms of a whole run are in test_stored."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from .calls import call


def test_an_agent_is_exported_and_said(folder: Path, run: str) -> None:
    result = call("export", f"{run}@best", "--to", "agent", "--episodes", "5", "--without-onnx")
    assert result.exit_code == 0, result.output
    card = json.loads((folder / "agent" / "agent.json").read_text())
    assert f"candidate {card['candidate']} of small: agent" in result.stdout
    assert "measured on 5 fresh episodes" in result.stdout
    assert "agent.pt2" in result.stdout
    assert "run.py" not in result.stdout
    assert card["what"] == "agent 0 of those born for the report"
    assert max(map(len, result.stdout.splitlines())) <= 80
    call("export", f"{run}@best", "--to", "mean", "--mean", "--episodes", "2", "--without-onnx")
    assert json.loads((folder / "mean" / "agent.json").read_text())["what"] == "the expected network"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["RUN", "--to", "agent"], "name a candidate: evogen export RUN@best --to agent"),
        (["RUN@best", "--to", "csv"], "csv is a form of a whole run: name its folder alone"),
        (["RUN@best", "--to", "agent", "-o", "x"], "an agent is written to the folder that --to names"),
        (["RUN@9:9", "--to", "agent"], "has no candidate 9:9"),
        (["RUN", "--to", "cvs"], "a run is exported to csv, optuna, parquet"),
    ],
)
def test_an_export_that_means_nothing_is_refused(
    folder: Path, run: str, arguments: list[str], text: str
) -> None:
    result = call("export", *(word.replace("RUN", run) for word in arguments))
    assert result.exit_code == 2
    assert text.replace("RUN", run) in result.stderr
    assert not (folder / "agent").exists()


def test_a_missing_onnx_is_named_before_anything_is_written(
    folder: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    result = call("export", f"{run}@best", "--to", "agent")
    assert result.exit_code == 2
    assert (
        "agent.onnx needs onnx: pip install 'evogen[onnx]', or leave it out: --without-onnx" in result.stderr
    )
    assert not (folder / "agent").exists()


def test_a_search_is_tracked_while_it_runs_and_afterwards(folder: Path) -> None:
    pytest.importorskip("tensorboard")
    result = call("run", "small.yaml", "--set", "search.cohorts=2", "-o", "mine", "--track", "tensorboard:tb")
    assert result.exit_code == 0, result.output
    told = json.loads((folder / "tb" / "mine" / "evogen.json").read_text())
    assert told["told"] == 2
    assert call("resume", "mine", "--set", "search.cohorts=3", "--track", "tensorboard:tb").exit_code == 0
    assert json.loads((folder / "tb" / "mine" / "evogen.json").read_text()) == told | {"told": 3}
    assert call("track", "mine", "--to", "tensorboard:tb").stdout == "tensorboard:tb: 3 cohorts\n"


def test_a_tracker_that_is_none_ends_it_before_it_begins(folder: Path) -> None:
    result = call("run", "small.yaml", "-o", "mine", "--track", "tensorbord:tb")
    assert result.exit_code == 2
    assert "did you mean 'tensorboard'?" in result.stderr
    assert not (folder / "mine").exists()
