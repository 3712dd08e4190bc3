from __future__ import annotations

import dataclasses
import io
import shutil

import experiment_files
import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss

import evogen
from evogen.cohort import Outcome
from evogen.errors import SpecError
from evogen.experiment import experiment_of
from evogen.registry import File
from evogen.tasks import Fold
from evogen.tasks.baselines import baselines
from evogen.tasks.table import Measure, Table
from evogen.tasks.tables.named import NAMES
from evogen.testing import contract

from .fakes import Failing, Linear, keys, random_weights

X, Y = load_iris(return_X_y=True)
UNEVEN = np.r_[0:50, 50:75, 100:112]
TEXT = "length,width,petal,across,species\n" + "".join(
    ",".join(map(str, row)) + f",{'abc'[label]}\n" for row, label in zip(X[UNEVEN], Y[UNEVEN], strict=True)
)
FLOWERS = File("flowers.csv", TEXT.encode())
EXPERIMENT = experiment_files.EXPERIMENT.replace(
    "task: {kind: cartpole, episodes: 1, report_episodes: 1}",
    "task: {kind: table, file: flowers.csv, target: species, ignore: [width], folds: 4}",
)


def test_a_file_keeps_the_contract_of_tasks():
    task = Table(file=FLOWERS, target="species", categorical=("across",), folds=4, fold=3)
    for fact in contract("task", task):
        fact(task)


def test_inputs_and_outputs_follow_from_the_data():
    assert (Table().inputs, Table().outputs) == (4, 3)
    assert (Table(file="wine").inputs, Table(file="wine").outputs) == (13, 3)
    task = Table(file=FLOWERS, target="species", ignore=("width",))
    assert (task.inputs, task.outputs) == (3, 3)
    assert task.reported == "fold 0 of 5 of flowers.csv, balanced"


def test_csv_npz_and_a_named_set_of_the_same_rows_are_the_same_task():
    text = "a,b,c,d,y\n" + "".join(",".join(map(str, (*row, y))) + "\n" for row, y in zip(X, Y, strict=True))
    stream = io.BytesIO()
    np.savez(stream, X=X, y=Y)
    files = (File("t.csv", text.encode()), File("t.npz", stream.getvalue()))
    for fold in ("train", "validation", "test"):
        for features, labels in (Table(file=file, target="y").examples(fold) for file in files):
            assert torch.equal(features, Table().examples(fold)[0])
            assert torch.equal(labels, Table().examples(fold)[1])


def test_every_row_is_tested_once_over_the_folds():
    counts = sum(Table(fold=fold).examples("test")[1].bincount() for fold in range(5))
    assert counts.tolist() == [50, 50, 50]


def test_the_split_depends_on_its_seed():
    assert not torch.equal(Table().examples("test")[0], Table(split_seed=1).examples("test")[0])


@pytest.mark.parametrize(
    ("measure", "oracle"),
    [
        (Measure.ACCURACY, lambda y, z: accuracy_score(y, z.argmax(-1))),
        (Measure.BALANCED, lambda y, z: balanced_accuracy_score(y, z.argmax(-1))),
        (Measure.LOG_LOSS, lambda y, z: -log_loss(y, z.double().softmax(-1))),
    ],
)
def test_scores_are_scikit_learns(measure, oracle):
    task = Table(file=FLOWERS, target="species", measure=measure)
    agents = Linear(random_weights((3, 4, 3)))
    for fold, name in ((Fold.SEARCH, "validation"), (Fold.REPORT, "test")):
        features, labels = task.examples(name)
        scores = task.score(agents, keys(3), fold)
        expected = [oracle(labels, features @ weights) for weights in agents.weights]
        assert scores.tolist() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("measure", Measure)
def test_non_finite_output_gives_a_nan_score_and_spares_the_other_rows(measure):
    weights, task = random_weights((3, 4, 3)), Table(measure=measure)
    scores = task.score(Failing(weights, row=1), keys(3), Fold.SEARCH)
    assert scores[1].isnan()
    assert torch.equal(scores[[0, 2]], task.score(Linear(weights), keys(3), Fold.SEARCH)[[0, 2]])


def test_the_search_never_reads_the_test_fold(monkeypatch):
    read = Table.examples

    def guarded(self, fold):
        assert fold != "test"
        return read(self, fold)

    monkeypatch.setattr(Table, "examples", guarded)
    agents = Linear(random_weights((1, 4, 3)))
    Table().score(agents, keys(1), Fold.SEARCH)
    with pytest.raises(AssertionError):
        Table().score(agents, keys(1), Fold.REPORT)


