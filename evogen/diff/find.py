"""Find every part in which two genomes differ; comparisons are of bits, as ids are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from evogen.diff.difference import (
    INTERFACE,
    Difference,
    Identities,
    Labelled,
    Placed,
    RuleGene,
    Side,
    What,
    refuse_unsound,
    spread,
)
from evogen.genome import Array, Gene, Genome, Rules, Value, frozen


def diff(a: Genome, b: Genome) -> tuple[Difference, ...]:
    """Return what changed from a to b, chromosome by chromosome; empty for equal genomes.

    Raises:
        GenomeError: in one of them two genes share an identity, or the rules contradict themselves.
    """
    refuse_unsound(a)
    refuse_unsound(b)
    return (*_rules(a, b), *_architecture(a, b), *_plasticity(a.plasticity, b.plasticity))


def aligned(rules: Rules | None, name: str, array: Array) -> Identities | None:
    """Return the rule genes that the columns of an expression array stand for; None: for none."""
    if rules is None or not name.endswith(".X") or array.ndim != 2 or array.shape[1] != len(rules.genes):
        return None
    return rules.genes


def numbered(genome: Genome) -> Iterator[tuple[int, Gene]]:
    """Iterate over all genes with their innovation ids, the interface gene as INTERFACE."""
    yield INTERFACE, genome.interface
    for gene in genome.architecture:
        yield gene.innovation, gene


def _rules(a: Genome, b: Genome) -> Iterator[Difference]:
    old, new = a.rules, b.rules
    if old is None or new is None:
        if old is not new:
            yield Difference(What.RULES, 0, "", old, new)
        return
    for gene in (gene for gene in old.genes if gene not in new.genes):
        yield Difference(What.RULE_GENE, gene, "", _rule_gene(a, old, gene), None)
    for gene in (gene for gene in new.genes if gene not in old.genes):
        yield Difference(What.RULE_GENE, gene, "", None, _rule_gene(b, new, gene))
    common = tuple(gene for gene in old.genes if gene in new.genes)
    yield from _orders(What.RULE_ORDER, old.genes, new.genes)
    yield from _rows(What.O_ROW, _among(old.O, old, common), _among(new.O, new, common), common)
    if old.mask is not None and new.mask is not None:
        masks = _among(old.mask, old, common), _among(new.mask, new, common)
        yield from _rows(What.MASK_ROW, *masks, common)
    elif old.mask is not None or new.mask is not None:
        sides = (None if each.mask is None else Labelled(each.mask, each.genes) for each in (old, new))
        yield Difference(What.MASK, 0, "", *sides)
    if not _same(old.c, new.c):
        yield Difference(What.CONDUCTANCES, 0, "", Labelled(old.c, None), Labelled(new.c, None))
    yield from _values(What.TEMPERATURE, 0, "", float(old.temperature), float(new.temperature))


def _rule_gene(genome: Genome, rules: Rules, gene: int) -> RuleGene:
    at = rules.genes.index(gene)
    expression = {
        (number, name): frozen(array[:, at])
        for number, owner in numbered(genome)
        for name, array in owner.expression.items()
        if aligned(rules, name, array) is not None
    }
    allowed = None if rules.mask is None else frozen(np.stack([rules.mask[at], rules.mask[:, at]]))
    row, column = frozen(rules.O[at]), frozen(rules.O[:, at])
    return RuleGene(gene, rules.genes, row, column, allowed, expression)


def _rows(what: What, before: Array, after: Array, genes: Identities) -> Iterator[Difference]:
    differ = _bits(before) != _bits(after)
    for at in np.flatnonzero(differ.any(1)).tolist():
        where = np.flatnonzero(differ[at])
        columns = tuple(genes[j] for j in where.tolist())
        sides = (Labelled(frozen(side[at, where]), columns) for side in (before, after))
        yield Difference(what, genes[at], "", *sides)


def _architecture(a: Genome, b: Genome) -> Iterator[Difference]:
    yield from _values(What.INTERFACE, 0, "", a.interface.innovation, b.interface.innovation)
    yield from _gene(INTERFACE, a, a.interface, b, b.interface)
    left, right = ({gene.innovation: gene for gene in genome.architecture} for genome in (a, b))
    for innovation in dict.fromkeys([*left, *right]):
        before, after = left.get(innovation), right.get(innovation)
        if before is not None and after is not None:
            yield from _gene(innovation, a, before, b, after)
        else:
            sides = (
                None if gene is None else _placed(genome, gene) for genome, gene in ((a, before), (b, after))
            )
            yield Difference(What.MODULE, innovation, "", *sides)
    yield from _orders(What.ORDER, tuple(left), tuple(right))


def _placed(genome: Genome, gene: Gene) -> Placed:
    order = tuple(each.innovation for each in genome.architecture)
    return Placed(gene, order, None if genome.rules is None else genome.rules.genes)


def _gene(gene: int, a: Genome, before: Gene, b: Genome, after: Gene) -> Iterator[Difference]:
    if before.codons != after.codons:
        yield Difference(What.CODONS, gene, "", before.codons, after.codons)
    yield from _values(What.LINK, gene, "", before.link or None, after.link or None)
    yield from _values(What.IN_MODULE, gene, "", before.module, after.module)
    yield from _values(What.IN_LAYER, gene, "", before.layer, after.layer)
    for name in sorted({*before.expression, *after.expression}):
        old, new = (
            None if (array := owner.expression.get(name)) is None
            else Labelled(array, aligned(genome.rules, name, array))
            for genome, owner in ((a, before), (b, after))
        )  # fmt: skip
        yield from _arrays(gene, name, old, new, moved=_moved(a.rules, b.rules))


def _moved(old: Rules | None, new: Rules | None) -> bool:
    """Return whether columns are put elsewhere by differences between rule genes."""
    return old is not None and new is not None and old.genes != new.genes


def _arrays(
    gene: int, name: str, old: Labelled | None, new: Labelled | None, *, moved: bool
) -> Iterator[Difference]:
    if old is None or new is None:
        yield Difference(What.EXPRESSION, gene, name, old, new)
    elif old.columns is not None and new.columns is not None:
        there = set(new.columns)
        common = tuple(column for column in old.columns if column in there)
        sides = spread(old, common), spread(new, common)
        if not _same(sides[0].values, sides[1].values):
            yield Difference(What.EXPRESSION, gene, name, *sides)
    elif not _same(old.values, new.values) or (moved and old.columns != new.columns):
        yield Difference(What.EXPRESSION, gene, name, old, new)


def _plasticity(a: Mapping[str, Value], b: Mapping[str, Value]) -> Iterator[Difference]:
    for name in sorted({*a, *b}):
        yield from _values(What.VALUE, 0, name, a.get(name), b.get(name))


def _values(
    what: What, gene: int, name: str, before: Value | None, after: Value | None
) -> Iterator[Difference]:
    if json.dumps(before) != json.dumps(after):  # 1, 1.0 and True are three values, as in an id
        yield Difference(what, gene, name, before, after)


def _orders(what: What, before: Identities, after: Identities) -> Iterator[Difference]:
    here, there = set(before), set(after)
    sides: tuple[Side, Side] = (
        tuple(gene for gene in before if gene in there),
        tuple(gene for gene in after if gene in here),
    )
    if sides[0] != sides[1]:
        yield Difference(what, 0, "", *sides)


def _among(square: Array, rules: Rules, wanted: Identities) -> Array:
    place = {gene: at for at, gene in enumerate(rules.genes)}
    places = [place[gene] for gene in wanted]
    return np.ascontiguousarray(square[np.ix_(places, places)])


def _bits(array: Array) -> npt.NDArray[np.uint32]:
    return np.ascontiguousarray(array).view(np.uint32)


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and a.tobytes() == b.tobytes()
