from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import experiment_files
import pytest
from lives import make_genome

import evogen
from evogen.cohort import Cohort, Evaluation, Individual, Outcome
from evogen.evaluators import Result
from evogen.runs import Run

Grow = Callable[[int], None]
SIZE = 4


@pytest.fixture
def search(tmp_path: Path) -> tuple[Path, Grow]:
    """A run without cohorts, and what commits some: row r of cohort k has fitness 10 k + r, row 3 fails."""
    experiment = evogen.load(experiment_files.write(tmp_path))
    files = {"grammar.bnf": experiment.grammar.encode()}
    folder = tmp_path / "mine"
    Run.create(folder, experiment=experiment.yaml, files=files, environment={}).close()

    def grow(cohorts: int) -> None:
        with Run.open(folder, write=True) as run:
            for index in range(run.told, run.told + cohorts):
                individuals = tuple(Individual(make_genome(10 * index + row)) for row in range(SIZE))
                run.commit(
                    Cohort(index, individuals),
                    Result(index, tuple(ends(index, row) for row in range(4)), 2.5, "w"),
                )

    return folder, grow


def ends(index: int, row: int) -> Evaluation:
    if row == 3:
        return Evaluation(Outcome.DIVERGED, message="gone", steps=1)
    fitness = 10.0 * index + row
    return Evaluation(Outcome.OK, fitness, (fitness, fitness), {"synapses": 5.0}, (), 100)
