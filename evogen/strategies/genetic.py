"""A genetic algorithm: tournament selection, aligned crossover, mutation, elitism (DEAP's operators).

Parents come from the `population` candidates told last plus the `elite` best ever. With cohorts of
`population` candidates and a lookahead of 1 this is the classic generational algorithm with elitism; with
smaller cohorts or a longer lookahead it is its steady-state form. Elites stay parents and are not evaluated
again. Only candidates that ended OK enter the pool, so failed ones rank last and never breed. Until
`population` of them were told, candidates are sampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from deap import tools

from evogen.cohort import Individual, Ref
from evogen.registry import register, setting
from evogen.strategies import Scene, State, Told
from evogen.variation.breed import breed, rate, rates
from evogen.variation.plasticity import Law
from evogen.variation.sample import innovations, sample
from evogen.variation.scoped import scoped


@register("strategy", "genetic")
@dataclass(frozen=True)
class Genetic:
    """Settings of the genetic algorithm; the rates are those of evogen.variation.breed.Rates."""

    many: ClassVar[bool] = False
    population: int = setting(16, low=2, doc="candidates told last that may become parents")
    elite: int = setting(2, low=0, doc="best candidates ever, which stay parents")
    tournament: int = setting(3, low=1, doc="candidates a parent has to be the best of")
    crossover: float = setting(0.5, low=0, high=1, doc="probability that a child has two parents")
    mutate_rules: float = rate("mutate_rules")
    resize_rules: float = rate("resize_rules")
    mutate_codon: float = rate("mutate_codon")
    resize_architecture: float = rate("resize_architecture")
    nudge_codon: float = rate("nudge_codon")
    link_gene: float = rate("link_gene")
    exchange_gene: float = rate("exchange_gene")
    mutate_expression: float = rate("mutate_expression")
    mutate_plasticity: float = rate("mutate_plasticity")
    codon_sigma: float = rate("codon_sigma")
    expression_sigma: float = rate("expression_sigma")
    rules_sigma: float = rate("rules_sigma")
    plasticity_sigma: float = rate("plasticity_sigma")
    plasticity_law: Law = rate("plasticity_law")  # noqa: RUF009
    plasticity_eta: float = rate("plasticity_eta")

    def start(self) -> State:
        """Return an empty pool: lists of [cohort, row, fitness, violation]."""
        return {"recent": [], "elite": []}

    def ask(self, state: State, cohort: int, size: int, *, scene: Scene) -> tuple[Individual, ...]:
        """Return `size` children of the pool, or draws while it is small."""
        recent = _read(state["recent"])
        refs = [Ref(cohort, row) for row in range(size)]
        if len(recent) < self.population:
            return tuple(Individual(sample(scene.space, scene.key, ref, root=scene.root)) for ref in refs)
        pool = list({told.ref: told for told in (*recent, *_read(state["elite"]))}.values())
        return tuple(self._child(ref, pool, scene) for ref in refs)

    def tell(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:  # noqa: ARG002
        """Return the state with the successful results in the window and the elite; first told wins a tie."""
        told = [result for result in results if result.fitness is not None]
        recent = [*_read(state["recent"]), *told][-self.population :]
        elite = tools.selBest([*_read(state["elite"]), *told], self.elite, fit_attr="merit")
        return {"recent": _write(recent), "elite": _write(elite)}

    def welcome(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:
        """Return the state with migrants in the window, and in the elite if they are good enough."""
        return self.tell(state, results, scene=scene)

    def _child(self, ref: Ref, pool: list[Told], scene: Scene) -> Individual:
        own = scene.key.child("breed", ref.cohort, ref.row)
        parents = 2 if own.child("parents").generator().random() < self.crossover else 1
        with scoped(own.child("tournament")):
            chosen = tools.selTournament(pool, parents, self.tournament, fit_attr="merit")
        mother, *father = dict.fromkeys(told.ref for told in tools.selBest(chosen, parents, fit_attr="merit"))
        genome, operator = breed(
            scene.stock(mother),
            scene.stock(father[0]) if father else None,
            space=scene.space,
            key=own.child("variation"),
            ids=innovations(ref),
            rates=rates(self),
        )
        return Individual(genome, (mother, *father), operator)


def _read(records: Sequence[tuple[int, int, float, float]]) -> list[Told]:
    return [
        Told(Ref(cohort, row), fitness, violation=violation) for cohort, row, fitness, violation in records
    ]


def _write(pool: Sequence[Told]) -> list[list[float | None]]:
    return [[*told.ref, told.fitness, told.violation] for told in pool]
