"""Derivation trees: nodes for symbols, leaves for terminals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from evogen.grammar.model import Word


class Number(NamedTuple):
    """The numbers that a numeric terminal was derived to; whole ones are of type int."""

    name: str
    values: tuple[float, ...]

    def __str__(self) -> str:
        return f"[{self.name}={','.join(format(value, '.4g') for value in self.values)}]"


@dataclass(frozen=True, slots=True)
class Pick:
    """What a dynamic terminal was derived to: the index of one of the things in the context; -1: none is."""

    context: str
    index: int

    def __str__(self) -> str:
        return f"[{self.context}={self.index}]"


Leaf = Word | Number | Pick


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Node:
    """One derived symbol. Trees may be deeper than Python's stack, so nothing here recurses.

    Attributes:
        symbol: its name, without brackets.
        type: what `@type(...)` on its head says, or None.
        alternative: which one was taken, from 0.
        children: derived items in order.
        used: codons read by this symbol and below it; the root's is the whole derivation's. Not part of
            equality.
    """

    symbol: str
    type: str | None
    alternative: int
    children: tuple[Node | Leaf, ...]
    used: int

    def walk(self) -> Iterator[Node | Leaf]:
        """Iterate over this node and all below it, parents first, left to right."""
        waiting: list[Node | Leaf] = [self]
        while waiting:
            part = waiting.pop()
            yield part
            if isinstance(part, Node):
                waiting.extend(reversed(part.children))

    def leaves(self) -> Iterator[Leaf]:
        """Iterate over the derived sentence."""
        return (part for part in self.walk() if not isinstance(part, Node))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self._flat() == other._flat()

    def __hash__(self) -> int:
        return hash(self._flat())

    def __str__(self) -> str:
        return " ".join(leaf.text if isinstance(leaf, Word) else str(leaf) for leaf in self.leaves())

    def __repr__(self) -> str:
        return f"<{self.symbol}> {self}"

    def _flat(self) -> tuple[object, ...]:
        return tuple(
            (part.symbol, part.type, part.alternative, len(part.children)) if isinstance(part, Node) else part
            for part in self.walk()
        )
