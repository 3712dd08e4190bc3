"""A short search by every registered strategy; evaluation is cheap and torch-free, and fails now and then."""

from dataclasses import dataclass

import numpy as np

from evogen.cohort import Cohort, Evaluation, Outcome
from evogen.engine import drive
from evogen.genome import frozen
from evogen.grammar.modules import plan
from evogen.keys import Key
from evogen.measures import structure
from evogen.registry import find, known
from evogen.runs import Run
from evogen.schema import Inheritance, Search
from evogen.testing.strategy import SPACE

COHORTS, SIZE, LOOKAHEAD = 10, 8, 4
SETTINGS = {
    "genetic": {"population": 8},
    "nsga2": {"population": 8},
    "map-elites": {"measures": {"modules": (1, 4, 3), "rules": (16, 40, 2)}, "initial": 8},
    "tpe": {"startup": 8, "window": 32},
    "islands": {"count": 3, "every": 1, "inner": find("strategy", "genetic")(population=6)},
}
NAMES = sorted(known("strategy"))


def evaluate(cohort: Cohort) -> tuple[Evaluation, ...]:
    return tuple(_evaluation(individual.genome) for individual in cohort.individuals)


def _evaluation(genome):
    """One candidate in eight diverges; all depends on the genome's id only."""
    draws = Key(5).child("life", genome.id).generator()
    if draws.random() < 1 / 8:
        return Evaluation(Outcome.DIVERGED, message="non-finite score")
    rate = np.log(genome.plasticity["learner.learning_rate"] / 0.01)
    far = float(np.square(genome.rules.O - 0.1).sum() + rate**2)
    space = SPACE.architecture
    return Evaluation(
        Outcome.OK,
        fitness=-far,
        scores=(-far - 0.1, -far + 0.1),
        metrics=structure(genome, plan(genome, space.grammar, start=space.start, inputs=3, outputs=2)),
        steps=int(draws.integers(100)),
        tuned={genome.interface.innovation: {"in.X": frozen(draws.random((3, len(genome.rules.genes))))}},
    )


@dataclass(frozen=True)
class Sought:
    """A search by the strategy of this name, in a folder below `root`."""

    root: object
    name: str

    def run(self, evaluator, *ends: int, place: str) -> str:
        """Search up to each of these numbers of cohorts, from the log alone; return the fingerprint."""
        path = self.root / f"{self.name}-{place}"
        Run.create(path, experiment="name: toy\n", files={}, environment={}).close()
        for end in ends:
            with Run.open(path, write=True) as run:
                self._drive(run, evaluator, end)
        with Run.open(path) as run:
            assert run.told == ends[-1]
            return run.fingerprint()

    def _drive(self, run, evaluator, cohorts):
        goals = {"fitness": "maximise", "neurons": "minimise"} if self.name == "nsga2" else None
        drive(
            run,
            find("strategy", self.name)(**SETTINGS.get(self.name, {})),
            evaluator,
            space=SPACE,
            inheritance=Inheritance.LAMARCKIAN,
            search=Search(
                cohorts=cohorts,
                cohort_size=SIZE,
                lookahead=LOOKAHEAD,
                snapshot_every=3,
                constraints={"neurons": {"at_most": 12.0}},
                **({} if goals is None else {"objectives": goals}),
            ),
            key=Key(7),
            on_event=lambda _: None,
        )
