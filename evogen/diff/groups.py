"""Groups: differences as a reader counts them, one line for all entries of a gene's expression."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from evogen.diff.difference import (
    INTERFACE,
    Difference,
    Identities,
    Kind,
    Labelled,
    Placed,
    RuleGene,
    What,
    changed_entries,
)
from evogen.genome import Gene

MOST = 48
"""Groups of a chromosome; the smallest ones are put together beyond it."""


@dataclass(frozen=True, eq=False)
class Group:
    """Differences that are undone together.

    Attributes:
        title: what it is, in a few words.
        detail: how large it is; empty where the title says it.
        differences: one or more, of one chromosome.
    """

    title: str
    detail: str
    differences: tuple[Difference, ...]

    @property
    def chromosome(self) -> str:
        """`rules`, `architecture` or `plasticity`."""
        return self.differences[0].chromosome

    @property
    def kind(self) -> Kind:
        """Added, lost or changed."""
        kinds = {each.kind for each in self.differences}
        return kinds.pop() if len(kinds) == 1 else Kind.CHANGED

    @property
    def magnitude(self) -> float:
        """The root of the sum of squares of its differences' magnitudes."""
        return math.hypot(*(each.magnitude for each in self.differences))


def grouped(differences: Iterable[Difference]) -> tuple[Group, ...]:
    """Return differences as groups, chromosome by chromosome."""
    parts: dict[tuple[str, str], list[Difference]] = {}
    for each in differences:
        parts.setdefault((each.chromosome, _title(each)), []).append(each)
    found = [Group(title, _detail(own), tuple(own)) for (_, title), own in parts.items()]
    return tuple(
        group
        for chromosome in dict.fromkeys(group.chromosome for group in found)
        for group in _fewer([group for group in found if group.chromosome == chromosome])
    )


def replaced(lost: Sequence[Group], added: Sequence[Group]) -> Group:
    """Return one group of architecture genes that took the place of others."""
    names = [_listed([each.gene for group in side for each in group.differences]) for side in (lost, added)]
    every = tuple(each for group in (*lost, *added) for each in group.differences)
    codons = sum(len(_whole_gene(each).codons) for each in every)
    return Group(f"{names[0]} replaced by {names[1]}", f"{codons} codons in all", every)


def _listed(genes: Sequence[int]) -> str:
    if len(genes) > 2:
        return f"{len(genes)} genes"
    return f"gene{'s' * (len(genes) > 1)} {' and '.join(map(str, genes))}"


def _fewer(groups: Sequence[Group]) -> Iterable[Group]:
    if len(groups) <= MOST:
        return groups
    order = sorted(range(len(groups)), key=lambda at: -groups[at].magnitude)
    kept, rest = sorted(order[: MOST - 1]), sorted(order[MOST - 1 :])
    every = tuple(each for at in rest for each in groups[at].differences)
    together = Group(f"the {len(rest)} smallest differences", _norm(every), every)
    return [*(groups[at] for at in kept), together]


def _title(each: Difference) -> str:
    happened = f" {each.kind.value}" if each.kind is not Kind.CHANGED else ""
    own = "interface" if each.gene == INTERFACE else f"gene {each.gene}"
    titles: Mapping[What, str] = {
        What.RULES: f"rules{happened}",
        What.RULE_GENE: f"rule gene {each.gene}{happened}",
        What.RULE_ORDER: "order of the rule genes",
        What.O_ROW: f"rule gene {each.gene}: its rules",
        What.MASK_ROW: f"rule gene {each.gene}: its rules",
        What.MASK: f"rule mask{happened}",
        What.CONDUCTANCES: "conductances",
        What.TEMPERATURE: "temperature",
        What.INTERFACE: "interface: id",
        What.MODULE: f"gene {each.gene}{happened}",
        What.ORDER: "order of the genes",
        What.CODONS: f"{own}: codons",
        What.LINK: f"{own}: link{happened}",
        What.IN_MODULE: f"{own}: module",
        What.IN_LAYER: f"{own}: layer",
        What.EXPRESSION: f"{own}: expression",
        What.VALUE: f"{each.name}{happened}",
    }
    return titles[each.what]


def _detail(own: Sequence[Difference]) -> str:
    return _DETAILS.get(own[0].what, _values)(own)


def _values(own: Sequence[Difference]) -> str:
    sides = (own[0].before, own[0].after)
    return " → ".join(
        f"{side:.4g}" if isinstance(side, float) else str(side) for side in sides if side is not None
    )


def _pairs(own: Sequence[Difference]) -> str:
    changes = [
        f"{len(cast('Identities', cast('Labelled', each.after).columns))} pairs"
        for each in own
        if each.what is What.O_ROW
    ]
    masked = [
        f"{len(cast('Identities', cast('Labelled', each.after).columns))} of the mask"
        for each in own
        if each.what is What.MASK_ROW
    ]
    return f"{', '.join([*changes, *masked])}, {_norm(own)}".replace("1 pairs", "1 pair")


def _arrays(own: Sequence[Difference]) -> str:
    said = [_array(each) for each in own]
    most = said if len(said) <= 4 else [*said[:3], f"{len(said) - 3} more"]
    return f"{', '.join(most)}; {_norm(own)}"


def _array(each: Difference) -> str:
    name = f"{each.name} " if each.name else ""
    before, after = cast("Labelled | None", each.before), cast("Labelled | None", each.after)
    if before is None or after is None:
        return f"{name}{each.kind.value}"
    if before.values.ndim != after.values.ndim:
        return f"{name}replaced"
    changed, entries = changed_entries(before, after)
    return f"{name}{changed:,} of {entries:,}"


def _rule_gene(own: Sequence[Difference]) -> str:
    side = cast("RuleGene", own[0].after if own[0].before is None else own[0].before)
    return (
        f"row and column of {len(side.order)} genes, expressed in {len(side.expression)} groups; {_norm(own)}"
    )


def _module(own: Sequence[Difference]) -> str:
    gene = _whole_gene(own[0])
    copied = f", linked to gene {gene.link}" if gene.link else ""
    return f"{len(gene.codons)} codon{'s' * (len(gene.codons) != 1)}{copied}"


def _whole_gene(each: Difference) -> Gene:
    return cast("Placed", each.after if each.before is None else each.before).gene


def _codons(own: Sequence[Difference]) -> str:
    before, after = (cast("Identities", side) for side in (own[0].before, own[0].after))
    longer = f", {len(before)} → {len(after)} codons" if len(before) != len(after) else ""
    return f"{own[0].magnitude:.0f} of {max(len(before), len(after))} changed{longer}"


def _order(own: Sequence[Difference]) -> str:
    return f"{own[0].magnitude:.0f} at another place"


def _norm(own: Iterable[Difference]) -> str:
    return f"norm {math.hypot(*(each.magnitude for each in own)):.3g}"


_DETAILS: Mapping[What, Callable[[Sequence[Difference]], str]] = {
    What.RULES: lambda _: "",
    What.RULE_GENE: _rule_gene,
    What.RULE_ORDER: _order,
    What.O_ROW: _pairs,
    What.MASK_ROW: _pairs,
    What.MASK: _arrays,
    What.CONDUCTANCES: _arrays,
    What.MODULE: _module,
    What.ORDER: _order,
    What.CODONS: _codons,
    What.EXPRESSION: _arrays,
}
