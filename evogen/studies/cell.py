"""A cell: one arm on one task, all its training seeds trained as one batch, and the scores of born agents.

Keys: a training seed has one key a task; training draws from its child `train`, births from `birth`, the
episodes of the final scores from `score`, `average` and `sweep`: no stream is shared. Arms of a task share
the streams of equal purpose: those that are scored alike (`Arm.official`) meet equal starts.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from evogen.genome import Genome
from evogen.keys import Key
from evogen.learning import Fit, Learner
from evogen.phenotype import Network, Phenotype
from evogen.registry import evolvable_fields
from evogen.studies.arms import Arm
from evogen.studies.descent import redrawn
from evogen.studies.founders import SHUFFLES, bodies, founder, root
from evogen.studies.recipes import HIDDEN, RECIPES, TRANSMITTERS, Effort, Recipe
from evogen.studies.regimes import Regime
from evogen.studies.sweep import DEGREES, sweep
from evogen.tasks import ControlTask, Fold

Scores = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Cell:
    """What is to be done; a value that a worker can be sent.

    Attributes:
        task: name of its recipe.
        arm: how agents are made.
        effort: how much.
        parent: the cell of the arm whose rules it takes, if it takes any.
    """

    task: str
    arm: Arm
    effort: Effort
    parent: Cell | None = None

    @property
    def name(self) -> str:
        """TASK-ARM."""
        return f"{self.task}-{self.arm.name}"

    @property
    def recipe(self) -> Recipe:
        """The task's recipe."""
        return RECIPES[self.task]

    @property
    def learner(self) -> Learner:
        """Who trains it."""
        return self.recipe.learner(self.arm.learner, self.effort.part)

    def settings(self) -> dict[str, Any]:
        """Return all that the result follows from, beside versions, as a JSON value."""
        made = {
            "task": {"name": self.recipe.task, **self.recipe.settings},
            "arm": asdict(self.arm),
            "effort": asdict(self.effort),
            "learner": asdict(self.learner),  # type: ignore[call-overload]
            "regimes": [asdict(regime) for regime in self.recipe.regimes],
            "network": {"hidden": HIDDEN, "transmitters": TRANSMITTERS, "shuffles": SHUFFLES},
            "degrees": list(DEGREES) if self.arm.swept else [],
            "parent": None if self.parent is None else self.parent.settings(),
        }
        plain: dict[str, Any] = json.loads(json.dumps(made))
        return plain


@dataclass(frozen=True, eq=False)
class Result:
    """What came of a cell; S training seeds, A agents.

    Attributes:
        scores: (S, A) mean return of each born agent, by regime; NaN where its output became non-finite.
        average: (S,) mean return of the average network; empty where an arm has none of its own.
        sweep: (S, ...) arrays by name, see `evogen.studies.sweep`; empty if not swept.
        curve: (S, K) what the learner said while it trained.
        steps: (S,) environment steps of training.
        training, scoring: seconds.
        genomes: trained, one a seed; None where parameters became non-finite.
    """

    scores: Scores
    average: np.ndarray
    sweep: Mapping[str, np.ndarray]
    curve: np.ndarray
    steps: np.ndarray
    training: float
    scoring: float
    genomes: tuple[Genome | None, ...]


def train(cell: Cell) -> Result:
    """Train the founders of all seeds together, then score what they became."""
    task, learner, seeds = cell.recipe.play(1), cell.learner, range(cell.effort.seeds)
    keys = [root(cell.task, seed) for seed in seeds]
    founders = [founder(cell.arm, seed, key) for seed, key in zip(seeds, keys, strict=True)]
    phenotype = bodies(cell.arm, task, founders)
    values = {
        field.name: torch.full((len(keys),), float(getattr(learner, field.name)))
        for field in evolvable_fields(type(learner))
    }
    start = time.perf_counter()
    fit = learner.fit(phenotype, task, [key.child("train") for key in keys], values)
    genomes = tuple(_grown(phenotype, fit, row, genome) for row, genome in enumerate(founders))
    empty = Result({}, np.empty(0), {}, fit.curve.numpy(), fit.steps.numpy(), 0.0, 0.0, genomes)
    return _scored(cell, replace(empty, training=time.perf_counter() - start))


def derive(cell: Cell, genomes: Sequence[Genome | None]) -> Result:
    """Score agents that take the trained rules of another arm's genomes and expression of their own."""
    none = np.zeros(len(genomes), dtype=np.int64)
    return _scored(
        cell, Result({}, np.empty(0), {}, np.empty((len(genomes), 0)), none, 0.0, 0.0, tuple(genomes))
    )


def _scored(cell: Cell, result: Result) -> Result:
    """Return the result with its scores."""
    start, effort, regimes = time.perf_counter(), cell.effort, cell.recipe.regimes
    task, fold = cell.recipe.play(effort.episodes), Fold.REPORT if cell.arm.official else Fold.SEARCH
    scores = {regime.name: np.full((effort.seeds, effort.agents), np.nan) for regime in regimes}
    average = np.full(0 if cell.arm.of else effort.seeds, np.nan)
    swept: list[dict[str, np.ndarray]] = []
    for seed, genome in enumerate(result.genomes):
        if genome is None:
            continue
        key = root(cell.task, seed)
        for regime in regimes:
            born = _born(cell, task, genome, key, regime)
            starts = [key.child("score", regime.name, agent) for agent in range(effort.agents)]
            scores[regime.name][seed] = task.score(born, starts, fold).numpy()
        if not cell.arm.of:
            body = bodies(cell.arm, task, [genome])
            longer = cell.recipe.play(effort.average_episodes)
            network = body.network(body.flat)
            average[seed] = float(longer.score(network, [key.child("average")], fold)[0])
            if cell.arm.swept:
                swept.append(sweep(body, task, key.child("sweep"), agents=max(2, effort.agents // 5)))
    stacked = {name: np.stack([each[name] for each in swept]) for name in (swept[0] if swept else ())}
    return replace(result, scores=scores, average=average, sweep=stacked, scoring=time.perf_counter() - start)


def _born(cell: Cell, task: ControlTask, genome: Genome, key: Key, regime: Regime) -> Network:
    """Return the agents of one training seed."""
    agents, birth = cell.effort.agents, key.child("birth", regime.name)
    with torch.no_grad():
        if cell.arm.expression == "trained":
            body = bodies(cell.arm, task, [genome])
            return body.agents(body.flat, [birth], replace(regime.birth, agents=agents))
        scaled = cell.arm.expression == "matched"
        each = [redrawn(genome, key.child("lineage", agent), scaled=scaled) for agent in range(agents)]
        body = bodies(cell.arm, task, each)
        births = [birth.child(agent) for agent in range(agents)]
        return body.agents(body.flat, births, replace(regime.birth, agents=1))


def _grown(phenotype: Phenotype, fit: Fit, row: int, genome: Genome) -> Genome | None:
    """Return the genome with what its row learnt written into it."""
    if not bool(fit.flat[row].isfinite().all()):
        return None
    expression = phenotype.expression(fit.flat, row)
    genes = [
        replace(gene, expression=expression.get(gene.innovation, gene.expression)) for gene in genome.genes()
    ]
    rules, learnt = genome.rules, phenotype.rules(fit.flat, row)
    if rules is not None:
        rules = replace(rules, O=learnt["O"], c=learnt["c"])
    return replace(genome, rules=rules, interface=genes[0], architecture=tuple(genes[1:]))


def fingerprint(value: Any) -> str:
    """Return the SHA-256 of a JSON value in canonical form."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
