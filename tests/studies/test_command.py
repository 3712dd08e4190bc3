from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evogen.cli import app


def call(*arguments: str) -> Any:
    return CliRunner(env={"COLUMNS": "80"}).invoke(app, ("study", *arguments))


def test_command_prints_the_table_and_writes_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = call(
        "synaptogen", "--quick", "--tasks", "cartpole", "--arms", "direct, gcm", "--json", "found.json"
    )
    assert result.exit_code == 0, result.output
    assert "CartPole-v1: solved from 475; 2 training seeds x 4 born agents" in result.stdout
    assert "1/2 cartpole-direct: trained" in result.stderr
    out = Path("runs/study-synaptogen-quick")
    assert (out / "table.json").read_text() == Path("found.json").read_text()
    assert {row["arm"] for row in json.loads(Path("found.json").read_text())["rows"]} == {"direct", "gcm"}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["synaptogn"], "unknown study 'synaptogn'; did you mean 'synaptogen'?"),
        (["synaptogen", "--tasks", "cartpol"], "--tasks: unknown 'cartpol'; did you mean 'cartpole'?"),
        (["synaptogen", "--arms", "noise,gmc"], "--arms: unknown 'gmc'; did you mean 'gcm'?"),
        (["synaptogen", "--arms", ","], "--arms: wanted different names, found ''"),
        (["synaptogen", "--seeds", "1"], "--seeds"),
        (["synaptogen", "--workers", "0"], "--workers"),
        (["synaptogen", "--json", "no/such.json"], "wanted a file in a folder that is there"),
        (["synaptogen", "--out", "file"], "file is a file"),
        (["synaptogen", "--out", "file/below"], "file is a file"),
        (["synaptogen", "--json", "."], "wanted a file in a folder that is there"),
        (["synaptogen", "--run", "file"], "only 'rules' and 'locality' take a run"),
        (["liquid", "--run", "file"], "only 'rules' and 'locality' take a run"),
        (["liquid", "--tasks", "predikt"], "--tasks: unknown 'predikt'; did you mean 'predict'?"),
        (["rules", "--arms", ","], "--arms: wanted different names, found ''"),
    ],
)
def test_wrong_options_end_with_2_and_write_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert text in result.output
    assert "Traceback" not in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
