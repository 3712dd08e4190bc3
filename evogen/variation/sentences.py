"""Variation of genomes that say a whole network in one sentence: one list of codons, or one per non-terminal.

One list (`flat`) is crossed at one point; lists (`structured`) are homologous, so that whole lists come from
either parent. What was learnt lies in the first gene and follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from evogen.genome import Genome
from evogen.grammar import CODONS
from evogen.grammar.mappers.structured import Slot, decode, needed, slots
from evogen.grammar.model import Numeric
from evogen.keys import Key
from evogen.space import ArchitectureSpace
from evogen.variation.codons import TRIES, idle, reflected


def splice(mother: Genome, father: Genome, key: Key) -> Genome:
    """Return the mother with the father's codons behind a point of her only gene; what she learnt stays."""
    (hers,), (his,) = mother.architecture, father.architecture
    length = min(len(hers.codons), len(his.codons))
    if length < 2:
        return mother
    at = int(key.generator().integers(1, length))  # ~ U{1 .. length - 1}
    codons = (*hers.codons[:at], *his.codons[at:])
    return replace(mother, architecture=(replace(hers, codons=codons),))


def redraw(genome: Genome, key: Key, *, space: ArchitectureSpace) -> Genome:
    """Give one entry of one list another value such that the sentence is another; see `neurons.redraw`."""
    limits = [slot.limit for slot in _slots(space)]
    places = [(i, j) for i, j in _places(genome, space, missing=True) if limits[i] > 1]

    def other(i: int, old: int | None, rng: np.random.Generator) -> int:
        if old is None:
            return int(rng.integers(limits[i]))
        return (old + 1 + int(rng.integers(limits[i] - 1))) % limits[i]

    return _changed(genome, key, space, places, other)


def nudge(genome: Genome, key: Key, *, space: ArchitectureSpace, sigma: float) -> Genome:
    """Move one number a little; see `neurons.nudge`."""
    parts = [slot.part for slot in _slots(space)]
    places = [(i, j) for i, j in _places(genome, space, missing=False) if isinstance(parts[i], Numeric)]

    def near(i: int, old: int | None, rng: np.random.Generator) -> int:  # noqa: ARG001
        return reflected((old or 0) + round(rng.normal(0, sigma * (CODONS - 1))))

    return _changed(genome, key, space, places, near)


def _slots(space: ArchitectureSpace) -> tuple[Slot, ...]:
    return slots(space.grammar, space.start, space.context(0, 0, ()))


def _places(genome: Genome, space: ArchitectureSpace, *, missing: bool) -> list[tuple[int, int]]:
    lists = [gene.codons for gene in genome.architecture]
    wanted = needed(space.grammar, space.start, lists, space.context(0, 0, ()))
    return [
        (i, j)
        for i, (slot, codons, count) in enumerate(zip(_slots(space), lists, wanted, strict=True))
        for j in range(min(count, len(codons) + missing))
        if not idle(slot.part, space)
    ]


def _changed(
    genome: Genome,
    key: Key,
    space: ArchitectureSpace,
    places: Sequence[tuple[int, int]],
    value: Callable[[int, int | None, np.random.Generator], int],
) -> Genome:
    context, rng = space.context(0, 0, ()), key.generator()
    lists = [gene.codons for gene in genome.architecture]
    says = decode(space.grammar, space.start, lists, context)
    for _ in range(TRIES if places else 0):
        i, j = places[int(rng.integers(len(places)))]
        own = lists[i]
        codons = (*own[:j], value(i, own[j] if j < len(own) else None, rng), *own[j + 1 :])
        after = [*lists[:i], codons, *lists[i + 1 :]]
        if decode(space.grammar, space.start, after, context) != says:
            genes = genome.architecture
            made = replace(genes[i], codons=codons)
            return replace(genome, architecture=(*genes[:i], made, *genes[i + 1 :]))
    return genome
