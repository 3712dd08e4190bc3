"""From codons to a typed tree (`derive`), and from chance to codons (`grow`).

A codon is a whole number in [0, CODONS). Symbols are expanded leftmost first. A codon is read only where
there is a choice: one per symbol with n > 1 alternatives (alternative = codon mod n), one per number of a
numeric terminal (its point of [0, 1] is codon / (CODONS - 1)), one per dynamic terminal (index = codon mod
what the context counts, -1 where that is 0). When the codons run out, each further symbol takes its first
alternative of minimal depth, each further number the middle of its range and each further dynamic terminal
the first of what there is; so every codon list, the empty one too, derives to a finite tree. Codons after the
last one read are silent.

A context is what a dynamic rule may count, by name. A symbol with `@cap(n)` that is open n times above itself
has only those alternatives to choose from that do not lead back to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from evogen.errors import near
from evogen.grammar.model import Dynamic, Grammar, Item, Numeric, Rule, Symbol
from evogen.grammar.tree import Leaf, Node, Number, Pick

__all__ = [
    "CODONS",
    "MAX_DEPTH",
    "Choices",
    "Growing",
    "Leaf",
    "Node",
    "Number",
    "Pick",
    "Reading",
    "counted",
    "derive",
    "expand",
    "grow",
    "within",
]

CODONS = 2**16
MAX_DEPTH = 12


def derive(
    grammar: Grammar, start: str, codons: Sequence[int], context: Mapping[str, int] | None = None
) -> Node:
    """Return the tree that these codons stand for; pure, and defined for every codon list.

    Raises:
        GrammarError: `start` is no start symbol of this grammar, or the context lacks a dynamic rule's name.
    """
    return expand(grammar, start, Reading(grammar, codons), context)


def grow(
    grammar: Grammar,
    start: str,
    rng: np.random.Generator,
    *,
    max_depth: int = MAX_DEPTH,
    context: Mapping[str, int] | None = None,
) -> tuple[int, ...]:
    """Return the codons of a random derivation, all of which are read when they are derived.

    Alternatives are drawn by weight among those that keep the tree within max_depth symbols from root to
    leaf, or, where none can, among those of minimal depth; the codon is then uniform among those that give
    this alternative. Numbers' codons are uniform, those of dynamic terminals uniform among what there is.
    Caps are kept even where that takes a tree beyond max_depth.

    Raises:
        GrammarError: `start` is no start symbol of this grammar, or the context lacks a dynamic rule's name.
    """
    growing = Growing(grammar, rng, max_depth)
    expand(grammar, start, growing, context)
    return tuple(growing.codons)


class Choices(Protocol):
    """Decides a derivation."""

    @property
    def used(self) -> int:
        """The codons so far."""
        ...

    def alternative(self, rule: Rule, depth: int, among: tuple[int, ...]) -> int:
        """Return one of some alternatives of a symbol, whose depth is 1 at the root."""
        ...

    def value(self, numeric: Numeric) -> float:
        """Return the next number of a numeric terminal."""
        ...

    def pick(self, dynamic: Dynamic, count: int) -> int:
        """Return the index of one of `count` things; -1 where there is none."""
        ...


@dataclass
class Reading:
    """Decides as codons say, see `derive`."""

    grammar: Grammar
    codons: Sequence[int]
    used: int = 0

    def alternative(self, rule: Rule, depth: int, among: tuple[int, ...]) -> int:  # noqa: ARG002
        """Read a codon where there is a choice; after the last one, take the shallowest."""
        if len(among) == 1:
            return among[0]
        if self._ended():
            return min(among, key=self.grammar.depths(rule.symbol).__getitem__)
        return among[self._next() % len(among)]

    def value(self, numeric: Numeric) -> float:
        """Read a codon; after the last one, take the middle of the range."""
        return numeric.value(0.5 if self._ended() else self._next() / (CODONS - 1))

    def pick(self, dynamic: Dynamic, count: int) -> int:  # noqa: ARG002
        """Read a codon, even where there is nothing to choose; after the last one, take the first."""
        codon = 0 if self._ended() else self._next()
        return codon % count if count else -1

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

    def alternative(self, rule: Rule, depth: int, among: tuple[int, ...]) -> int:
        """Draw an alternative by weight, and one of the codons that give it."""
        if len(among) == 1:
            return among[0]
        allowed = within(self.grammar, rule, depth, self.max_depth, among)
        cumulative = np.cumsum([rule.alternatives[i].weight for i in allowed])
        place = int(np.searchsorted(cumulative, self.rng.random() * cumulative[-1], side="right"))
        chosen = allowed[min(place, len(allowed) - 1)]  # ~ Categorical(weight)
        self._draw(among.index(chosen), len(among))
        return chosen

    def value(self, numeric: Numeric) -> float:
        """Draw a codon."""
        codon = int(self.rng.integers(CODONS))  # ~ U{0 .. CODONS - 1}
        self.codons.append(codon)
        return numeric.value(codon / (CODONS - 1))

    def pick(self, dynamic: Dynamic, count: int) -> int:  # noqa: ARG002
        """Draw an index, and one of the codons that give it."""
        index = int(self.rng.integers(count)) if count else -1  # ~ U{0 .. count - 1}
        self._draw(max(index, 0), max(count, 1))
        return index

    def _draw(self, index: int, n: int) -> None:
        repeats = (CODONS - 1 - index) // n + 1
        self.codons.append(index + n * int(self.rng.integers(repeats)))  # ~ U{codons that give `index`}


def within(
    grammar: Grammar, rule: Rule, depth: int, max_depth: int = MAX_DEPTH, among: tuple[int, ...] | None = None
) -> list[int]:
    """Return the alternatives that keep the tree within max_depth, or those of minimal depth.

    `among`: those that are open; None: all.
    """
    depths = grammar.depths(rule.symbol)
    among = grammar.open(rule.symbol) if among is None else among
    limit = max(max_depth - depth, min(depths[i] for i in among))
    return [i for i in among if depths[i] <= limit]


@dataclass(slots=True)
class _Open:
    """A node whose children are not all derived yet."""

    rule: Rule
    alternative: int
    items: Iterator[Item]
    before: int
    children: list[Node | Leaf] = field(default_factory=list)

    def close(self, used: int) -> Node:
        rule = self.rule
        return Node(rule.symbol, rule.type, self.alternative, tuple(self.children), used - self.before)


def expand(grammar: Grammar, start: str, choices: Choices, context: Mapping[str, int] | None = None) -> Node:
    """Return the tree that these choices make; they are asked in the order in which codons are read.

    Raises:
        GrammarError: `start` is no start symbol of this grammar, or the context lacks a dynamic rule's name.
    """
    counts = context or {}
    nested: Counter[str] = Counter()
    path = [_open(grammar, grammar.start(start), choices, 1, nested)]
    while True:
        child = _until_symbol(grammar, path[-1], choices, counts)
        if child is not None:
            path.append(_open(grammar, grammar.rule(child.name), choices, len(path) + 1, nested))
            continue
        closing = path.pop()
        if closing.rule.cap is not None:
            nested[closing.rule.symbol] -= 1
        node = closing.close(choices.used)
        if not path:
            return node
        path[-1].children.append(node)


def _open(grammar: Grammar, rule: Rule, choices: Choices, depth: int, nested: Counter[str]) -> _Open:
    before = choices.used
    alternative = choices.alternative(rule, depth, grammar.open(rule.symbol, nested[rule.symbol]))
    if rule.cap is not None:
        nested[rule.symbol] += 1
    return _Open(rule, alternative, iter(rule.alternatives[alternative].items), before)


def _until_symbol(
    grammar: Grammar, node: _Open, choices: Choices, counts: Mapping[str, int]
) -> Symbol | None:
    """Derive the terminals up to the next symbol; None when no symbol is left."""
    for item in node.items:
        match item:
            case Symbol():
                return item
            case Numeric():
                values = tuple(choices.value(item) for _ in range(item.count))
                node.children.append(Number(item.name, values))
            case Dynamic():
                index = choices.pick(item, counted(grammar, item, counts))
                node.children.append(Pick(item.context, index))
            case _:
                node.children.append(item)
    return None


def counted(grammar: Grammar, dynamic: Dynamic, counts: Mapping[str, int]) -> int:
    """Return how many things a dynamic terminal may pick from.

    Raises:
        GrammarError: the context lacks its name.
    """
    if dynamic.context not in counts:
        what = f"'{dynamic.context}' is not in the context{near(dynamic.context, counts)}"
        raise grammar.fault(dynamic.place, what, "Pick from what is known, or give the context this name.")
    return counts[dynamic.context]
