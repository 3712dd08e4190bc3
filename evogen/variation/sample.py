"""New genomes out of nothing, and the identities of new genes.

Initial laws (those of SynaptoGen's reference code): O ~ N(0, 1/g^2), c ~ N(0, 1/(2 n^2)) for g genes and n
transmitters; a random rule mask allows each pair with probability `density`; module genes are grown by the
grammar; every plasticity gene is uniform over its unit interval, so log-uniform where it is declared `log`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from evogen.cohort import Ref
from evogen.genetics.adhesion import adhesion_mask
from evogen.genome import Array, Gene, Genome, Rules, frozen
from evogen.grammar import derive
from evogen.grammar.initialisers import find
from evogen.grammar.mappers import structured
from evogen.keys import Key
from evogen.space import ArchitectureSpace, RulesSpace, SearchSpace

BLOCK = 2**12
HOMOLOGOUS = 2  # identity of the first list of the mapping `structured`, the same in all genomes
ROWS = 2**16
_HELD = 16  # searches in one process whose held chromosomes are remembered


def innovations(ref: Ref) -> Iterator[int]:
    """Return the BLOCK identities that the individual at this place may give to new genes.

    They are a function of the place, and the blocks of two places never overlap: cohorts that are bred side
    by side need no shared counter. The identities below BLOCK are common: homologous rule genes, the lists
    of the mapping `structured`, and the genes of an architecture that does not evolve.
    """
    assert ref.row < ROWS
    first = (ref.cohort * ROWS + ref.row + 1) * BLOCK
    return iter(range(first, first + BLOCK))


def sample(space: SearchSpace, key: Key, ref: Ref, *, root: Key | None = None) -> Genome:
    """Draw a genome of the space.

    The rule genes of all new genomes are homologous (identities 1 to g), so that crossover can align them;
    modules and interfaces are not.

    Args:
        space: what may vary. A chromosome with `evolve` False is the same for every `ref` of one `root`; the
            interface gene counts to the architecture.
        key: the strategy's key, the same for every individual of it.
        ref: the place of the new individual, which names its own streams and its genes' identities.
        root: the whole search's key, if the strategy is a part of another one.
    """
    own, held = key.child("sample", ref.cohort, ref.row), (root or key).child("held")
    rules = None
    if space.rules is not None:
        rules = _rules(space.rules, own) if space.rules.evolve else _held_rules(space.rules, held)
    evolves = space.architecture.evolve
    interface, *modules = (
        genes(space.architecture, own, innovations(ref))
        if evolves
        else _held_architecture(space.architecture, held)
    )
    plasticity = {
        name: distribution.value(own.child("plasticity", name).generator().random())
        for name, distribution in space.plasticity.items()
    }
    return Genome(rules, interface, tuple(modules), plasticity)


@lru_cache(maxsize=_HELD)
def _held_rules(space: RulesSpace, key: Key) -> Rules:
    return _rules(space, key)


@lru_cache(maxsize=_HELD)
def _held_architecture(space: ArchitectureSpace, key: Key) -> tuple[Gene, ...]:
    return tuple(genes(space, key, iter(range(1, BLOCK))))


def _rules(space: RulesSpace, key: Key) -> Rules:
    g, n = space.genes, space.transmitters
    O = key.child("O").generator().normal(0, 1 / g, (g, g))  # ~ N(0, 1/g^2)
    c = key.child("c").generator().normal(0, 1 / (math.sqrt(2) * n), (n, 2 * n))  # ~ N(0, 1/(2 n^2))
    return Rules(
        tuple(range(1, g + 1)), frozen(O), frozen(c), space.temperature, _mask(space, key.child("mask"))
    )


def _mask(space: RulesSpace, key: Key) -> Array | None:
    """Draw the (g, g) mask; one that would allow no pair at all allows any one of them instead."""
    if space.mask == "none":
        return None
    if space.mask == "adhesion":
        return frozen(adhesion_mask()[1])
    rng, g = key.generator(), space.genes
    allowed = rng.random((g, g)) < space.density  # ~ Bernoulli(density)
    if not allowed.any():
        allowed.ravel()[rng.integers(g * g)] = True
    return frozen(allowed)


def genes(space: ArchitectureSpace, key: Key, ids: Iterator[int]) -> list[Gene]:
    """Draw the interface gene and the architecture genes of a new genome.

    Args:
        space: bounds and laws.
        key: of the genome.
        ids: identities of new genes.
    """
    rng = key.child("modules").generator()
    interface = Gene(next(ids), ())
    match space.type:
        case "net":
            return [interface, *_net(space, rng, ids)]
        case "neurons":
            return [interface, *_neurons(space, rng, ids)]
    count = int(rng.integers(space.min_modules, space.initial_modules + 1))
    grown = [grow(space, 0, 0, (), rng) for _ in range(count)]
    return [interface, *(Gene(next(ids), codons) for codons in grown)]


def grow(
    space: ArchitectureSpace, module: int, layer: int, among: Sequence[Gene], rng: np.random.Generator
) -> tuple[int, ...]:
    """Draw the codons of a gene in this place, among the genes of its genome."""
    context = None if space.type == "module" else space.context(module, layer, among)
    return find(space.initialiser)(
        space.grammar, space.start, rng, max_depth=space.max_depth, context=context
    )


def _neurons(space: ArchitectureSpace, rng: np.random.Generator, ids: Iterator[int]) -> list[Gene]:
    """Place genes in turns, a layer in each turn, one in every module; the rest of a turn goes by chance."""
    count = max(int(rng.integers(space.min_modules, space.initial_modules + 1)), space.places)
    placed: list[Gene] = []
    while len(placed) < count:
        turn = min(space.places, count - len(placed))
        modules = sorted(rng.permutation(space.places)[:turn].tolist())
        layer = len(placed) // space.places % space.depth
        placed += [Gene(next(ids), (), module=module, layer=layer) for module in modules]
    return [replace(gene, codons=grow(space, gene.module, gene.layer, placed, rng)) for gene in placed]


def _net(space: ArchitectureSpace, rng: np.random.Generator, ids: Iterator[int]) -> list[Gene]:
    codons = grow(space, 0, 0, (), rng)
    if space.mapping == "flat":
        return [Gene(next(ids), codons)]
    grammar, context = space.grammar, space.context(0, 0, ())
    lists = structured.encode(grammar, derive(grammar, space.start, codons, context), context)
    return [Gene(HOMOLOGOUS + at, entries) for at, entries in enumerate(lists)]
