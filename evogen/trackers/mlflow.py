"""MLflow: a run of its own for each search, found again by a tag, so that any process can go on with it.

Metrics by cohort (the step), settings as parameters, experiment.yaml and, once it is written, report.html as
artefacts. How far it is told is the metric `cohorts`, which comes in the same batch as what it counts; a
batch that comes twice changes nothing where the store keeps one value a step and time, as MLflow's own does.

Source: https://mlflow.org/docs/latest/ml/tracking.
"""

from __future__ import annotations

import re
from copy import copy
from pathlib import Path
from typing import Any

from evogen.budget import Ending, ended
from evogen.runs import Run
from evogen.trackers.cohorts import Tally, Told, flat, identity

TAG = "evogen.search"
COUNT = "cohorts"
REPORT = "report.html"
_METRICS, _PARAMS, _LONGEST = 900, 90, 5000  # that a store takes at a time, and of one value


class MLflow:
    """One search in an MLflow store.

    Args:
        uri: of the store.

    Raises:
        ImportError: mlflow is not installed.
    """

    def __init__(self, uri: str) -> None:
        from mlflow.tracking import MlflowClient

        self.name = f"mlflow:{re.sub(r'//[^/@]*@', '//', uri)}"  # without a password
        self._client: Any = MlflowClient(tracking_uri=uri)
        self._id: str | None = None
        self._tally, self._told = Tally(), 0
        self._shown: float | None = None  # when the report was written that is there

    def push(self, folder: Path) -> int:
        """Tell the cohorts that are not told yet, the report if it is new, and how the search stands."""
        with Run.open(folder) as run:
            if self._id is None:
                self._id = self._found(run)
            tally, batch = copy(self._tally), list[Told]()
            for told in tally.new(run, begin=self._told):
                batch.append(told)
                if sum(len(each.values) + 1 for each in batch) > _METRICS - len(told.values):
                    self._log(batch)
                    batch = []
            self._log(batch)
            self._tally = tally
            report = folder / REPORT
            if report.is_file() and self._shown != (written := report.stat().st_mtime):
                self._client.log_artifact(self._id, str(report))
                self._shown = written
            if ended(run) is Ending.COMPLETE:
                last = run.timings()[-1].committed
                self._client.set_terminated(self._id, "FINISHED", end_time=int(1000 * last))
            else:
                self._client.update_run(self._id, status="RUNNING")
        return self._told

    def close(self) -> None:
        """Nothing is held open."""

    def _found(self, run: Run) -> str:
        """Return the id of the search's run in the store; begin it if it is new."""
        mine, settings = identity(run), flat(run)
        title = str(settings.get("name", "evogen"))
        known = self._client.get_experiment_by_name(title)
        experiment = self._client.create_experiment(title) if known is None else known.experiment_id
        for before in self._client.search_runs([experiment], f"tags.`{TAG}` = '{mine}'"):
            self._told = int(before.data.metrics.get(COUNT, 0))
            return str(before.info.run_id)
        created = int(1000 * run.events()[0].time)
        name = run.path.resolve().name
        made = self._client.create_run(experiment, start_time=created, run_name=name, tags={TAG: mine})
        self._begin(str(made.info.run_id), run, settings)
        return str(made.info.run_id)

    def _begin(self, identifier: str, run: Run, settings: dict[str, Any]) -> None:
        from mlflow.entities import Param

        params = [Param(_allowed(name), str(value)[:_LONGEST]) for name, value in settings.items()]
        for start in range(0, len(params), _PARAMS):
            self._client.log_batch(identifier, params=params[start : start + _PARAMS])
        self._client.log_text(identifier, run.text("experiment.yaml"), "experiment.yaml")

    def _log(self, batch: list[Told]) -> None:
        from mlflow.entities import Metric

        if not batch:
            return
        metrics = [
            Metric(_allowed(name), value, int(1000 * time), cohort)
            for cohort, time, values in batch
            for name, value in {**values, COUNT: float(cohort + 1)}.items()
        ]
        self._client.log_batch(self._id, metrics=metrics)
        self._told = batch[-1].cohort + 1


def _allowed(name: str) -> str:
    """Return a name that MLflow takes: letters, digits, and _ - . space : /."""
    return re.sub(r"[^\w\-. :/]", "_", name)
