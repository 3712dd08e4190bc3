"""A search without torch: a strategy that climbs, an evaluator; run as a script, it searches until killed."""

import math
import os
import sys
import time
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from lives import KEY, evaluate, linger, make_genome

from evogen.cohort import Individual, Ref
from evogen.engine import drive
from evogen.evaluators import Result
from evogen.genome import frozen
from evogen.runs import Run
from evogen.schema import Inheritance, Search


def done(cohort):
    return Result(cohort.index, evaluate(cohort), 0.5, "here")


class Climber:
    """Mutates the best so far; remembers how many cohorts it was told."""

    def start(self):
        return {"told": 0, "best": None}

    def ask(self, state, cohort, size, *, scene):
        return tuple(
            self._child(state["best"], scene.key.child(cohort, row), scene.stock) for row in range(size)
        )

    def tell(self, state, results, *, scene):
        best = state["best"]
        for ref, fitness, *_ in results:
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

    def collect(self, patience=math.inf):
        if patience <= 0 or not self.waiting:
            return None
        time.sleep(self._pause)
        return done(self.waiting.pop())

    def close(self):
        self.waiting.clear()


def new_run(path):
    return Run.create(path, experiment="name: toy\n", files={"grammar.bnf": b"<a> ::= 1\n"}, environment={})


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


def _evaluator(workers, run):
    if not workers:
        return Backwards(pause=0.02)
    from evogen.distributed.workers import RayEvaluator

    return RayEvaluator(partial(linger, 0.2), workers=workers, cpus=0.5, log=run.log)


if __name__ == "__main__":
    folder, cohorts, workers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    opened = Run.open(folder, write=True) if folder.exists() else new_run(folder)
    with opened as run, closing(_evaluator(workers, run)) as evaluator:
        ending = search(run, cohorts, evaluator=evaluator, on_event=lambda _: os.write(1, b"\n"))
    print(ending, flush=True)
