"""Grammar: rules, alternatives and terminals as values, and what follows from them.

The depth of a derivation is the number of symbols on its longest path from the root; the depth of an
alternative is that of its shallowest derivation, 0 where it holds terminals only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from evogen.errors import GrammarError, near


class Place(NamedTuple):
    """A place in a grammar's text, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Symbol:
    """A mention of a rule, `<name>`."""

    name: str
    place: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Word:
    """A terminal that stands for itself: `layer:dense`, a plain word, or the content of a quoted string."""

    text: str
    place: Place = field(compare=False, repr=False)

    @property
    def kind(self) -> str:
        """What stands before the first colon; empty without one."""
        return self.text.split(":", 1)[0] if ":" in self.text else ""

    @property
    def name(self) -> str:
        """What stands after the first colon; the whole text without one."""
        return self.text.split(":", 1)[-1]


class Scale(StrEnum):
    """How a numeric terminal spreads its codons over its range."""

    INT = "int"
    FLOAT = "float"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Numeric:
    """A terminal that stands for `count` numbers in [low, high]: `[name,int|float|log,count,low,high]`."""

    name: str
    scale: Scale
    count: int
    low: float
    high: float
    place: Place = field(compare=False, repr=False)

    def value(self, unit: float) -> float:
        """Return the number at this point of [0, 1].

        int: one of high - low + 1 equal shares; float: linear; log: geometric, low^(1 - unit) high^unit.
        """
        if self.scale is Scale.INT:
            low, high = int(self.low), int(self.high)
            return min(max(low + int(unit * (high - low + 1)), low), high)
        if self.scale is Scale.LOG:
            spread = math.pow(self.low, 1 - unit) * math.pow(self.high, unit)
        else:
            spread = self.low * (1 - unit) + self.high * unit
        return min(max(spread, self.low), self.high)

    def unit(self, value: float) -> float:
        """Return the point of [0, 1] of a number in [low, high]; of a whole one, the middle of its share."""
        if self.scale is Scale.INT:
            return (value - int(self.low) + 0.5) / (int(self.high) - int(self.low) + 1)
        if self.low == self.high:
            return 0.5
        low, high, at = self.low / 2, self.high / 2, value / 2  # high - low may be too large for a float
        if self.scale is Scale.LOG:
            low, high, at = math.log(self.low), math.log(self.high), math.log(value)
        return min(max((at - low) / (high - low), 0.0), 1.0)


Item = Symbol | Word | Numeric


@dataclass(frozen=True, slots=True)
class Alternative:
    """One right-hand side; the weight biases `grow`, never `derive`. No items: it stands for nothing."""

    items: tuple[Item, ...]
    weight: float
    place: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """All alternatives of one symbol; `type` is what `@type(...)` on its head says, or None."""

    symbol: str
    type: str | None
    alternatives: tuple[Alternative, ...]
    place: Place = field(compare=False, repr=False)


@dataclass(frozen=True)
class Grammar:
    """A checked grammar. Made by `parse` and `load`; picklable, and a pickle holds values only.

    Attributes:
        rules: in the order of the text; the first one is the start unless another is asked for.
        text: the source text, for a run folder to keep.
        source: the name that error messages show, usually a path; not part of equality.
    """

    rules: tuple[Rule, ...]
    text: str
    source: str = field(compare=False)

    def __post_init__(self) -> None:
        depths = minimal_depths(self.rules)
        object.__setattr__(self, "_rules", {rule.symbol: rule for rule in self.rules})
        object.__setattr__(self, "_depths", depths)
        object.__setattr__(self, "_shallowest", {s: each.index(min(each)) for s, each in depths.items()})

    def __hash__(self) -> int:
        return hash(self.text)

    def __reduce__(self) -> tuple[type[Grammar], tuple[tuple[Rule, ...], str, str]]:
        return Grammar, (self.rules, self.text, self.source)

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

    def shallowest(self, symbol: str) -> int:
        """Return the first alternative of minimal depth of a symbol."""
        return self.__dict__["_shallowest"][symbol]  # type: ignore[no-any-return]

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
        found = reach({rule.symbol: mentions(rule) for rule in self.rules}, [start])
        items = (item for rule in self.rules if rule.symbol in found for item in _items(rule))
        return tuple(item for item in items if isinstance(item, Word))

    def fault(self, place: Place, what: str, remedy: str) -> GrammarError:
        """Return an error that shows this place of the text."""
        return located(self.source, self.text, place, what=what, remedy=remedy)


def located(source: str, text: str, place: Place, *, what: str, remedy: str) -> GrammarError:
    """Return an error: `file:line:column: what`, the line with a caret under the column, the remedy."""
    line = text.split("\n")[place.line - 1].rstrip("\r")
    blanks = "".join("\t" if character == "\t" else " " for character in line[: place.column - 1])
    return GrammarError(f"{source}:{place.line}:{place.column}: {what}\n  {line}\n  {blanks}^\n{remedy}")


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


def minimal_depths(rules: tuple[Rule, ...]) -> dict[str, tuple[float, ...]]:
    """Return the depth of every alternative of every symbol; infinity where no derivation ends."""
    depth = {rule.symbol: math.inf for rule in rules}
    while True:
        each = {rule.symbol: tuple(_depth(a, depth) for a in rule.alternatives) for rule in rules}
        after = {symbol: 1 + min(alternatives) for symbol, alternatives in each.items()}
        if after == depth:
            return each
        depth = after


def _depth(alternative: Alternative, depth: Mapping[str, float]) -> float:
    return max((depth[item.name] for item in alternative.items if isinstance(item, Symbol)), default=0)


def _items(rule: Rule) -> Iterator[Item]:
    for alternative in rule.alternatives:
        yield from alternative.items
