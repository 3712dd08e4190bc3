"""What differs between two genomes: rules and architecture by the identity of genes, plasticity by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest

import numpy as np
import numpy.typing as npt

from evogen.genome import Array, Gene, Genome, Rules, Value

Side = Value | tuple[int, ...] | None
Identities = tuple[int, ...]


class Kind(StrEnum):
    """What happened to a part on the way from the first genome to the second."""

    ADDED = "added"
    LOST = "lost"
    CHANGED = "changed"


@dataclass(frozen=True)
class Difference:
    """One part in which two genomes differ.

    Attributes:
        chromosome: `rules`, `architecture` or `plasticity`.
        path: the part: `genes.7` a rule gene that only one genome has, `O[7,:]` the row of gene 7 among the
            genes that both have, `3` the module with innovation id 3, `3.l0.X` its expression.
        kind: added, lost or changed.
        before, after: the value in either genome; of an array its Euclidean norm; None where it is absent.
        magnitude: of arrays the Euclidean norm of the difference (an absent entry counts as zero), of numbers
            the absolute difference, of tuples the number of places that differ, of other values 1.
    """

    chromosome: str
    path: str
    kind: Kind
    before: Side
    after: Side
    magnitude: float


def diff(a: Genome, b: Genome) -> tuple[Difference, ...]:
    """Return what changed from a to b, chromosome by chromosome; empty for equal genomes."""
    return (*_rules(a.rules, b.rules), *_architecture(a, b), *_plasticity(a.plasticity, b.plasticity))


def _rules(a: Rules | None, b: Rules | None) -> Iterator[Difference]:
    if a is None or b is None:
        yield from _tuples("rules", "genes", a.genes if a else None, b.genes if b else None)
        return
    for gene in (gene for gene in a.genes if gene not in b.genes):
        yield _difference("rules", f"genes.{gene}", _weight(a, gene), None, _weight(a, gene))
    for gene in (gene for gene in b.genes if gene not in a.genes):
        yield _difference("rules", f"genes.{gene}", None, _weight(b, gene), _weight(b, gene))
    common = _common(a.genes, b.genes)
    yield from _tuples("rules", "genes.order", common, _common(b.genes, a.genes))
    for name, before, after in (("O", a.O, b.O), ("mask", a.mask, b.mask)):
        if before is None or after is None:
            yield from _arrays("rules", name, before, after)
            continue
        left, right = _select(before, a.genes, common), _select(after, b.genes, common)
        for i, gene in enumerate(common):
            yield from _arrays("rules", f"{name}[{gene},:]", left[i], right[i])
            yield from _arrays("rules", f"{name}[:,{gene}]", left[:, i], right[:, i])
    yield from _arrays("rules", "c", a.c, b.c)
    yield from _values("rules", "temperature", a.temperature, b.temperature)


def _architecture(a: Genome, b: Genome) -> Iterator[Difference]:
    left, right = ({gene.innovation: gene for gene in genome.genes()} for genome in (a, b))
    here, there = tuple(left), tuple(right)
    yield from _tuples("architecture", "order", _common(here, there), _common(there, here))
    rule_genes = tuple(() if genome.rules is None else genome.rules.genes for genome in (a, b))
    for innovation in dict.fromkeys([*left, *right]):
        before, after = left.get(innovation), right.get(innovation)
        path = str(innovation)
        if before is None or after is None:
            lost, added = before.codons if before else None, after.codons if after else None
            yield from _tuples("architecture", path, lost, added)
        else:
            yield from _tuples("architecture", f"{path}.codons", before.codons, after.codons)
            yield from _values("architecture", f"{path}.link", before.link or None, after.link or None)
            yield from _expression(path, before, after, *rule_genes)


def _expression(
    path: str, a: Gene, b: Gene, a_genes: Identities, b_genes: Identities
) -> Iterator[Difference]:
    union = tuple(dict.fromkeys([*a_genes, *b_genes]))
    for name in sorted({*a.expression, *b.expression}):
        before, after = a.expression.get(name), b.expression.get(name)
        if name.endswith(".X") and before is not None and after is not None and a_genes and b_genes:
            before, after = _columns(before, a_genes, union), _columns(after, b_genes, union)
        yield from _arrays("architecture", f"{path}.{name}", before, after)


def _plasticity(a: Mapping[str, Value], b: Mapping[str, Value]) -> Iterator[Difference]:
    for name in sorted({*a, *b}):
        yield from _values("plasticity", name, a.get(name), b.get(name))


def _values(chromosome: str, path: str, before: Value | None, after: Value | None) -> Iterator[Difference]:
    if before != after:
        magnitude = 1.0
        if isinstance(before, int | float) and isinstance(after, int | float):
            magnitude = float(abs(after - before))
        yield _difference(chromosome, path, before, after, magnitude)


def _tuples(
    chromosome: str, path: str, before: Identities | None, after: Identities | None
) -> Iterator[Difference]:
    if before != after:
        places = sum(x != y for x, y in zip_longest(before or (), after or ()))
        yield _difference(chromosome, path, before, after, float(places))


def _arrays(chromosome: str, path: str, before: Array | None, after: Array | None) -> Iterator[Difference]:
    shapes = [array.shape for array in (before, after) if array is not None]
    if not shapes or (before is not None and after is not None and np.array_equal(before, after)):
        return
    whole = tuple(max(sizes) for sizes in zip(*shapes, strict=True))
    magnitude = float(np.linalg.norm(_padded(after, whole) - _padded(before, whole)))
    norms = [None if array is None else float(np.linalg.norm(array)) for array in (before, after)]
    yield _difference(chromosome, path, norms[0], norms[1], magnitude)


def _difference(chromosome: str, path: str, before: Side, after: Side, magnitude: float) -> Difference:
    kind = Kind.ADDED if before is None else Kind.LOST if after is None else Kind.CHANGED
    return Difference(chromosome, path, kind, before, after, magnitude)


def _weight(rules: Rules, gene: int) -> float:
    i = rules.genes.index(gene)
    return float(np.linalg.norm([*rules.O[i], *np.delete(rules.O[:, i], i)]))


def _common(genes: Identities, others: Identities) -> Identities:
    return tuple(gene for gene in genes if gene in others)


def _select(square: Array, genes: Identities, wanted: Identities) -> Array:
    places = [genes.index(gene) for gene in wanted]
    return square[np.ix_(places, places)]


def _columns(X: Array, genes: Identities, wanted: Identities) -> Array:
    columns = np.zeros((len(X), len(wanted)), np.float32)
    columns[:, [wanted.index(gene) for gene in genes]] = X
    return columns


def _padded(array: Array | None, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    whole = np.zeros(shape)
    if array is not None:
        whole[tuple(slice(size) for size in array.shape)] = array
    return whole
