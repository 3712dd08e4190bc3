"""One search of the study: from a set, an arm and a seed to the winner's test accuracy.

The loop is that of `evogen.engine.drive` with a lookahead of 1, but nothing of it is kept beyond the winner's
numbers: a study makes over a thousand searches of a few seconds each.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from evogen.cohort import Cohort, Evaluation, Individual, Ref
from evogen.errors import RunError
from evogen.evaluation import Problem, developed, evaluate
from evogen.experiment import Experiment, load
from evogen.experiment.launch import problem as posed
from evogen.genome import Genome
from evogen.runs.records import write_back
from evogen.schema import Inheritance
from evogen.strategies import Scene, Told
from evogen.strategies.goals import Goals, measured_in
from evogen.studies.grammar.arms import Arm
from evogen.studies.grammar.files import settings
from evogen.studies.grammar.sets import Size, table
from evogen.studies.grammar.views import evolving, final, searching


@dataclass(frozen=True)
class Found:
    """What one seed came to.

    Attributes:
        test: accuracy on the test rows; 0 where the last training left no network that answers.
        validation: mean log-likelihood on the validation rows before the last training, by which structures
            are chosen; NaN for a baseline that is not chosen, and where these rows were learnt from.
        parameters: trained numbers: weights that connect, and biases.
        neurons: between inputs and outputs.
    """

    test: float
    validation: float
    parameters: int
    neurons: int


def search(
    file: Path, name: str, size: Size, arm: Arm, seed: int, *, cohorts: int, cohort_size: int
) -> Found:
    """Search, let the winner learn from training and validation rows, and test it.

    Args:
        file: the experiment that all searches start from.
        name: of the set.
        size: of the set.
        arm: whose search it is.
        seed: of the split and of the search.
        cohorts: as many, times the arm's shares.
        cohort_size: candidates of each.

    Raises:
        RunError: no candidate ended well.
    """
    wanted = settings(name, size, arm, seed, cohorts=cohorts, cohort_size=cohort_size)
    experiment = load(file, wanted)
    rows = table(name, seed)
    view = evolving(rows) if arm.weights == "evolved" else searching(rows)
    problem = posed(experiment, "cpu")
    genome, validation = winner(experiment, replace(problem, task=view))
    last = replace(problem, task=final(rows))
    (tested,) = evaluate(last, Cohort(0, (Individual(genome),)))
    parameters, neurons = counted(last, genome)
    unseen = math.nan if arm.weights == "evolved" else validation
    return Found(tested.fitness or 0.0, unseen, parameters, neurons)


def winner(experiment: Experiment, problem: Problem) -> tuple[Genome, float]:
    """Search for as many cohorts as the experiment says; return the best genome, as children would get it."""
    lamarckian = experiment.inheritance is Inheritance.LAMARCKIAN
    goals = Goals(experiment.search.objectives, experiment.search.constraints)
    stock: dict[Ref, Genome] = {}
    key = problem.key.child("strategy")
    scene = Scene(experiment.space, stock.__getitem__, key, key)
    state, best = experiment.strategy.start(), Told(Ref(0, 0), None)
    assert experiment.search.cohorts is not None
    for index in range(experiment.search.cohorts):
        bred = experiment.strategy.ask(state, index, experiment.search.cohort_size, scene=scene)
        evaluations = evaluate(problem, Cohort(index, bred))
        results = []
        for row, (individual, evaluation) in enumerate(zip(bred, evaluations, strict=True)):
            ref = Ref(index, row)
            stock[ref] = write_back(individual.genome, evaluation) if lamarckian else individual.genome
            results.append(goals.told(ref, _measures(evaluation)))
        best = max(best, *results, key=lambda told: (told.fitness is not None, told.merit))
        state = _plain(experiment.strategy.tell(state, results, scene=scene))
    if best.fitness is None:
        raise RunError(f"no candidate of {experiment.name} ended well: {evaluations[0].message}")
    return stock[best.ref], best.fitness


def counted(problem: Problem, genome: Genome) -> tuple[int, int]:
    """Return a genome's trained numbers (weights that connect, biases), and its neurons."""
    phenotype = developed(problem, genome)
    return int(phenotype.trainable(0).sum()), sum(phenotype.bodies[0].sizes[1:-1])


def _measures(evaluation: Evaluation) -> dict[str, float] | None:
    return measured_in(evaluation.fitness, evaluation.metrics, evaluation.steps)


def _plain(state: Mapping[str, object]) -> dict[str, object]:
    value: dict[str, object] = json.loads(json.dumps(state, allow_nan=False))
    return value
