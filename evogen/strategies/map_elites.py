"""MAP-Elites: the best candidate of every kind (Mouret and Clune 2015, arXiv:1504.04909; archive of `ribs`).

The measures named in the experiment span a grid. Each cell keeps the best candidate whose measures fall into
it, and on a tie the one told first; measures beyond a range count to the cells at its end. A parent is drawn
evenly from the filled cells, with probability `crossover` a second one from the others, so that rare kinds
breed as often as common ones. By default plasticity genes are crossed along the line through both
parents (Vassiliades and Mouret 2018). That found more than blends on a grid of 400 cells and less on one of
15, where lines between few elites shrink what these span: there `plasticity_law: gaussian`, with `crossover`
and `mutate_plasticity` of 0.5, is better. Only candidates that ended OK and keep the constraints enter. Until
`initial` candidates were told, and as long as no cell is filled, candidates are sampled.

Needs the extra `qd`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from math import fsum, isfinite, nan, prod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from evogen.cohort import Individual, Ref
from evogen.errors import near
from evogen.measures import MEASURES
from evogen.metrics import sentences
from evogen.registry import register, setting
from evogen.strategies import Scene, State, Told
from evogen.variation.breed import breed, rate, rates
from evogen.variation.plasticity import Law
from evogen.variation.sample import innovations, sample

CELLS = 1_000_000


class Elite(NamedTuple):
    """The best candidate of a cell: its place, its fitness, and its measures, clipped to their ranges."""

    ref: Ref
    fitness: float
    measures: tuple[float, ...]


class Standing(NamedTuple):
    """How far an archive has come.

    Attributes:
        elites: filled cells.
        coverage: their share of all cells.
        qd_score: sum over the elites of fitness minus `floor` (Pugh, Soros and Stanley 2016); it only grows
            if no fitness is below the floor.
        best: highest fitness; None for an empty archive.
    """

    elites: int
    coverage: float
    qd_score: float
    best: float | None


@register("strategy", "map-elites")
@dataclass(frozen=True)
class MAPElites:
    """Settings of MAP-Elites; the rates are those of evogen.variation.breed.Rates.

    Raises:
        ValueError: no measure, an unknown one, an empty range, no or too many cells, or no `ribs`.
    """

    many: ClassVar[bool] = False
    measures: dict[str, tuple[float, float, int]] = field(
        default_factory=lambda: {"synapses": (0.0, 500.0, 20), "depth": (1.0, 6.0, 6)},
        metadata={"doc": "axes of the grid by LOW, HIGH, CELLS: {synapses: [0, 500, 20], depth: [1, 6, 6]}"},
    )
    initial: int = setting(32, low=1, doc="candidates to be told before any is bred")
    crossover: float = setting(0.75, low=0, high=1, doc="probability that a child has two parents")
    mutate_rules: float = rate("mutate_rules")
    resize_rules: float = rate("resize_rules")
    mutate_codon: float = rate("mutate_codon")
    resize_architecture: float = rate("resize_architecture")
    nudge_codon: float = rate("nudge_codon")
    link_gene: float = rate("link_gene")
    exchange_gene: float = rate("exchange_gene")
    mutate_expression: float = rate("mutate_expression")
    mutate_plasticity: float = rate("mutate_plasticity", default=0.1)
    codon_sigma: float = rate("codon_sigma")
    expression_sigma: float = rate("expression_sigma")
    rules_sigma: float = rate("rules_sigma")
    plasticity_sigma: float = rate("plasticity_sigma")
    plasticity_law: Law = rate("plasticity_law", default="iso-line")  # noqa: RUF009
    plasticity_eta: float = rate("plasticity_eta")

    def __post_init__(self) -> None:
        if not self.measures:
            raise ValueError("measures: wanted at least one, as in {synapses: [0, 500, 20]}; found none")
        for name, (low, high, cells) in self.measures.items():
            if name not in MEASURES and name not in (every := MEASURES | sentences()):
                raise ValueError(f"measures: unknown measure '{name}'{near(name, every)}")
            if not (isfinite(low) and isfinite(high) and low < high and cells >= 1):
                raise ValueError(
                    f"measures.{name}: wanted [LOW, HIGH, CELLS] with LOW < HIGH and CELLS >= 1, "
                    f"found [{low:g}, {high:g}, {cells}]"
                )
        if self.cells > CELLS:
            raise ValueError(f"measures: wanted at most {CELLS:,} cells in all, found {self.cells:,}")
        if find_spec("ribs") is None:
            raise ValueError("map-elites keeps its archive with ribs: pip install 'evogen[qd]'")

    @property
    def cells(self) -> int:
        """Cells of the grid, filled or not."""
        return prod(cells for _, _, cells in self.measures.values())

    def start(self) -> State:
        """Return an empty archive, a list of [cohort, row, fitness, [measure, ...]]; nobody was told."""
        return {"told": 0, "elites": []}

    def ask(self, state: State, cohort: int, size: int, *, scene: Scene) -> tuple[Individual, ...]:
        """Return `size` children of elites, or draws while there are few candidates or no elite."""
        elites = archive(state)
        refs = [Ref(cohort, row) for row in range(size)]
        if state["told"] < self.initial or not elites:
            return tuple(Individual(sample(scene.space, scene.key, ref, root=scene.root)) for ref in refs)
        return tuple(self._child(ref, elites, scene) for ref in refs)

    def tell(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:
        """Return the state with every result in its cell that is better than what was there."""
        told = {"told": state["told"] + len(results)}
        return {**self.welcome(state, results, scene=scene), **told}

    def welcome(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:  # noqa: ARG002
        """Return the state with candidates of another island in their cells, by the same law."""
        found = [elite for result in results if (elite := self._elite(result)) is not None]
        return {**state, "elites": self._inserted([*archive(state), *found])}

    def _elite(self, told: Told) -> Elite | None:
        """Return what might enter: None for what failed, breaks a constraint or lacks a measure."""
        values = [told.metrics.get(name, nan) for name in self.measures]
        if told.fitness is None or told.violation > 0 or not all(map(isfinite, values)):
            return None
        bounds = self.measures.values()
        clipped = (min(max(value, low), high) for value, (low, high, _) in zip(values, bounds, strict=True))
        return Elite(told.ref, told.fitness, tuple(map(float, clipped)))

    def _inserted(self, elites: Sequence[Elite]) -> list[list[Any]]:
        """Return the best of every cell in the order of cells; the first one of equals."""
        from ribs.archives import GridArchive

        if not elites:
            return []
        grid = GridArchive(
            solution_dim=2,
            dims=[cells for _, _, cells in self.measures.values()],
            ranges=[(low, high) for low, high, _ in self.measures.values()],
            solution_dtype=np.int64,
            objective_dtype=np.float64,
            measures_dtype=np.float64,
        )
        refs, fitness, measures = zip(*elites, strict=True)
        grid.add(refs, fitness, measures)
        kept = grid.data(["index", "solution", "objective", "measures"])
        order = np.argsort(kept["index"])
        columns = (kept[name][order].tolist() for name in ("solution", "objective", "measures"))
        return [[*ref, best, values] for ref, best, values in zip(*columns, strict=True)]

    def _child(self, ref: Ref, elites: Sequence[Elite], scene: Scene) -> Individual:
        own = scene.key.child("breed", ref.cohort, ref.row)
        rng = own.child("parents").generator()
        couple = len(elites) > 1 and rng.random() < self.crossover
        mother, *father = (elites[at].ref for at in rng.choice(len(elites), 1 + couple, replace=False))
        genome, operator = breed(
            scene.stock(mother),
            scene.stock(father[0]) if father else None,
            space=scene.space,
            key=own.child("variation"),
            ids=innovations(ref),
            rates=rates(self),
        )
        return Individual(genome, (mother, *father), operator)


def archive(state: State) -> tuple[Elite, ...]:
    """Return the elites of a state of MAP-Elites, in the order of their cells."""
    return tuple(
        Elite(Ref(cohort, row), fitness, tuple(measures))
        for cohort, row, fitness, measures in state["elites"]
    )


def standing(strategy: MAPElites, state: State, *, floor: float = 0.0) -> Standing:
    """Return coverage and QD score of a state; `floor` is the lowest fitness that the task can give."""
    fitness = [elite.fitness for elite in archive(state)]
    score = fsum(value - floor for value in fitness)
    return Standing(len(fitness), len(fitness) / strategy.cells, score, max(fitness, default=None))
