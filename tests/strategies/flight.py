"""A search in one process, its cohorts in the order of the engine's pipeline."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evogen.cohort import Individual, Ref
from evogen.genome import Genome
from evogen.grammar import parse
from evogen.keys import Key
from evogen.space import ArchitectureSpace, RulesSpace, SearchSpace, Uniform
from evogen.strategies import Scene, State, Told
from evogen.variation.vector import Flat, flat

ARCHITECTURE = ArchitectureSpace(parse("<module> @type(module) ::= layer:dense [width,int,1,2,9]"))
TEN = SearchSpace(None, ARCHITECTURE, {f"x{i}": Uniform(-5.0, 5.0) for i in range(10)})
MIXED = SearchSpace(RulesSpace(genes=4, transmitters=2), ARCHITECTURE, {"a": Uniform(-5.0, 5.0)})
KEY = Key(0)
OPTIMUM = np.linspace(-2, 2, 10)
Objective = Callable[[Genome], float | None]


def near_optimum(genome: Genome) -> float:
    """Minus the squared distance of the ten genes to OPTIMUM."""
    return -float(np.sum((np.array([genome.plasticity[f"x{i}"] for i in range(10)]) - OPTIMUM) ** 2))


def rosenbrock(genome: Genome) -> float:
    """Minus Rosenbrock's function of the ten genes, whose optimum is at 1."""
    y = np.array([genome.plasticity[f"x{i}"] for i in range(10)])
    return -float(np.sum(100 * (y[1:] - y[:-1] ** 2) ** 2 + (1 - y[:-1]) ** 2))


def small_numbers(genome: Genome) -> float:
    """Minus a sum of squares over the numbers of a genome of MIXED, away from zero."""
    assert genome.rules is not None
    O, c = np.float64(genome.rules.O), np.float64(genome.rules.c)
    return -float(np.sum((O - 0.1) ** 2) + np.sum((c + 0.2) ** 2) + (float(genome.plasticity["a"]) - 1) ** 2)


@dataclass
class Flight:
    """What was asked and told; `scene` gives genomes as they were born, unless another stock is put in."""

    strategy: Any
    space: SearchSpace = TEN
    key: Key = KEY
    states: list[State] = field(default_factory=list)
    found: dict[Ref, Individual] = field(default_factory=dict)
    fitness: list[float | None] = field(default_factory=list)

    @property
    def scene(self) -> Scene:
        return Scene(self.space, lambda ref: self.found[ref].genome, self.key, self.key)

    @property
    def view(self) -> Flat:
        return flat(self.space, self.key)

    @property
    def state(self) -> State:
        return self.states[-1] if self.states else self.strategy.start()

    @property
    def best(self) -> float:
        return max(fitness for fitness in self.fitness if fitness is not None)

    def fly(self, objective: Objective, cohorts: int, size: int, *, lookahead: int = 1) -> "Flight":
        self.states = self.states or [self.strategy.start()]
        for cohort in range(cohorts):
            state = self.states[max(0, cohort - lookahead + 1)]
            asked = self.strategy.ask(state, cohort, size, scene=self.scene)
            self.tell(cohort, asked, [objective(one.genome) for one in asked])
        return self

    def tell(self, cohort: int, asked: Sequence[Individual], values: Sequence[float | None]) -> None:
        self.found.update((Ref(cohort, row), one) for row, one in enumerate(asked))
        self.fitness += values
        told = [Told(Ref(cohort, row), value) for row, value in enumerate(values)]
        after = self.strategy.tell(self.state, told, scene=self.scene)
        self.states.append(json.loads(json.dumps(after)))
