"""Grammar: rules, alternatives and terminals as values, and what follows from them.

The depth of a derivation is the number of symbols on its longest path from the root; the depth of an
alternative is that of its shallowest derivation, 0 where it holds terminals only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evogen.errors import GrammarError, near
from evogen.grammar.items import Dynamic, Item, Numeric, Scale, Symbol, Word
from evogen.grammar.text import Origin, Place, Text

__all__ = [
    "Alternative",
    "Dynamic",
    "Grammar",
    "Item",
    "Numeric",
    "Place",
    "Rule",
    "Scale",
    "Symbol",
    "Word",
    "mentions",
    "minimal_depths",
    "outward",
    "reach",
    "starts",
]


@dataclass(frozen=True, slots=True)
class Alternative:
    """One right-hand side; the weight biases `grow`, never `derive`. No items: it stands for nothing."""

    items: tuple[Item, ...]
    weight: float
    place: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """All alternatives of one symbol.

    Attributes:
        symbol: its name, without brackets.
        type: what `@type(...)` on its head says, or None.
        alternatives: one or more.
        place: of its head.
        cap: what `@cap(...)` on its head says: how often the symbol may nest in itself; None: any number.
    """

    symbol: str
    type: str | None
    alternatives: tuple[Alternative, ...]
    place: Place = field(compare=False, repr=False)
    cap: int | None = None


@dataclass(frozen=True)
class Grammar:
    """A checked grammar. Made by `parse` and `load`; picklable, and a pickle holds values only.

    Attributes:
        rules: in the order of the text; the first one is the start unless another is asked for.
        text: the source text with all that it includes, for a run folder to keep; parsed again it gives an
            equal grammar.
        source: the name that error messages show, usually a path; not part of equality, like all below.
        origins: the files that parts of the text come from.
        notes: `file:line:column: what` may be a mistake; see `check.doubts`.
    """

    rules: tuple[Rule, ...]
    text: str
    source: str = field(compare=False)
    origins: tuple[Origin, ...] = field(default=(), compare=False, repr=False)
    notes: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        depths = minimal_depths(self.rules)
        object.__setattr__(self, "_compiled", {})
        object.__setattr__(self, "_rules", {rule.symbol: rule for rule in self.rules})
        object.__setattr__(self, "_depths", depths)
        object.__setattr__(self, "_shallowest", {s: each.index(min(each)) for s, each in depths.items()})
        object.__setattr__(
            self, "_open", {rule.symbol: tuple(range(len(rule.alternatives))) for rule in self.rules}
        )
        object.__setattr__(
            self, "_capped", {r.symbol: outward(r, self.rules) for r in self.rules if r.cap is not None}
        )

    def __hash__(self) -> int:
        return hash(self.text)

    def __reduce__(self) -> tuple[type[Grammar], tuple[object, ...]]:
        return Grammar, (self.rules, self.text, self.source, self.origins, self.notes)

    @property
    def starts(self) -> tuple[str, ...]:
        """The legal start symbols: the first rule's, and every one that carries a type."""
        return starts(self.rules)

    def rule(self, symbol: str) -> Rule:
        """Return the rule of a symbol of this grammar."""
        return self.__dict__["_rules"][symbol]  # type: ignore[no-any-return]

    def depths(self, symbol: str) -> tuple[float, ...]:
        """Return the minimal depth of each alternative of a symbol."""
        return self.__dict__["_depths"][symbol]  # type: ignore[no-any-return]

    @property
    def compiled(self) -> dict[str, tuple[Any, ...]]:
        """What `sentence` keeps of this grammar: by start symbol, its steps."""
        return self.__dict__["_compiled"]  # type: ignore[no-any-return]

    def shallowest(self, symbol: str) -> int:
        """Return the first alternative of minimal depth of a symbol."""
        return self.__dict__["_shallowest"][symbol]  # type: ignore[no-any-return]

    def open(self, symbol: str, nested: int = 0) -> tuple[int, ...]:
        """Return the alternatives that may be taken where the symbol is open `nested` times above itself.

        All, unless that is its `@cap`: then those that do not lead back to it.
        """
        cap = self.rule(symbol).cap
        which = "_open" if cap is None or nested < cap else "_capped"
        return self.__dict__[which][symbol]  # type: ignore[no-any-return]

    def start(self, symbol: str) -> Rule:
        """Return the rule of a legal start symbol.

        Raises:
            GrammarError: this grammar has no such start.
        """
        if symbol not in self.starts:
            what = f"unknown start symbol '{symbol}'{near(symbol, self.starts)}"
            remedy = "Legal starts are the first rule and every rule whose head carries @type(...)."
            raise self.fault(self.rules[0].place, what, remedy)
        return self.rule(symbol)

    def words(self, start: str) -> tuple[Word, ...]:
        """Return every word that a derivation from `start` can hold, once per place, in the text's order."""
        return tuple(item for item in self.terminals(start) if isinstance(item, Word))

    def dynamics(self, start: str) -> tuple[Dynamic, ...]:
        """Return every dynamic terminal that a derivation from `start` can hold, in the text's order."""
        return tuple(item for item in self.terminals(start) if isinstance(item, Dynamic))

    def fault(self, place: Place, what: str, remedy: str) -> GrammarError:
        """Return an error that shows this place of the text."""
        return Text(self.source, self.text, self.origins).fault(place, what=what, remedy=remedy)

    def terminals(self, start: str) -> Iterator[Item]:
        """Iterate over every item that a derivation from `start` can hold, and the symbols on the way."""
        found = reach({rule.symbol: mentions(rule) for rule in self.rules}, [start])
        return (item for rule in self.rules if rule.symbol in found for item in _items(rule))


