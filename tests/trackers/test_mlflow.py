from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from evogen.runs import Run
from evogen.trackers import track

from .conftest import Grow

pytestmark = pytest.mark.filterwarnings("ignore")  # of MLflow's own use of SQLAlchemy


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Any]:
    """A store in a file, and MLflow's own client of it."""
    pytest.importorskip("mlflow", reason="MLflow is not installed: pip install 'evogen[mlflow]'")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.chdir(tmp_path)  # its artefacts lie in ./mlruns
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
    from mlflow.tracking import MlflowClient

    uri = f"sqlite:///{tmp_path}/ml.db"
    return uri, MlflowClient(tracking_uri=uri)


def test_mlflow_has_every_cohort_once_whoever_tells_it(
    search: tuple[Path, Grow], store: tuple[str, Any], tmp_path: Path
) -> None:
    (folder, grow), (uri, client) = search, store
    grow(2)
    assert track(folder, [f"mlflow:{uri}"]) == {f"mlflow:{uri}": 2}
    grow(1)
    moved = folder.rename(tmp_path / "moved")
    with Run.open(moved, write=True) as run:
        run.log("complete", told=3)
    (moved / "report.html").write_text("<!DOCTYPE html>")
    track(moved, [f"mlflow:{uri}"])
    track(moved, [f"mlflow:{uri}"])
    (experiment,) = [each for each in client.search_experiments() if each.name == "small"]
    (found,) = client.search_runs([experiment.experiment_id])
    history = client.get_metric_history(found.info.run_id, "fitness/best")
    assert sorted((each.step, each.value) for each in history) == [(0, 2.0), (1, 12.0), (2, 22.0)]
    assert found.data.metrics["cohorts"] == 3.0
    assert found.data.metrics["search/steps"] == 903.0
    assert found.data.params["learner.kind"] == "none"
    assert found.data.params["search.cohort_size"] == "4"
    assert (found.info.run_name, found.info.status) == ("mine", "FINISHED")
    assert {each.path for each in client.list_artifacts(found.info.run_id)} == {
        "experiment.yaml",
        "report.html",
    }
