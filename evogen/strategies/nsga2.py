"""NSGA-II: several objectives at once (Deb, Pratap, Agarwal and Meyarivan 2002; DEAP's operators).

The population is the best `population` candidates told so far: fronts of mutually non-dominated ones first,
within the last front those with the largest crowding distance. Parents win tournaments of two, by domination,
then by crowding distance; in `population` tournaments everyone takes part twice. With cohorts of `population`
candidates and a lookahead of 1 this is the classic algorithm; with smaller cohorts or a longer lookahead it
is its steady-state form. Plasticity genes are varied as in the paper, by simulated binary crossover and
polynomial mutation of one gene in d; the other chromosomes have laws of their own. Who breaks the constraints
less dominates, and objectives count among equals only. Failed candidates never enter. Until `population`
others were told, candidates are sampled.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from deap import tools

from evogen.cohort import Individual, Ref
from evogen.registry import register, setting
from evogen.strategies import Scene, State, Told
from evogen.variation.breed import breed, rate, rates
from evogen.variation.plasticity import Law
from evogen.variation.sample import innovations, sample
from evogen.variation.scoped import scoped


@register("strategy", "nsga2")
@dataclass(frozen=True)
class NSGA2:
    """Settings of NSGA-II; the rates are those of evogen.variation.breed.Rates.

    Raises:
        ValueError: a population that no whole number of tournaments gives.
    """

    many: ClassVar[bool] = True
    population: int = setting(16, low=4, doc="candidates that may become parents, a multiple of 4")
    crossover: float = setting(0.9, low=0, high=1, doc="probability that a child has two parents")
    mutate_rules: float = rate("mutate_rules")
    resize_rules: float = rate("resize_rules")
    mutate_codon: float = rate("mutate_codon")
    resize_architecture: float = rate("resize_architecture")
    nudge_codon: float = rate("nudge_codon")
    link_gene: float = rate("link_gene")
    exchange_gene: float = rate("exchange_gene")
    mutate_expression: float = rate("mutate_expression")
    mutate_plasticity: float = rate("mutate_plasticity", default=1.0)
    codon_sigma: float = rate("codon_sigma")
    expression_sigma: float = rate("expression_sigma")
    rules_sigma: float = rate("rules_sigma")
    plasticity_sigma: float = rate("plasticity_sigma")
    plasticity_law: Law = rate("plasticity_law", default="polynomial")  # noqa: RUF009
    plasticity_eta: float = rate("plasticity_eta")

    def __post_init__(self) -> None:
        if self.population % 4:
            raise ValueError(f"population {self.population}: wanted a multiple of 4")

    def start(self) -> State:
        """Return an empty population: a list of [cohort, row, [objective, ...], violation]."""
        return {"population": []}

    def ask(self, state: State, cohort: int, size: int, *, scene: Scene) -> tuple[Individual, ...]:
        """Return `size` children of the population, or draws while it is small."""
        population = _read(state["population"])
        refs = [Ref(cohort, row) for row in range(size)]
        if len(population) < self.population:
            return tuple(Individual(sample(scene.space, scene.key, ref, root=scene.root)) for ref in refs)
        population = tools.selNSGA2(population, self.population)  # sets their crowding distance
        winners: list[_Ranked] = []
        while len(winners) < size:
            with scoped(scene.key.child("tournament", cohort, len(winners))):
                winners += tools.selTournamentDCD(population, len(population))
        # winners 0 and 1, 2 and 3, ... are different candidates, and couples: one child has the genes of each
        return tuple(self._child(ref, winners[ref.row].ref, winners[ref.row ^ 1].ref, scene) for ref in refs)

    def tell(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:  # noqa: ARG002
        """Return the state with the best of the population and the successful results."""
        told = [_ranked(result) for result in results if result.fitness is not None]
        pool = list({one.ref: one for one in (*_read(state["population"]), *told)}.values())
        return {"population": _write(tools.selNSGA2(pool, self.population) if pool else [])}

    def welcome(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:
        """Return the state with candidates of another island, which compete like those told."""
        return self.tell(state, results, scene=scene)

    def _child(self, ref: Ref, mother: Ref, other: Ref, scene: Scene) -> Individual:
        own = scene.key.child("breed", ref.cohort, ref.row)
        father = other if own.child("parents").generator().random() < self.crossover else None
        genome, operator = breed(
            scene.stock(mother),
            None if father is None else scene.stock(father),
            space=scene.space,
            key=own.child("variation"),
            ids=innovations(ref),
            rates=rates(self),
        )
        return Individual(genome, (mother,) if father is None else (mother, father), operator)


@dataclass(unsafe_hash=True)
class _Fitness:
    """What DEAP's sorting asks of a fitness; it writes the crowding distance into it.

    Attributes:
        values: the objectives, higher is better.
        violation: by how much the constraints are broken.
    """

    values: tuple[float, ...]
    violation: float
    crowding_dist: float = field(default=0.0, compare=False)

    def dominates(self, other: _Fitness) -> bool:
        """Tell whether this is better: breaks the constraints less, or equally and no objective is worse."""
        if self.violation != other.violation:
            return self.violation < other.violation
        return self.values != other.values and all(map(operator.ge, self.values, other.values))


class _Ranked(NamedTuple):
    ref: Ref
    fitness: _Fitness


def _ranked(told: Told) -> _Ranked:
    assert told.fitness is not None
    return _Ranked(told.ref, _Fitness((told.fitness, *told.others), told.violation))


def _read(records: Sequence[tuple[int, int, list[float], float]]) -> list[_Ranked]:
    return [
        _Ranked(Ref(cohort, row), _Fitness(tuple(values), violation))
        for cohort, row, values, violation in records
    ]


def _write(population: Sequence[_Ranked]) -> list[list[int | float | list[float]]]:
    return [[*one.ref, list(one.fitness.values), one.fitness.violation] for one in population]
