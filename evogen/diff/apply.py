"""Put differences into a genome.

Where parts come together that never were in one genome, neither says anything of the other: the rule of such
a pair of genes is O = 0, the centre of the innate law, and allowed; the expression of such a gene is X = 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from evogen.diff.difference import (
    INTERFACE,
    Difference,
    Identities,
    Labelled,
    Placed,
    RuleGene,
    What,
    refuse_unsound,
    spread,
)
from evogen.diff.find import aligned
from evogen.errors import GenomeError
from evogen.genome import Array, Gene, Genome, Rules, frozen

Parts = Mapping[What, Sequence[Difference]]


def apply(differences: Iterable[Difference], genome: Genome) -> Genome:
    """Return the genome with the `after` of every difference in the place of what it has.

    Args:
        differences: in any order; some of those that `diff` found, or their inverses.
        genome: what they are put into; `before` need not be what it has, but the part has to be there.

    Raises:
        GenomeError: a part to be changed or lost is not there, one to be added is, or rows do not fit.
    """
    refuse_unsound(genome)
    parts: dict[What, list[Difference]] = {what: [] for what in What}
    for each in differences:
        parts[each.what].append(each)
    rules = _rules(parts, genome.rules)
    interface, modules = _interface(parts, genome, rules), _modules(parts, genome, rules)
    try:
        made = Genome(rules, interface, modules, _plasticity(parts[What.VALUE], genome))
    except ValueError as error:
        raise GenomeError(f"the differences make no genome: {error}") from error
    refuse_unsound(made)
    return made


def _rules(parts: Parts, base: Rules | None) -> Rules | None:
    for each in parts[What.RULES]:
        base = cast("Rules | None", each.after)
    if base is None:
        if found := next((each for what in list(What)[1:8] for each in parts[what]), None):
            raise GenomeError(f"{found.path} cannot be changed: the genome has no rules")
        return None
    genes = _order(base.genes, parts[What.RULE_GENE], parts[What.RULE_ORDER])
    O, mask = _square(base.O, base.genes, genes, 0.0), base.mask
    mask = None if mask is None else _square(mask, base.genes, genes, 1.0)
    place = {gene: at for at, gene in enumerate(genes)}
    for each in parts[What.RULE_GENE]:
        if (new := cast("RuleGene | None", each.after)) is not None:
            _cross(O, place, new, new.row, new.column)
            if mask is not None and new.allowed is not None:
                _cross(mask, place, new, *new.allowed)
    for each in parts[What.MASK]:
        side = cast("Labelled | None", each.after)
        mask = None if side is None else _square(side.values, cast("Identities", side.columns), genes, 1.0)
    _set_rows(O, place, parts[What.O_ROW])
    if parts[What.MASK_ROW]:
        if mask is None:
            raise GenomeError(f"{parts[What.MASK_ROW][0].path} cannot be changed: the genome has no mask")
        _set_rows(mask, place, parts[What.MASK_ROW])
    c, temperature = base.c, base.temperature
    for each in parts[What.CONDUCTANCES]:
        c = cast("Labelled", each.after).values
    for each in parts[What.TEMPERATURE]:
        temperature = cast("float", each.after)
    return Rules(genes, frozen(O), frozen(c), temperature, None if mask is None else frozen(mask))


def _order(base: Identities, changes: Sequence[Difference], orders: Sequence[Difference]) -> Identities:
    """Return identities without those that are lost, in their new order, with those that are added."""
    found = list(base)
    for each in changes:
        if each.after is None:
            if each.gene not in found:
                raise GenomeError(f"{each.path} cannot be lost: the genome does not have it")
            found.remove(each.gene)
    for each in orders:
        wanted = [gene for gene in cast("Identities", each.after) if gene in found]
        turn = iter(wanted)
        found = [next(turn) if gene in wanted else gene for gene in found]
    added = {each.gene: each for each in changes if each.after is not None}
    for each in added.values():
        if each.gene in found:
            raise GenomeError(f"{each.path} cannot be added: the genome has it")
    orders_of = {gene: cast("Any", each.after).order for gene, each in added.items()}
    for gene in sorted(added, key=lambda one: orders_of[one].index(one)):
        before = orders_of[gene][: orders_of[gene].index(gene)]
        at = next((found.index(one) + 1 for one in reversed(before) if one in found), 0)
        found.insert(at, gene)
    return tuple(found)


def _square(array: Array, genes: Identities, wanted: Identities, fill: float) -> Array:
    rows = spread(Labelled(array.T, genes), wanted, fill).values.T
    return spread(Labelled(rows, genes), wanted, fill).values


def _cross(square: Array, place: Mapping[int, int], new: RuleGene, row: Array, column: Array) -> None:
    here = [at for at, gene in enumerate(new.order) if gene in place]
    there = [place[new.order[at]] for at in here]
    square[place[new.gene], there] = row[here]
    square[there, place[new.gene]] = column[here]


def _set_rows(square: Array, place: Mapping[int, int], rows: Sequence[Difference]) -> None:
    for each in rows:
        side = cast("Labelled", each.after)
        columns = cast("Identities", side.columns)
        if lost := [gene for gene in (each.gene, *columns) if gene not in place]:
            raise GenomeError(f"{each.path} cannot be changed: the genome has no rule gene {lost[0]}")
        square[place[each.gene], [place[gene] for gene in columns]] = side.values


def _interface(parts: Parts, genome: Genome, rules: Rules | None) -> Gene:
    gene = _changed(parts, INTERFACE, genome.interface, genome.rules, rules)
    for each in parts[What.INTERFACE]:
        gene = replace(gene, innovation=cast("int", each.after))
    return gene


def _modules(parts: Parts, genome: Genome, rules: Rules | None) -> tuple[Gene, ...]:
    old = {gene.innovation: gene for gene in genome.architecture}
    new = {
        each.gene: _transplanted(cast("Placed", each.after), rules)
        for each in parts[What.MODULE]
        if each.after is not None
    }
    order = _order(tuple(old), parts[What.MODULE], parts[What.ORDER])
    known = {INTERFACE, *order} - new.keys()
    for what in (What.CODONS, What.LINK, What.IN_MODULE, What.IN_LAYER, What.EXPRESSION):
        for each in parts[what]:
            if each.gene not in known:
                raise GenomeError(f"{each.path} cannot be changed: the genome has no gene {each.gene}")
    return tuple(new.get(gene) or _changed(parts, gene, old[gene], genome.rules, rules) for gene in order)


def _transplanted(placed: Placed, rules: Rules | None) -> Gene:
    """Return a gene of another genome with the columns of its X as these rules want them."""
    if placed.columns is None or rules is None or placed.columns == rules.genes:
        return placed.gene
    expression = {
        name: frozen(spread(Labelled(array, placed.columns), rules.genes).values)
        if name.endswith(".X") and array.ndim == 2 and array.shape[1] == len(placed.columns)
        else array
        for name, array in placed.gene.expression.items()
    }
    return replace(placed.gene, expression=expression)


def _changed(parts: Parts, number: int, gene: Gene, old: Rules | None, new: Rules | None) -> Gene:
    changes: dict[str, Any] = {}
    for what, name, absent in (
        (What.CODONS, "codons", ()),
        (What.LINK, "link", 0),
        (What.IN_MODULE, "module", 0),
        (What.IN_LAYER, "layer", 0),
    ):
        for each in parts[what]:
            if each.gene == number:
                changes[name] = absent if each.after is None else each.after
    return replace(gene, expression=_expression(parts, number, gene, old, new), **changes)


def _expression(
    parts: Parts, number: int, gene: Gene, old: Rules | None, new: Rules | None
) -> dict[str, Array]:
    found = {name: Labelled(array, aligned(old, name, array)) for name, array in gene.expression.items()}
    for each in parts[What.EXPRESSION]:
        if each.gene == number:
            after = cast("Labelled | None", each.after)
            if after is None:
                if each.name not in found:
                    raise GenomeError(f"{each.path} cannot be lost: the genome does not have it")
                del found[each.name]
            else:
                found[each.name] = _overlaid(found.get(each.name), after)
    columns = {
        each.gene: cast("RuleGene", each.after).expression
        for each in parts[What.RULE_GENE]
        if each.after is not None
    }
    made = {}
    for name, side in found.items():
        if new is None or side.columns is None:
            made[name] = side.values
            continue
        whole = spread(side, new.genes).values
        for at, rule_gene in enumerate(new.genes):
            column = columns.get(rule_gene, {}).get((number, name))
            if column is not None and rule_gene not in side.columns:
                rows = min(len(column), len(whole))
                whole[:rows, at] = column[:rows]
        made[name] = frozen(whole)
    return made


def _overlaid(base: Labelled | None, after: Labelled) -> Labelled:
    """Return the new array; columns that it does not speak of stay, as far as it has rows."""
    if base is None or base.columns is None or after.columns is None:
        return after
    rest = tuple(gene for gene in base.columns if gene not in after.columns)
    kept = np.zeros((len(after.values), len(rest)), np.float32)
    rows = min(len(kept), len(base.values))
    kept[:rows] = spread(base, rest).values[:rows]
    return Labelled(np.hstack([after.values, kept]), (*after.columns, *rest))


def _plasticity(changes: Sequence[Difference], genome: Genome) -> dict[str, Any]:
    values: dict[str, Any] = dict(genome.plasticity)
    for each in changes:
        if each.after is not None:
            values[each.name] = each.after
        elif values.pop(each.name, None) is None:
            raise GenomeError(f"{each.path} cannot be lost: the genome does not have it")
    return values
