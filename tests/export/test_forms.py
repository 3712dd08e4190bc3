from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import experiment_files
import optuna
import pytest
from lives import make_genome
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

import evogen
from evogen.cohort import Cohort, Evaluation, Individual, Outcome, Ref
from evogen.errors import SpecError
from evogen.evaluators import Result
from evogen.export import export
from evogen.runs import Run
from evogen.strategies.goals import Goals

GOALS = Goals({"fitness": "maximise", "synapses": "minimise"}, {"neurons": {"at_most": 3}})
COHORTS, SIZE = 4, 5
MESSAGE = 'Traceback\n  line\nValueError: no, "this"\n'


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """A run of the small experiment with made-up candidates; one in each cohort fails."""
    experiment = evogen.load(experiment_files.write(tmp_path))
    files = {"grammar.bnf": experiment.grammar.encode()}
    with Run.create(
        tmp_path / "run", experiment=experiment.yaml, files=files, environment={}, goals=GOALS
    ) as run:
        for index in range(COHORTS):
            individuals, evaluations = zip(*(made(index, row) for row in range(SIZE)), strict=True)
            run.commit(Cohort(index, individuals), Result(index, evaluations, 1.5, "worker-1"))
        yield run


def made(index: int, row: int) -> tuple[Individual, Evaluation]:
    import dataclasses

    genes = {"rule.abcd.eta": 0.01 * (1 + index), "rule.abcd.A": 0.1 * row - 0.2}
    genome = dataclasses.replace(make_genome(10 * index + row), plasticity=genes)
    individual = Individual(genome, (Ref(index - 1, 0), Ref(index - 1, 1)) if index else (), "bred")
    if row == 3:
        return individual, Evaluation(Outcome.CRASHED, message=MESSAGE)
    metrics = {"synapses": 10.0 * row + index, "neurons": float(row), "expected_score": 0.5}
    return individual, Evaluation(Outcome.OK, row / 3, (row / 3, row / 3), metrics, (), 7 * row)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_csv_file_says_every_candidate(run: Run) -> None:
    path = export(run, "csv")
    assert path == run.path / "candidates.csv"
    rows = rows_of(path)
    assert [row["candidate"] for row in rows] == [str(row.ref) for row in run.rows()]
    row = rows[2 * SIZE + 4]
    assert (row["cohort"], row["row"], row["parents"], row["operator"]) == ("2", "4", "1:0 1:1", "bred")
    assert float(row["fitness"]) == 4 / 3
    assert (row["sd"], row["agents"], row["steps"], row["worker"]) == ("0.0", "2", "28", "worker-1")
    assert (row["metric.synapses"], row["metric.neurons"]) == ("42.0", "4.0")
    assert float(row["violation"]) == pytest.approx(1 / 3)
    assert float(row["rule.abcd.eta"]) == 0.03
    assert row["genome"] == run.row(Ref(2, 4)).genome
    assert row["committed"].startswith("20")
    assert row["committed"].endswith("+00:00")
    failed = rows[3]
    assert (failed["outcome"], failed["message"]) == ("crashed", 'ValueError: no, "this"')
    assert failed["fitness"] == failed["metric.synapses"] == failed["violation"] == failed["parents"] == ""


def test_a_parquet_file_has_the_same_table_with_types(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("evogen.export.sheets._TOGETHER", 3)
    table = parquet.read_table(export(run, "parquet"))
    lines = rows_of(export(run, "csv"))
    assert table.column_names == list(lines[0])
    assert str(table.schema.field("fitness").type) == "double"
    assert str(table.schema.field("steps").type) == "int64"
    for found, line in zip(table.to_pylist(), lines, strict=True):
        assert {name: "" if value is None else str(value) for name, value in found.items()} == line


def test_optuna_opens_a_study_of_every_candidate(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evogen.export.trials._TOGETHER", 3)
    path = export(run, "optuna", tmp_path / "s.log")
    study = optuna.load_study(study_name="run", storage=JournalStorage(JournalFileBackend(str(path))))
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    trials = study.get_trials()
    assert [trial.user_attrs["candidate"] for trial in trials] == [str(row.ref) for row in run.rows()]
    assert [trial.number for trial in trials] == list(range(COHORTS * SIZE))
    assert {trial.state for trial in trials[3::SIZE]} == {TrialState.FAIL}
    trial = trials[2 * SIZE + 4]
    assert trial.values == [4 / 3, 42.0]
    assert trial.params["rule.abcd.eta"] == 0.03
    assert trial.params["rule.abcd.A"] == pytest.approx(0.2)
    assert (trial.params["neurons"], trial.params["synapses"]) == (4, 42)
    assert trial.distributions["rule.abcd.eta"] == optuna.distributions.FloatDistribution(1e-3, 0.5, log=True)
    assert trial.distributions["synapses"] == optuna.distributions.IntDistribution(0, 43)
    assert trial.duration is not None
    assert trial.duration.total_seconds() == 1.5
    feasible = {trial.number for trial in study.best_trials}
    assert feasible == {
        0,
        1,
        2,
    }  # more fitness for more synapses, while at most 3 neurons: cohort 0 has fewest


def test_optuna_dashboard_answers_for_it(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("optuna_dashboard")
    from optuna_dashboard import wsgi

    path = export(run, "optuna", tmp_path / "s.log")
    application = wsgi(JournalStorage(JournalFileBackend(str(path))))
    (study,) = ask(application, "/api/studies")["study_summaries"]
    assert study["study_name"] == "run"
    found = ask(application, f"/api/studies/{study['study_id']}", "after=0")
    assert len(found["trials"]) == COHORTS * SIZE
    assert found["trials"][4]["values"] == [4 / 3, 40.0]
    assert {each["state"] for each in found["trials"]} == {"Complete", "Fail"}


def ask(application: object, path: str, query: str = "") -> dict[str, object]:
    from wsgiref.util import setup_testing_defaults

    request: dict[str, object] = {"PATH_INFO": path, "QUERY_STRING": query}
    setup_testing_defaults(request)
    said: list[str] = []
    body = b"".join(application(request, lambda status, *_: said.append(status)))  # type: ignore[operator]
    assert said == ["200 OK"], body
    return json.loads(body)


def test_a_search_that_ran_is_exported(tmp_path: Path) -> None:
    with evogen.run(evogen.load(experiment_files.write(tmp_path)), out=tmp_path / "run") as found:
        rows = rows_of(export(found, "csv", tmp_path / "c.csv"))
        export(found, "optuna", tmp_path / "s.log")
        assert [float(row["fitness"]) for row in rows] == [row.fitness for row in found.rows()]
        assert all(1e-3 <= float(row["rule.abcd.eta"]) <= 0.5 for row in rows)
        best = found.best()
    study = optuna.load_study(
        study_name="run", storage=JournalStorage(JournalFileBackend(str(tmp_path / "s.log")))
    )
    assert best is not None
    assert study.best_trial.user_attrs["candidate"] == str(best)


@pytest.mark.parametrize(
    ("kind", "out", "text"),
    [
        ("csw", None, "--to csw: no such form; did you mean 'csv'?"),
        ("csv", "no/folder.csv", "wanted a file in a folder that is there"),
        ("csv", ".", "wanted a file in a folder that is there"),
    ],
)
def test_what_cannot_be_written_is_refused(
    run: Run, tmp_path: Path, kind: str, out: str | None, text: str
) -> None:
    before = set(tmp_path.rglob("*"))
    with pytest.raises(SpecError, match=text.replace("?", r"\?")):
        export(run, kind, None if out is None else tmp_path / out)
    assert set(tmp_path.rglob("*")) == before
