"""What the workers of the engine's tests need: genomes made by hand, and pure evaluations without torch."""

import os
import signal
import time

import numpy as np

from evogen.cohort import Cohort, Evaluation, Individual, Outcome
from evogen.errors import MemoryShortageError
from evogen.genome import Gene, Genome, Rules, frozen
from evogen.keys import Key

KEY = Key(11)


def make_genome(seed=0):
    random = Key(seed).child("genome").generator()
    rules = Rules(tuple(range(5)), frozen(random.normal(size=(5, 5))), frozen(random.normal(size=(2, 4))))
    return Genome(rules, Gene(0, ()), (Gene(1, (3, 1, 4)),), {"eta": random.random()})


def make_cohort(index, size=3):
    return Cohort(index, tuple(Individual(make_genome(100 * index + row)) for row in range(size)))


def evaluate(cohort):
    return tuple(_evaluation(individual.genome) for individual in cohort.individuals)


def _evaluation(genome):
    """One candidate in eight diverges; all depends on the genome's id only."""
    random = KEY.child("life", genome.id).generator()
    if random.random() < 1 / 8:
        return Evaluation(Outcome.DIVERGED, scores=(float("nan"),), message="non-finite score")
    distance = float(np.square(genome.rules.O - 0.3).sum())
    scores = tuple(-distance + 0.01 * random.normal(size=2))
    return Evaluation(
        Outcome.OK,
        fitness=sum(scores) / 2,
        scores=scores,
        metrics={"expected_score": -distance},
        curve=tuple(random.random(3)),
        steps=int(random.integers(100)),
        tuned={0: {"X": frozen(random.random((6, 5)))}, 1: {"l0.X": frozen(random.random((2, 5)))}},
        tuned_rules={"O": frozen(0.9 * genome.rules.O)},
    )


def die_once(marker, cohort):
    """Kill this process while it works on cohort 1, the first time only."""
    if cohort.index == 1 and not marker.exists():
        marker.touch()
        _die()
    return evaluate(cohort)


def die_of(genome_id, cohort):
    """Kill this process whenever the cohort holds that genome."""
    if genome_id in {individual.genome.id for individual in cohort.individuals}:
        _die()
    return evaluate(cohort)


def hang_of(genome_id, cohort):
    """Never return while the cohort holds that genome."""
    if genome_id in {individual.genome.id for individual in cohort.individuals}:
        time.sleep(600)
    return evaluate(cohort)


def starve_of(genome_id, cohort):
    """Run out of memory whenever the cohort holds that genome."""
    if genome_id in {individual.genome.id for individual in cohort.individuals}:
        raise MemoryShortageError("no memory")
    return evaluate(cohort)


def linger(seconds, cohort):
    """Take so long."""
    time.sleep(seconds)
    return evaluate(cohort)


def complain(cohort):
    raise ValueError(f"cohort {cohort.index} fails on {os.environ['OMP_NUM_THREADS']} thread")


def _die():
    os.kill(os.getpid(), signal.SIGKILL)
