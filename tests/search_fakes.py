"""A search without torch: genomes made by hand, a pure evaluation, a strategy that climbs, two evaluators."""

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from evogen.cohort import Cohort, Evaluation, Individual, Outcome, Ref
from evogen.engine import drive
from evogen.genome import Gene, Genome, Rules, frozen
from evogen.keys import Key
from evogen.runs import Run
from evogen.schema import Inheritance, Search

KEY = Key(11)


class Done(tuple):
    """evogen.evaluation.Result by shape, without the import of torch."""

    __slots__ = ()
    cohort = property(lambda self: self[0])
    evaluations = property(lambda self: self[1])
    seconds = property(lambda self: self[2])
    worker = property(lambda self: self[3])


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


def done(cohort):
    return Done((cohort.index, evaluate(cohort), 0.5, "here"))


class Climber:
    """Mutates the best so far; remembers how many cohorts it was told."""

    def start(self):
        return {"told": 0, "best": None}

    def ask(self, state, cohort, size, *, space, stock, key):
        return tuple(self._child(state["best"], key.child(cohort, row), stock) for row in range(size))

    def tell(self, state, results):
        best = state["best"]
        for ref, fitness in results:
            if fitness is not None and (best is None or fitness > best[2]):
                best = (*ref, fitness)
        return {"told": state["told"] + 1, "best": best}

    def _child(self, best, key, stock):
        if best is None:
            return Individual(make_genome(key.integer()))
        parent = stock(Ref(*best[:2]))
        O = parent.rules.O + key.generator().normal(scale=0.1, size=(5, 5))
        genome = replace(parent, rules=replace(parent.rules, O=frozen(O)))
        return Individual(genome, (Ref(*best[:2]),), "climb")


class Backwards:
    """Finishes the cohort that was submitted last first; `pause` in seconds makes it slow."""

    slots = 2

    def __init__(self, pause=0.0):
        self.waiting = []
        self.most = 0
        self._pause = pause

    def submit(self, cohort):
        self.waiting.append(cohort)
        self.most = max(self.most, len(self.waiting))

    def collect(self):
        time.sleep(self._pause)
        return done(self.waiting.pop())

    def close(self):
        self.waiting.clear()


def new_run(path):
    return Run.create(path, experiment="name: toy\n", files={"grammar.bnf": "<a> ::= 1\n"}, environment={})


def search(run, cohorts, *, evaluator=None, strategy=None, on_event=lambda _: None, **settings):
    inheritance = settings.pop("inheritance", Inheritance.LAMARCKIAN)
    settings = {"cohort_size": 3, "lookahead": 2, "snapshot_every": 4} | settings
    return drive(
        run,
        strategy or Climber(),
        evaluator or Backwards(),
        space=None,
        inheritance=inheritance,
        search=Search(cohorts=cohorts, **settings),
        key=KEY,
        on_event=on_event,
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


def complain(cohort):
    raise ValueError(f"cohort {cohort.index} fails on {os.environ['OMP_NUM_THREADS']} thread")


def _die():
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    folder, cohorts = Path(sys.argv[1]), int(sys.argv[2])
    with Run.open(folder, write=True) if folder.exists() else new_run(folder) as run:
        print("ready", flush=True)
        search(run, cohorts, evaluator=Backwards(pause=0.002))
