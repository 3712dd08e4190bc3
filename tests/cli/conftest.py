from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import experiment_files
import pytest

import evogen


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own working directory with a small experiment; report pages are tested elsewhere."""

    def page(runs: Sequence[Any], out: Path) -> Path:
        out.write_text(f"{len(runs)} runs")
        return out

    monkeypatch.setattr("evogen.report.write", page)
    monkeypatch.chdir(tmp_path)
    experiment_files.write(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("finished")
    evogen.run(evogen.load(experiment_files.write(path)), out=path / "run").close()
    return path / "run"


@pytest.fixture
def run(folder: Path, finished: Path) -> str:
    shutil.copytree(finished, folder / "runs" / "small")
    return "runs/small"
