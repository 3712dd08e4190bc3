"""A cell of the joint study: one search, of one arm on one task with one seed, and its winner's final score.

The winner is who scored best in the search; the final score is that of agents newly born of it, on episodes
or examples that no search saw. All arms of a seed have the same root key, so that chromosomes that are drawn
by the same law begin with the same draws.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from evogen.budget import finished
from evogen.experiment import check, experiment_of, load, run
from evogen.studies.joint_arms import JointArm
from evogen.studies.joint_tasks import GRAMMAR, GRAMMAR_FILE, World
from evogen.studies.store import keep, kept, versions

SCHEMA = 1


@dataclass(frozen=True)
class Effort:
    """How much of the study is done.

    Attributes:
        seeds: searches of each arm on each task.
        agents: born of each winner.
        cohorts, cohort_size: of each search; the genetic algorithm's population is one cohort.
    """

    seeds: int = 20
    agents: int = 10
    cohorts: int = 12
    cohort_size: int = 12

    @property
    def candidates(self) -> int:
        """Lives of a search."""
        return self.cohorts * self.cohort_size


@dataclass(frozen=True)
class JointCell:
    """What is to be done; a value that a worker can be sent."""

    world: World
    arm: JointArm
    seed: int
    effort: Effort

    @property
    def name(self) -> str:
        """TASK-ARM-SEED."""
        return f"{self.world.name}-{self.arm.name}-{self.seed}"

    @property
    def overrides(self) -> tuple[str, ...]:
        """What differs from the task's search file."""
        effort = self.effort
        size = (f"search.cohorts={effort.cohorts}", f"search.cohort_size={effort.cohort_size}")
        population = (f"strategy.population={effort.cohort_size}",)
        return (f"seed={self.seed}", *size, *population, *self.arm.overrides(self.world))

    def settings(self) -> dict[str, Any]:
        """Return all that the result follows from, as a JSON value."""
        made = {
            "search": self.world.search,
            "grammar": hashlib.sha256(GRAMMAR.encode()).hexdigest(),
            "overrides": self.overrides,
            "arm": [self.arm.name, self.arm.frozen, self.arm.evolves],
            "agents": self.effort.agents,
        }
        plain: dict[str, Any] = {"schema": SCHEMA, "settings": made, "versions": versions()}
        return dict(json.loads(json.dumps(plain)))


@dataclass(frozen=True)
class Found:
    """What came of a cell.

    Attributes:
        scores: of the agents born of the winner; empty if no candidate of the search ended OK.
        fitness: by which the winner was chosen; None likewise.
        candidates, failed: all that lived, and those among them that did not end OK.
        steps: that the inner loops of all of them spent, as the learner counts them.
        fingerprint: of the search.
        seconds: of search and scoring.
    """

    scores: tuple[float, ...]
    fitness: float | None
    candidates: int
    failed: int
    steps: int
    fingerprint: str
    seconds: float

    @property
    def score(self) -> float:
        """Mean over the agents; NaN without one."""
        return math.fsum(self.scores) / len(self.scores) if self.scores else math.nan


def work(folder: Path, cell: JointCell) -> None:
    """Do one cell and keep it; one that was broken off is done anew."""
    torch.set_num_threads(1)
    place = folder / f"{cell.name}.part"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    found = search(place, cell)
    keep(folder / f"{cell.name}.json", {**cell.settings(), **asdict(found)})
    shutil.rmtree(place)


def read(folder: Path, cell: JointCell) -> Found | None:
    """Return a cell that is there, None if it is not.

    Raises:
        RunError: its file is damaged, or it was made with other settings or versions.
    """
    wanted = cell.settings()
    body = kept(folder / f"{cell.name}.json", wanted)
    if body is None:
        return None
    found = {name: value for name, value in body.items() if name not in wanted}
    return Found(**{**found, "scores": tuple(found["scores"])})


def search(place: Path, cell: JointCell) -> Found:
    """Search in a folder that is there, and score the winner."""
    start = time.perf_counter()
    (place / GRAMMAR_FILE).write_text(GRAMMAR, encoding="utf-8")
    (place / "search.yaml").write_text(cell.world.search, encoding="utf-8")
    experiment = cell.arm.experiment(load(place / "search.yaml", cell.overrides))
    with closing(run(experiment, out=place / "run")) as made:
        if not finished(made, experiment_of(made).search):
            raise KeyboardInterrupt
        best = made.best()
        scores = () if best is None else check(made, experiment, agents=cell.effort.agents).scores
        rows = list(made.rows())
        return Found(
            tuple(scores),
            None if best is None else made.candidate(best)[1].fitness,
            len(rows),
            sum(row.fitness is None for row in rows),
            made.totals()[1],
            made.fingerprint(),
            round(time.perf_counter() - start, 3),
        )
