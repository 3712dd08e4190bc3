"""Difference: one part in which two genomes differ, with all that is needed to put either side in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from evogen.errors import GenomeError
from evogen.genome import Array, Gene, Genome, Rules, Value

Identities = tuple[int, ...]
INTERFACE = 0
"""Names the interface gene, of which every genome has one."""


class Kind(StrEnum):
    """What happened to a part on the way from the first genome to the second."""

    ADDED = "added"
    LOST = "lost"
    CHANGED = "changed"


class What(StrEnum):
    """The kind of a part; `gene` and `name` of a difference say which one of it."""

    RULES = "rules"
    RULE_GENE = "rule gene"
    RULE_ORDER = "order of rule genes"
    O_ROW = "O"
    MASK_ROW = "row of the mask"
    MASK = "mask"
    CONDUCTANCES = "c"
    TEMPERATURE = "temperature"
    INTERFACE = "id of the interface"
    MODULE = "gene"
    ORDER = "order of genes"
    CODONS = "codons"
    LINK = "link"
    IN_MODULE = "module"
    IN_LAYER = "layer"
    EXPRESSION = "expression"
    VALUE = "value"


CHROMOSOMES: Mapping[What, str] = {
    **dict.fromkeys(list(What)[:8], "rules"),
    **dict.fromkeys(list(What)[8:16], "architecture"),
    What.VALUE: "plasticity",
}


class Labelled(NamedTuple):
    """An array whose last axis is labelled by rule genes (the mask: both axes); None: it is not."""

    values: Array
    columns: Identities | None


class RuleGene(NamedTuple):
    """All that a genome says of one of its rule genes.

    Attributes:
        gene: its identity.
        order: (g,) the genome's rule genes.
        row, column: (g,) its entries of O, by `order`.
        allowed: (2, g) its row and column of the mask; None without a mask.
        expression: (innovation id or INTERFACE, name of an X) to (N,), its column there.
    """

    gene: int
    order: Identities
    row: Array
    column: Array
    allowed: Array | None
    expression: Mapping[tuple[int, str], Array]


class Placed(NamedTuple):
    """An architecture gene, the order of all genes of its genome, and the rule genes of its X's columns."""

    gene: Gene
    order: Identities
    columns: Identities | None


Side = Value | Identities | Labelled | RuleGene | Placed | Rules | None


@dataclass(frozen=True, eq=False)
class Difference:
    """One part in which two genomes differ.

    Attributes:
        what: the kind of part.
        gene: identity of the rule gene, or innovation id of the architecture gene; INTERFACE for the gene of
            input and output neurons, whatever its id, and where none matters.
        name: of the expression array or of the plasticity value.
        before, after: the part in either genome; None where it is absent.
    """

    what: What
    gene: int
    name: str
    before: Side
    after: Side

    @property
    def chromosome(self) -> str:
        """`rules`, `architecture` or `plasticity`."""
        return CHROMOSOMES[self.what]

    @property
    def kind(self) -> Kind:
        """Added, lost or changed."""
        return Kind.ADDED if self.before is None else Kind.LOST if self.after is None else Kind.CHANGED

    @property
    def path(self) -> str:
        """The part in short: `genes.7` a rule gene, `O[7,:]` its row, `3` a module, `3.X` its expression."""
        return _PATHS[self.what].format(gene=self.gene or "interface", name=self.name)

    @property
    def magnitude(self) -> float:
        """How large it is.

        Of arrays the Euclidean norm of the difference (what is absent counts as 0), of numbers the absolute
        difference, of tuples the number of places that differ, of other values 1.
        """
        return _magnitude(self.before, self.after)

    def inverse(self) -> Difference:
        """Return the way back."""
        return Difference(self.what, self.gene, self.name, self.after, self.before)


