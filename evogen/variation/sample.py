"""New genomes out of nothing, and the identities of new genes.

Initial laws (those of SynaptoGen's reference code): O ~ N(0, 1/g^2), c ~ N(0, 1/(2 n^2)) for g genes and n
transmitters; a random rule mask allows each pair with probability `density`; module genes are grown by the
grammar; every plasticity gene is uniform over its unit interval, so log-uniform where it is declared `log`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

from evogen.cohort import Ref
from evogen.genetics.adhesion import adhesion_mask
from evogen.genome import Array, Gene, Genome, Rules, frozen
from evogen.grammar import grow
from evogen.keys import Key
from evogen.space import ArchitectureSpace, RulesSpace, SearchSpace

BLOCK = 2**12
ROWS = 2**16
_HELD = 16  # searches in one process whose held chromosomes are remembered


def innovations(ref: Ref) -> Iterator[int]:
    """Return the BLOCK identities that the individual at this place may give to new genes.

    They are a function of the place, and the blocks of two places never overlap: cohorts that are bred side
    by side need no shared counter. The identities below BLOCK are common: homologous rule genes, and the
    modules of an architecture that does not evolve.
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
        _architecture(space.architecture, own, innovations(ref))
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
    return tuple(_architecture(space, key, iter(range(1, BLOCK))))


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


def _architecture(space: ArchitectureSpace, key: Key, ids: Iterator[int]) -> list[Gene]:
    rng = key.child("modules").generator()
    count = int(rng.integers(space.min_modules, space.initial_modules + 1))
    codons = [(), *(grow(space.grammar, space.start, rng) for _ in range(count))]
    return [Gene(next(ids), of_one) for of_one in codons]
