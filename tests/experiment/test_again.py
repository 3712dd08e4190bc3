from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import experiment_files
import pytest

import evogen
from evogen.cohort import Evaluation, Outcome, Ref
from evogen.errors import RunError
from evogen.experiment import sample
from evogen.genome import frozen
from evogen.runs.records import differences

CARTPOLE = Path(__file__).parent.parent.parent / "searchspaces/cartpole.yaml"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    evogen.run(evogen.load(experiment_files.write(tmp_path)), out=tmp_path / "run").close()
    return tmp_path / "run"


def alter(run: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(run / "run.db")) as database, database:
        database.execute(statement, values)


def test_every_candidate_lives_alone_as_it_lived_in_its_cohort(run: Path) -> None:
    with evogen.open(run) as found:
        assert [evogen.replay(found, row.ref) for row in found.rows()] == [()] * 12


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("fitness", 1e6, "fitness: 1000000.0 stored, "),
        ("scores", "[1.5,2.5]", r"scores: \[1.5, 2.5\] stored, "),
        ("steps", 7, "steps: 7 stored, 0 now"),
    ],
)
def test_what_differs_is_said(run: Path, column: str, value: object, said: str) -> None:
    alter(run, f"UPDATE candidate SET {column} = ? WHERE cohort = 1 AND row = 2", value)
    with evogen.open(run) as found:
        (line,) = evogen.replay(found, Ref(1, 2))
    assert re.match(said, line)


def test_an_array_that_differs_is_named_with_how_much() -> None:
    X, O = frozen([[1, 2], [3, 4]]), frozen([1.0])
    stored = Evaluation(Outcome.OK, -0.0, tuned={3: {"X": X}, 4: {"X": X}}, tuned_rules={"O": O})
    again = Evaluation(
        Outcome.OK, 0.0, tuned={3: {"X": X + frozen([0, 0.5])}, 4: {"X": frozen([1, 2, 3, 4])}, 5: {"b": O}}
    )
    assert list(differences(stored, again)) == [
        "tuned gene 3 X: 2 of 4 numbers differ, by 0.5 at most",
        "tuned gene 4 X: shape (2, 2) stored, (4,) now",
        "tuned gene 5 b: not stored",
        "tuned rules O: not there now",
    ]
    assert list(differences(stored, stored)) == []


def test_who_left_a_race_early_leaves_it_again(tmp_path: Path) -> None:
    settings = ["birth.agents=2", "learner.iterations=4", "learner.horizon=16", "strategy.population=4"]
    sizes = ["task.episodes=1", "search.cohorts=2", "search.cohort_size=4", "racing={rungs: 2}"]
    with evogen.run(evogen.load(CARTPOLE, [*settings, *sizes]), out=tmp_path / "run") as found:
        assert {row.metrics["rung"] for row in found.rows()} == {1.0, 2.0}
        assert all(row.tuned["genes"] for row in found.rows())
        assert [evogen.replay(found, row.ref) for row in found.rows()] == [()] * 8


def test_another_outcome_is_a_difference(run: Path) -> None:
    alter(run, "UPDATE candidate SET outcome = 'diverged', fitness = NULL WHERE cohort = 0 AND row = 0")
    with evogen.open(run) as found:
        lines = evogen.replay(found, Ref(0, 0))
    assert lines[0] == f"outcome: {Outcome.DIVERGED} stored, {Outcome.OK} now"
    assert lines[1].startswith("fitness: None stored")


def test_a_sample_is_drawn_by_the_runs_own_seed(run: Path) -> None:
    with evogen.open(run) as found:
        drawn = sample(found, 5)
        assert drawn == sample(found, 5) == tuple(sorted(set(drawn)))
        assert len(drawn) == 5
        assert len(sample(found, 50)) == 12


def test_a_run_whose_experiment_was_altered_is_not_replayed(run: Path) -> None:
    text = (run / "experiment.yaml").read_text()
    (run / "experiment.yaml").write_text(text.replace("seed: 0", "seed: 1"))
    with evogen.open(run) as found, pytest.raises(RunError, match="was altered since the run began"):
        evogen.replay(found, Ref(0, 0))
    assert json.loads((run / "environment.json").read_text())