_PATHS: Mapping[What, str] = {
    What.RULES: "genes",
    What.RULE_GENE: "genes.{gene}",
    What.RULE_ORDER: "genes.order",
    What.O_ROW: "O[{gene},:]",
    What.MASK_ROW: "mask[{gene},:]",
    What.MASK: "mask",
    What.CONDUCTANCES: "c",
    What.TEMPERATURE: "temperature",
    What.INTERFACE: "interface.id",
    What.MODULE: "{gene}",
    What.ORDER: "order",
    What.CODONS: "{gene}.codons",
    What.LINK: "{gene}.link",
    What.IN_MODULE: "{gene}.module",
    What.IN_LAYER: "{gene}.layer",
    What.EXPRESSION: "{gene}.{name}",
    What.VALUE: "{name}",
}


def refuse_unsound(genome: Genome) -> None:
    """Make sure that every part of a genome can be found by its identity.

    Raises:
        GenomeError: two genes share an identity, or an array of the rules does not fit their genes.
    """
    modules = [INTERFACE, *(gene.innovation for gene in genome.architecture)]
    rules = genome.rules
    for what, found in (("innovation id", modules), ("rule gene", [] if rules is None else rules.genes)):
        if len(set(found)) < len(found):
            twice = next(one for one in found if found.count(one) > 1)
            raise GenomeError(f"genome {genome.id[:12]}: {what} {twice} occurs twice, wanted once")
    if rules is not None:
        g = len(rules.genes)
        for name, array in (("O", rules.O), ("mask", rules.mask)):
            if array is not None and array.shape != (g, g):
                raise GenomeError(
                    f"genome {genome.id[:12]}: rules.{name} has shape {array.shape}, {(g, g)} wanted"
                )


def changed_entries(before: Labelled, after: Labelled) -> tuple[int, int]:
    """Return how many entries of an array changed, of how many in the larger of both."""
    shape = tuple(max(sizes) for sizes in zip(before.values.shape, after.values.shape, strict=True))
    same = _padded(before, shape, np.nan) == _padded(after, shape, np.nan)
    return int(same.size - same.sum()), int(same.size)


def _magnitude(before: Side, after: Side) -> float:
    present = after if before is None else before
    match present:
        case Labelled():
            return _distance(before, after)  # type: ignore[arg-type]
        case RuleGene():
            own = present.order.index(present.gene)
            return float(np.linalg.norm([*present.row, *np.delete(present.column, own)]))
        case Placed():
            codons = [() if side is None else cast("Placed", side).gene.codons for side in (before, after)]
            return max(1.0, _places(*codons))
        case tuple():
            return _places(before, after)
        case int() | float() if isinstance(after, int | float) and before is not None:
            return float(abs(after - present))
        case _:
            return 1.0


def _places(before: Any, after: Any) -> float:
    return float(sum(x != y for x, y in zip_longest(before or (), after or ())))


def _distance(before: Labelled | None, after: Labelled | None) -> float:
    if before is not None and after is not None and None not in (before.columns, after.columns):
        union = tuple(
            dict.fromkeys([*cast("Identities", before.columns), *cast("Identities", after.columns)])
        )
        before, after = spread(before, union), spread(after, union)
    arrays = [side.values for side in (before, after) if side is not None]
    if len({array.ndim for array in arrays}) > 1:
        return float(np.linalg.norm([np.linalg.norm(array) for array in arrays]))
    shape = tuple(max(sizes) for sizes in zip(*(array.shape for array in arrays), strict=True))
    return float(np.linalg.norm(_padded(after, shape) - _padded(before, shape)))


def spread(side: Labelled, wanted: Identities, fill: float = 0.0) -> Labelled:
    """Return the array with these columns, in this order; `fill` stands where it has none."""
    assert side.columns is not None
    values = np.full((*side.values.shape[:-1], len(wanted)), fill, np.float32)
    place = {gene: at for at, gene in enumerate(side.columns)}
    found = [at for at, gene in enumerate(wanted) if gene in place]
    values[..., found] = side.values[..., [place[wanted[at]] for at in found]]
    return Labelled(values, wanted)


def _padded(side: Labelled | None, shape: tuple[int, ...], fill: float = 0.0) -> npt.NDArray[np.float64]:
    whole = np.full(shape, fill)
    if side is not None:
        whole[tuple(slice(size) for size in side.values.shape)] = side.values
    return whole
