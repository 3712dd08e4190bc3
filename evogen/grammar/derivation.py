"""From codons to a typed tree (`derive`), and from chance to codons (`grow`).

A codon is a whole number in [0, CODONS). Symbols are expanded leftmost first. A codon is read only where
there is a choice: one per symbol with n > 1 alternatives (alternative = codon mod n), one per number of a
numeric terminal (its point of [0, 1] is codon / (CODONS - 1)). When the codons run out, each further symbol
takes its first alternative of minimal depth and each further number the middle of its range; so every codon
list, the empty one too, derives to a finite tree. Codons after the last one read are silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from evogen.grammar.model import Grammar, Item, Numeric, Rule, Symbol, Word

CODONS = 2**16
MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Number:
    """The numbers that a numeric terminal was derived to; whole ones are of type int."""

    name: str
    values: tuple[float, ...]

    def __str__(self) -> str:
        return f"[{self.name}={','.join(format(value, '.4g') for value in self.values)}]"


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
    children: tuple[Node | Word | Number, ...]
    used: int

    def walk(self) -> Iterator[Node | Word | Number]:
        """Iterate over this node and all below it, parents first, left to right."""
        waiting: list[Node | Word | Number] = [self]
        while waiting:
            part = waiting.pop()
            yield part
            if isinstance(part, Node):
                waiting.extend(reversed(part.children))

    def leaves(self) -> Iterator[Word | Number]:
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


def derive(grammar: Grammar, start: str, codons: Sequence[int]) -> Node:
    """Return the tree that these codons stand for; pure, and defined for every codon list.

    Raises:
        GrammarError: `start` is no start symbol of this grammar.
    """
    return expand(grammar, start, Reading(grammar, codons))


def grow(
    grammar: Grammar, start: str, rng: np.random.Generator, *, max_depth: int = MAX_DEPTH
) -> tuple[int, ...]:
    """Return the codons of a random derivation, all of which are read when they are derived.

    Alternatives are drawn by weight among those that keep the tree within max_depth symbols from root to
    leaf, or, where none can, among those of minimal depth; the codon is then uniform among those that give
    this alternative. Numbers' codons are uniform.

    Raises:
        GrammarError: `start` is no start symbol of this grammar.
    """
    growing = Growing(grammar, rng, max_depth)
    expand(grammar, start, growing)
    return tuple(growing.codons)


class Choices(Protocol):
    """Decides a derivation."""

    @property
    def used(self) -> int:
        """The codons so far."""
        ...

    def alternative(self, rule: Rule, depth: int) -> int:
        """Return the alternative of a symbol whose depth is 1 at the root."""
        ...

    def value(self, numeric: Numeric) -> float:
        """Return the next number of a numeric terminal."""
        ...


@dataclass
class Reading:
    """Decides as codons say, see `derive`."""

    grammar: Grammar
    codons: Sequence[int]
    used: int = 0

    def alternative(self, rule: Rule, depth: int) -> int:  # noqa: ARG002
        """Read a codon where there is a choice; after the last one, take the shallowest."""
        n = len(rule.alternatives)
        if n == 1:
            return 0
        return self.grammar.shallowest(rule.symbol) if self._ended() else self._next() % n

    def value(self, numeric: Numeric) -> float:
        """Read a codon; after the last one, take the middle of the range."""
        return numeric.value(0.5 if self._ended() else self._next() / (CODONS - 1))

    def _ended(self) -> bool:
        return self.used == len(self.codons)

    def _next(self) -> int:
        self.used += 1
        return self.codons[self.used - 1]


@dataclass
class Growing:
    """Decides by chance, see `grow`."""

    grammar: Grammar
    rng: np.random.Generator
    max_depth: int = MAX_DEPTH
    codons: list[int] = field(default_factory=list)

    @property
    def used(self) -> int:
        """The codons drawn so far."""
        return len(self.codons)

    def alternative(self, rule: Rule, depth: int) -> int:
        """Draw an alternative by weight, and one of the codons that give it."""
        n = len(rule.alternatives)
        if n == 1:
            return 0
        allowed = within(self.grammar, rule, depth, self.max_depth)
        cumulative = np.cumsum([rule.alternatives[i].weight for i in allowed])
        place = int(np.searchsorted(cumulative, self.rng.random() * cumulative[-1], side="right"))
        chosen = allowed[min(place, len(allowed) - 1)]  # ~ Categorical(weight)
        repeats = (CODONS - 1 - chosen) // n + 1
        self.codons.append(chosen + n * int(self.rng.integers(repeats)))  # ~ U{codons that give `chosen`}
        return chosen

    def value(self, numeric: Numeric) -> float:
        """Draw a codon."""
        codon = int(self.rng.integers(CODONS))  # ~ U{0 .. CODONS - 1}
        self.codons.append(codon)
        return numeric.value(codon / (CODONS - 1))


def within(grammar: Grammar, rule: Rule, depth: int, max_depth: int = MAX_DEPTH) -> list[int]:
    """Return the alternatives that keep the tree within max_depth, or those of minimal depth."""
    depths = grammar.depths(rule.symbol)
    limit = max(max_depth - depth, min(depths))
    return [i for i in range(len(rule.alternatives)) if depths[i] <= limit]


@dataclass(slots=True)
class _Open:
    """A node whose children are not all derived yet."""

    rule: Rule
    alternative: int
    items: Iterator[Item]
    before: int
    children: list[Node | Word | Number] = field(default_factory=list)

    def close(self, used: int) -> Node:
        rule = self.rule
        return Node(rule.symbol, rule.type, self.alternative, tuple(self.children), used - self.before)


def _open(rule: Rule, choices: Choices, depth: int) -> _Open:
    before = choices.used
    alternative = choices.alternative(rule, depth)
    return _Open(rule, alternative, iter(rule.alternatives[alternative].items), before)


def expand(grammar: Grammar, start: str, choices: Choices) -> Node:
    """Return the tree that these choices make; they are asked in the order in which codons are read."""
    path = [_open(grammar.start(start), choices, 1)]
    while True:
        child = _until_symbol(path[-1], choices)
        if child is not None:
            path.append(_open(grammar.rule(child.name), choices, len(path) + 1))
            continue
        node = path.pop().close(choices.used)
        if not path:
            return node
        path[-1].children.append(node)


def _until_symbol(node: _Open, choices: Choices) -> Symbol | None:
    """Derive the terminals up to the next symbol; None when no symbol is left."""
    for item in node.items:
        if isinstance(item, Symbol):
            return item
        if isinstance(item, Numeric):
            node.children.append(Number(item.name, tuple(choices.value(item) for _ in range(item.count))))
        else:
            node.children.append(item)
    return None
