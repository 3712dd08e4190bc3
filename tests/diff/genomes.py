"""Genomes of every shape for the tests of differences: invented, drawn and bred ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st
from variation import neural, spaces

from evogen.cohort import Ref
from evogen.genome import Array, Gene, Genome, Rules, frozen
from evogen.keys import Key
from evogen.space import SearchSpace
from evogen.variation.breed import Rates, breed
from evogen.variation.sample import innovations

NUMBERS = st.sampled_from([0.0, -0.0, 0.5, 1.0, 2.0])
VALUES: Any = st.sampled_from([0, 0.0, -0.0, 1, 1.0, True, "x"])
OFTEN = Rates(
    resize_rules=0.4, resize_architecture=0.4, link_gene=0.4, exchange_gene=0.5, mutate_expression=0.5
)


@st.composite
def genomes(draw: st.DrawFn) -> Genome:
    """Any genome with sound identities: with or without rules and mask, in any order, X that fits or not."""
    genes = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=4, unique=True)))
    g, n = len(genes), draw(st.integers(1, 2))

    def array(*shape: int) -> Array:
        size = int(np.prod(shape))
        return frozen(np.reshape(draw(st.lists(NUMBERS, min_size=size, max_size=size)), shape))

    mask = array(g, g) if draw(st.booleans()) else None
    rules = Rules(genes, array(g, g), array(n, 2 * n), 0.1 + draw(NUMBERS), mask)

    def gene(innovation: int) -> Gene:
        shapes = {
            "l0.X": (draw(st.integers(1, 3)), draw(st.sampled_from([g, g, g, 2]))),
            "l1.X": (draw(st.integers(1, 3)), g),
            "l0.T": (draw(st.integers(1, 3)), 2),
            "in>l0.W": (draw(st.integers(1, 3)), 2),
        }
        named = draw(st.lists(st.sampled_from(sorted(shapes)), unique=True))
        codons = tuple(draw(st.lists(st.integers(0, 3), max_size=3)))
        place = (draw(st.integers(0, 1)), draw(st.integers(0, 1)), draw(st.sampled_from([0, 10])))
        return Gene(innovation, codons, {name: array(*shapes[name]) for name in named}, *place)

    modules = tuple(gene(name) for name in draw(st.lists(st.integers(10, 14), max_size=4, unique=True)))
    plasticity = draw(st.dictionaries(st.sampled_from(["a", "b"]), VALUES))
    interface = gene(draw(st.sampled_from([1, 1, 2])))
    return Genome(draw(st.sampled_from([rules, rules, rules, None])), interface, modules, plasticity)


def families(seed: int, generations: int = 8) -> Iterator[list[Genome]]:
    """Yield pools of relatives, of modules with rules and of neurons with links, each with expression."""
    for space, pool in (
        (spaces.SPACE, [spaces.tuned(spaces.draw(row, seed=seed), seed=row) for row in range(3)]),
        (
            SearchSpace(None, neural.space_of(structure="modules")),
            [neural.tuned(neural.drawn(neural.space_of(), row), row) for row in range(3)],
        ),
    ):
        for generation in range(1, generations + 1):
            rng = Key(seed).child("mates", generation).generator()
            mother, father = (pool[int(rng.integers(len(pool)))] for _ in range(2))
            ids, key = innovations(Ref(generation, 0)), Key(seed).child(generation)
            pool.append(breed(mother, father, space=space, key=key, ids=ids, rates=OFTEN)[0])
        yield pool
