"""SearchSpace: what may vary, and between which bounds.

A distribution maps its values to the unit interval and back, so that a mutation step is relative to the
gene's range, and to the range of its logarithm where the gene is declared `log`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, Protocol

from evogen.genome import Gene
from evogen.grammar import Grammar
from evogen.grammar.constraints import Constraint
from evogen.grammar.derivation import MAX_DEPTH
from evogen.grammar.neurons import STRUCTURES, Structure
from evogen.registry import parts, setting

ADHESION = 39  # genes of the worm's adhesion rules, evogen.genetics.adhesion


class Distribution(Protocol):
    """The values that one named gene may take."""

    def value(self, unit: float) -> float | int | str:
        """Return the value at this point of [0, 1]."""
        ...

    def unit(self, value: float | int | str) -> float:
        """Return the point of [0, 1] of this value, clipped to the bounds."""
        ...


@dataclass(frozen=True)
class Uniform:
    """Any number in [low, high]."""

    low: float
    high: float

    def value(self, unit: float) -> float:
        """Return low at 0 and high at 1."""
        return min(max(self.low + unit * (self.high - self.low), self.low), self.high)

    def unit(self, value: float | int | str) -> float:
        """Return 0 at low and 1 at high."""
        return _clip((float(value) - self.low) / (self.high - self.low))


@dataclass(frozen=True)
class Log:
    """Any number in [low, high], low > 0, evenly spread over its logarithm."""

    low: float
    high: float

    def value(self, unit: float) -> float:
        """Return low at 0, the geometric mean at 1/2 and high at 1."""
        return float(min(max(self.low * (self.high / self.low) ** unit, self.low), self.high))

    def unit(self, value: float | int | str) -> float:
        """Return the place of log(value) between log(low) and log(high)."""
        return _clip(math.log(float(value) / self.low) / math.log(self.high / self.low))


@dataclass(frozen=True)
class Integers:
    """Any whole number in [low, high], both included."""

    low: int
    high: int

    def value(self, unit: float) -> int:
        """Return one of high - low + 1 equally likely numbers."""
        return min(self.low + int(unit * (self.high - self.low + 1)), self.high)

    def unit(self, value: float | int | str) -> float:
        """Return the middle of the number's share of [0, 1]."""
        return _clip((float(value) - self.low + 0.5) / (self.high - self.low + 1))


@dataclass(frozen=True)
class RulesSpace:
    """Bounds of the rules chromosome.

    Attributes:
        genes: gene count g of a new genome.
        min_genes, max_genes: bounds that deletion and duplication keep.
        transmitters: n, the same for every genome of the space.
        temperature: tau of P = sigmoid(O / tau).
        mask: which gene pairs a new genome has a rule for: no mask at all, each pair by chance, or the worm's
            47 adhesion rules among 39 genes. What becomes of the others is the wiring's own setting `mask`.
        density: chance of each pair of a random mask.
        evolve: False holds O, c and mask at the first genome's draw for the whole search.

    Raises:
        ValueError: a density without a random mask, or adhesion rules among another number of genes.
    """

    genes: int = setting(16, low=1, high=1024, doc="gene count of a new genome")
    min_genes: int = setting(4, low=1, high=1024, doc="fewest genes that deletion leaves")
    max_genes: int = setting(32, low=1, high=1024, doc="most genes that duplication makes")
    transmitters: int = setting(3, low=1, high=64, doc="neurotransmitters")
    temperature: float = setting(0.1, low=1e-3, high=1e3, doc="tau of P = sigmoid(O / tau)")
    mask: Literal["none", "random", "adhesion"] = setting(
        "none", doc="gene pairs with a rule: not told apart, drawn by chance, or the worm's 47 of 39 genes"
    )
    density: float = setting(1.0, low=1e-6, high=1.0, doc="chance of each gene pair of a random mask")
    evolve: bool = setting(True, doc="whether O, c and mask differ between genomes")

    def __post_init__(self) -> None:
        if self.density != 1 and self.mask != "random":
            raise ValueError(
                f"density {self.density:g}: wanted only with mask: random, found mask: {self.mask}"
            )
        if self.mask == "adhesion" and self.genes != ADHESION:
            raise ValueError(
                f"genes {self.genes}: wanted {ADHESION} with mask: adhesion, whose rules are among that many "
                f"(and max_genes of at least {ADHESION})"
            )