def test_baselines_are_scored_as_the_task_scores():
    task = Table(file=FLOWERS, target="species", ignore=("petal", "across"))
    found = {
        measure: baselines(dataclasses.replace(task, measure=measure), 4, seed=0)["logistic regression"]
        for measure in Measure
    }
    assert found[Measure.BALANCED].test < found[Measure.ACCURACY].test
    assert -1.0 < found[Measure.LOG_LOSS].test < 0.0


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"file": "irys"}, "wanted a table's path or a named set, found 'irys'"),
        ({"file": "irys"}, "did you mean 'iris'?"),
        ({"folds": 3, "fold": 3}, r"fold: wanted a number below folds (3), found 3"),
        ({"target": "species"}, "iris: no column 'species' as target"),
        ({"folds": 51}, "found 50 of 'setosa'"),
        ({"file": FLOWERS}, "flowers.csv: wanted a target column"),
    ],
)
def test_wrong_settings_are_said(settings, text):
    with pytest.raises(SpecError) as caught:
        Table(**settings)
    assert text in str(caught.value)


def test_constant_columns_are_refused_in_a_file_and_dropped_from_a_named_set():
    pixels = Table(file="digits")
    assert pixels.inputs < 64
    assert pixels.examples("train")[0].std(0).min() > 0
    text = "a,b,y\n" + "".join(f"{row},1,{row % 2}\n" for row in range(12))
    with pytest.raises(SpecError, match="found 'b' with one value in all rows: write constant: drop"):
        Table(file=File("t.csv", text.encode()), target="y")


def test_a_path_is_read_once(tmp_path):
    path = tmp_path / "flowers.csv"
    path.write_bytes(FLOWERS.content)
    task = Table(file=str(path), target="species")
    assert task.file == FLOWERS
    path.unlink()
    assert dataclasses.replace(task, fold=1).outputs == 3


@pytest.fixture
def experiment(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files/flowers.csv").write_bytes(FLOWERS.content)
    return experiment_files.write(tmp_path / "files", experiment=EXPERIMENT)


def test_a_run_keeps_its_table_and_goes_on_without_the_users(experiment, tmp_path):
    with evogen.run(evogen.load(experiment, ["search.cohorts=1"]), out=tmp_path / "run") as run:
        assert run.outcomes()[Outcome.OK] == 4
    shutil.rmtree(experiment.parent)
    assert (tmp_path / "run/flowers.csv").read_bytes() == FLOWERS.content
    with evogen.resume(tmp_path / "run", overrides=["search.cohorts=2"]) as run:
        found = experiment_of(run)
        assert found.task.file == File("flowers.csv", FLOWERS.content)
        assert (found.task.ignore, found.task.folds) == (("width",), 4)
        assert [evogen.replay(run, row.ref) for row in run.rows()] == [()] * 8


def test_an_error_in_the_data_stands_at_the_task_of_the_experiment(experiment):
    for change, text in (
        ("task.target=nothing", "task: flowers.csv: no column 'nothing' as target; known: across, length"),
        ("task.target=specie", "did you mean 'species'?"),
        ("task.file=irris", "wanted a file's path from the folder of this file; did you mean 'iris'?"),
        ("task.missing=median", "task.missing: wanted 'refuse', 'mean' or 'most-frequent', found"),
    ):
        with pytest.raises(SpecError) as caught:
            evogen.load(experiment, [change])
        assert text in str(caught.value)
    assert (
        evogen.load(experiment, ["task.file=wdbc", "task.target=class", "task.ignore=[]"]).task.outputs == 2
    )


def test_names_are_paths_of_no_file():
    assert len(set(NAMES)) == len(NAMES)
    assert not [name for name in NAMES if "." in name or "/" in name]


@pytest.mark.parametrize("second", ["parameters", "neurons"])
@pytest.mark.parametrize("measure", Measure)
def test_a_search_can_aim_at_a_score_and_at_a_small_network(experiment, tmp_path, measure, second):
    changes = [
        f"task.measure={measure}",
        "strategy={kind: nsga2, population: 4}",
        f"search.objectives={{fitness: maximise, {second}: minimise}}",
    ]
    with evogen.run(evogen.load(experiment, changes), out=tmp_path / "run") as run:
        found = {row.ref: (row.fitness, row.metrics[second]) for row in run.rows()}
        best = found[run.best()]
    assert len({size for _, size in found.values()}) > 1
    assert best[0] == max(fitness for fitness, _ in found.values())
    assert best[1] == min(size for fitness, size in found.values() if fitness == best[0])
