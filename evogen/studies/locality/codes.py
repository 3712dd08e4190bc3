"""Three codes of a network: the mappings of `evogen.grammar.mappers`, as codon lists with places and cells.

A cell is the sentence of one neuron group; cells are compared by their index.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, Protocol

from evogen.grammar import CODONS, Grammar, Leaf, Word, derive
from evogen.grammar.mappers import structured
from evogen.grammar.mappers.decisions import Decision, decisions, name
from evogen.grammar.sentence import sentence

Lists = tuple[tuple[int, ...], ...]
Cell = tuple[Leaf, ...]
Context = Mapping[str, int]


class Place(NamedTuple):
    """A codon that decides something.

    Attributes:
        list, position: where it is.
        kind: class of what it decides.
        outcomes: how many different ones there are.
        limit: its values are in [0, limit).
    """

    list: int
    position: int
    kind: str
    outcomes: int
    limit: int


class Code(Protocol):
    """What codon lists stand for."""

    def cells(self, lists: Lists) -> tuple[Cell, ...]:
        """Return the sentence of each neuron group."""
        ...

    def places(self, lists: Lists) -> list[Place]:
        """Return the codons that are read where there is more than one outcome."""
        ...

    def read(self, lists: Lists) -> int:
        """Return how many codons are read."""
        ...


@dataclass(frozen=True)
class Genes:
    """A list for each neuron group.

    Attributes:
        grammar, start: of every gene.
        contexts: of each gene; a single one is that of all genes.
        owners: the list that each gene is derived from; empty: its own.
    """

    grammar: Grammar
    start: str
    contexts: Sequence[Context]
    owners: tuple[int, ...] = ()

    def cells(self, lists: Lists) -> tuple[Cell, ...]:
        """Return the sentence of each gene."""
        owned = [lists[i] for i in self.owners] if self.owners else lists
        return tuple(
            sentence(self.grammar, self.start, codons, self._context(i)) for i, codons in enumerate(owned)
        )

    def places(self, lists: Lists) -> list[Place]:
        """Return the codons that each gene reads; a list that no gene owns is read by none."""
        found = []
        for i, codons in enumerate(lists):
            if not self.owners or self.owners[i] == i:
                made = _made(self.grammar, self.start, codons, self._context(i))
                found += [Place(i, j, name(each.part), each.limit, CODONS) for j, each in made]
        return found

    def read(self, lists: Lists) -> int:
        """Return how many codons are read, each list by its owner."""
        own = self.owners or range(len(lists))
        return sum(
            derive(self.grammar, self.start, codons, self._context(i)).used
            for i, codons in enumerate(lists)
            if own[i] == i
        )

    def _context(self, gene: int) -> Context:
        return self.contexts[gene if len(self.contexts) > 1 else 0]


@dataclass(frozen=True)
class Flat:
    """One list for the whole network."""

    grammar: Grammar
    start: str
    context: Context

    def cells(self, lists: Lists) -> tuple[Cell, ...]:
        """Return the cells of the sentence."""
        return cut(sentence(self.grammar, self.start, lists[0], self.context))

    def places(self, lists: Lists) -> list[Place]:
        """Return the codons up to the last one read."""
        made = _made(self.grammar, self.start, lists[0], self.context)
        return [Place(0, j, name(each.part), each.limit, CODONS) for j, each in made]

    def read(self, lists: Lists) -> int:
        """Return how many codons are read."""
        return derive(self.grammar, self.start, lists[0], self.context).used


@dataclass(frozen=True)
class Structured:
    """A list for each non-terminal; a codon has as many values as its non-terminal has alternatives."""

    grammar: Grammar
    start: str
    context: Context

    def cells(self, lists: Lists) -> tuple[Cell, ...]:
        """Return the cells of the sentence."""
        return cut(tuple(structured.decode(self.grammar, self.start, lists, self.context).leaves()))

    def places(self, lists: Lists) -> list[Place]:
        """Return the codons up to the last one read in each list."""
        slots = structured.slots(self.grammar, self.start, self.context)
        needs = structured.needed(self.grammar, self.start, lists, self.context)
        return [
            Place(i, j, name(slot.part), slot.limit, slot.limit)
            for i, (slot, need) in enumerate(zip(slots, needs, strict=True))
            for j in range(min(need, len(lists[i])) if slot.limit > 1 else 0)
        ]

    def read(self, lists: Lists) -> int:
        """Return how many codons are read."""
        return structured.decode(self.grammar, self.start, lists, self.context).used


def cut(leaves: Sequence[Leaf]) -> tuple[Cell, ...]:
    """Return the parts of a net's sentence that begin with `at:cell`."""
    starts = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Word) and leaf.text == "at:cell"]
    return tuple(tuple(leaves[i:end]) for i, end in zip(starts, [*starts[1:], len(leaves)], strict=True))


def unread(code: Code, lists: Lists) -> float:
    """Return the share of a genome's codons that are never read."""
    total = sum(map(len, lists))
    return 1 - code.read(lists) / total if total else 0.0


def _made(
    grammar: Grammar, start: str, codons: Sequence[int], context: Context
) -> Iterator[tuple[int, Decision]]:
    tree = derive(grammar, start, codons, context)
    made = islice(enumerate(decisions(grammar, tree, context)), tree.used)
    return ((j, each) for j, each in made if each.limit > 1)