def starts(rules: tuple[Rule, ...]) -> tuple[str, ...]:
    """Return the symbols that a derivation may start from."""
    return tuple(rule.symbol for i, rule in enumerate(rules) if i == 0 or rule.type is not None)


def reach(edges: Mapping[str, Iterable[str]], begin: Iterable[str]) -> set[str]:
    """Return the symbols in `begin` and all that the edges, symbol to mentioned symbols, lead to."""
    found: set[str] = set()
    waiting = list(begin)
    while waiting:
        symbol = waiting.pop()
        if symbol not in found:
            found.add(symbol)
            waiting.extend(edges[symbol])
    return found


def mentions(rule: Rule) -> tuple[str, ...]:
    """Return the symbols in a rule's alternatives, in order."""
    return tuple(item.name for item in _items(rule) if isinstance(item, Symbol))


def outward(rule: Rule, rules: tuple[Rule, ...]) -> tuple[int, ...]:
    """Return the alternatives of a rule that cannot lead back to it."""
    edges = {each.symbol: mentions(each) for each in rules}
    return tuple(
        i
        for i, alternative in enumerate(rule.alternatives)
        if rule.symbol
        not in reach(edges, [item.name for item in alternative.items if isinstance(item, Symbol)])
    )


def minimal_depths(rules: tuple[Rule, ...]) -> dict[str, tuple[float, ...]]:
    """Return the depth of every alternative of every symbol; infinity where no derivation ends."""
    depth = {rule.symbol: math.inf for rule in rules}
    before: dict[str, float] = {}
    while before != depth:
        before = dict(depth)
        for rule in (*reversed(rules), *rules):  # either way round, a chain of rules takes one pass
            depth[rule.symbol] = 1 + min(_depth(a, depth) for a in rule.alternatives)
    return {rule.symbol: tuple(_depth(a, depth) for a in rule.alternatives) for rule in rules}


def _depth(alternative: Alternative, depth: Mapping[str, float]) -> float:
    return max((depth[item.name] for item in alternative.items if isinstance(item, Symbol)), default=0)


def _items(rule: Rule) -> Iterator[Item]:
    for alternative in rule.alternatives:
        yield from alternative.items