@dataclass(frozen=True)
class ArchitectureSpace:
    """Bounds of the architecture chromosome.

    What a gene is follows from the type of the start: `module`, a whole module; `neurons`, one neuron group
    of a structure (see `evogen.grammar.neurons`); `net`, for the mappings `flat` and `structured`, which
    derive one sentence of all groups from one gene, or from a gene for each non-terminal of the grammar.

    Attributes:
        grammar: the grammar that maps genes to sentences.
        start: the symbol that every gene is derived from.
        min_modules, max_modules: bounds on the number of genes; a new genome has between min_modules and
            initial_modules, but of neurons at least one in every module of its structure. The mappings flat
            and structured have no use for them.
        initial_modules: see above.
        evolve: False holds the first genome's genes for the whole search.
        structure, layers: how neuron groups lie together; layers counts only where the structure has several.
        weights: of neurons: `trained`, drawn innately and tuned by the learner; `evolved`, the numbers of the
            sentences, or inherited expression that mutates, and no learner; `evolved+tuned`, both.
        mapping: how codons become sentences.
        initialiser: how new codons are drawn.
        max_depth: symbols from root to leaf of a new derivation.
        constraints: what every plan is repaired to keep, in this order.
        inputs, outputs: of the task; no settings.
    """

    grammar: Grammar
    start: str = setting("module", doc="symbol that every gene is derived from")
    min_modules: int = setting(1, low=1, high=1024, doc="fewest genes that deletion leaves")
    initial_modules: int = setting(1, low=1, high=1024, doc="most genes of a new genome")
    max_modules: int = setting(4, low=1, high=1024, doc="most genes that addition makes")
    evolve: bool = setting(True, doc="whether the genes differ between genomes")
    structure: Literal["flat", "layered", "modules", "coupled", "layered-modules"] = setting(
        "flat", doc="of neurons: with modules (one per output) or not, in one hidden layer or several"
    )
    layers: int = setting(2, low=1, high=16, doc="of neurons: hidden layers of a structure with several")
    weights: Literal["trained", "evolved", "evolved+tuned"] = setting(
        "trained", doc="of neurons: drawn and trained, part of the genome, or part of it and trained"
    )
    mapping: Literal["genes", "flat", "structured"] = setting(
        "genes", doc="a sentence per gene; or one of all, from one gene or from one per non-terminal"
    )
    initialiser: Literal["grow", "pi-grow", "ramped", "size-uniform"] = setting(
        "grow", doc="how the codons of new genes are drawn"
    )
    max_depth: int = setting(MAX_DEPTH, low=1, high=100, doc="symbols from root to leaf of a new derivation")
    constraints: tuple[Constraint, ...] = parts("constraint", doc="what every network is repaired to keep")
    inputs: int = 1
    outputs: int = 1

    @property
    def type(self) -> str:
        """The type of the start: `module`, `neurons` or `net`; empty for one without."""
        return self.grammar.start(self.start).type or ""

    @property
    def shape(self) -> Structure:
        """The structure of neuron groups."""
        return STRUCTURES[self.structure]

    @property
    def places(self) -> int:
        """Modules that a gene of neurons can lie in."""
        return self.outputs if self.shape.modular else 1

    @property
    def depth(self) -> int:
        """Layers that a gene of neurons can lie in."""
        return self.layers if self.shape.layered else 1

    def context(self, module: int, layer: int, genes: Sequence[Gene]) -> Mapping[str, int]:
        """Return what the dynamic rules of a gene in this place count.

        Args:
            module: of the gene.
            layer: of the gene.
            genes: of its genome, itself included or not.
        """
        if not self.shape.layered or layer == 0:
            return counts(self.inputs, 0, self.outputs)
        below = [gene for gene in genes if gene.layer == layer - 1]
        reached = [gene for gene in below if gene.module == module] if self.shape.modular else below
        return counts(self.inputs, len(reached), self.outputs)


@lru_cache(maxsize=4096)
def counts(inputs: int, below: int, outputs: int) -> Mapping[str, int]:
    """Return what dynamic rules may pick from: inputs, groups in reach in the layer below, modules."""
    return MappingProxyType({"inputs": inputs, "below": below, "sources": inputs + below, "modules": outputs})


@dataclass(frozen=True)
class SearchSpace:
    """What may vary; `rules` is None for a wiring without genetic rules."""

    rules: RulesSpace | None
    architecture: ArchitectureSpace
    plasticity: Mapping[str, Distribution] = field(default_factory=dict)


def _clip(unit: float) -> float:
    return min(max(unit, 0.0), 1.0)
