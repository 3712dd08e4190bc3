"""How many derivations a grammar has, and which.

Two derivations differ if a symbol takes another alternative or a terminal another value. A whole number and a
choice have each of their values, as far as codons can tell them apart; a pick has what the context counts, or
one, to pick nothing; a float or log number has one value, its middle, unless it is to count for more.

    n(s, d) = sum over the open alternatives of s of the product of n(part, d - 1) over its parts
    n(s, 0) = 0,    n(terminal, d) = the number of its values

counts the derivations of symbol s of at most d symbols from root to leaf; a symbol under a cap is counted
apart for each number of times that it is open above itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf, prod
from typing import NamedTuple

from evogen.grammar.derivation import CODONS, counted
from evogen.grammar.initialisers.states import Graph, Option, State, graph
from evogen.grammar.model import Dynamic, Grammar, Item, Numeric, Scale, Symbol

Level = Mapping[State, int]


def count(
    grammar: Grammar,
    start: str,
    depth: int,
    context: Mapping[str, int] | None = None,
    *,
    floats: int = 1,
) -> int:
    """Return how many derivations have at most `depth` symbols from root to leaf; exact, of any size.

    Args:
        grammar: see `derive`.
        start: see `derive`.
        depth: 1 is the root alone.
        context: see `derive`.
        floats: for how many values each float or log number counts; CODONS: as many as codons can say.

    Raises:
        GrammarError: see `derive`.
    """
    *_, last = (0, *by_depth(grammar, start, depth, context, floats=floats))
    return last


def by_depth(
    grammar: Grammar,
    start: str,
    depth: int,
    context: Mapping[str, int] | None = None,
    *,
    floats: int = 1,
) -> Iterator[int]:
    """Iterate over the counts of at most 1, 2, ... `depth` symbols from root to leaf, see `count`."""
    options = graph(grammar, start)
    fixed = {
        (state.symbol, option.alternative): prod(
            _values(grammar, item, context or {}, floats) for item in _terminals(grammar, state, option)
        )
        for state, each in options.items()
        for option in each
    }
    level: Level = dict.fromkeys(options, 0)
    for _ in range(depth):
        level = {
            state: sum(
                fixed[state.symbol, option.alternative] * prod(level[below] for below in option.below)
                for option in each
            )
            for state, each in options.items()
        }
        yield level[State(start)]


def deepest(grammar: Grammar, start: str) -> float:
    """Return the most symbols from root to leaf that a derivation can have; infinity under free recursion."""
    options = graph(grammar, start)
    depths: dict[State, int] = {}
    before = -1
    while len(depths) > before:
        before = len(depths)
        for state, each in options.items():
            below = {child for option in each for child in option.below}
            if state not in depths and below <= depths.keys():
                depths[state] = 1 + max((depths[child] for child in below), default=0)
    return depths.get(State(start), inf)


def derivations(
    grammar: Grammar, start: str, depth: int, context: Mapping[str, int] | None = None
) -> Iterator[tuple[int, ...]]:
    """Iterate over the derivations that `count` counts, each by codons that `derive` makes it of, all read.

    The order is that of the alternatives and values, the last choice first.

    Raises:
        GrammarError: see `derive`.
    """
    options = graph(grammar, start)
    least = _least(options)
    stack: list[tuple[tuple[int, ...], _Open | None]] = [((), _Open(State(start), depth, None))]
    while stack:
        codons, part = stack.pop()
        if part is None:
            yield codons
        elif isinstance(part.what, State):
            each = options[part.what]
            for place, option in reversed(list(enumerate(each))):
                if all(least[below] < part.room for below in option.below) and part.room > 0:
                    head = (place,) if len(each) > 1 else ()
                    stack.append((codons + head, _opened(grammar, part.what, option, part)))
        else:
            read = reversed(_codons(grammar, part.what, context or {}))
            stack.extend(((*codons, codon), part.rest) for codon in read)


class _Open(NamedTuple):
    """The next part of a derivation, how deep it may be, and the parts behind it."""

    what: State | Numeric | Dynamic
    room: int
    rest: _Open | None


def _opened(grammar: Grammar, state: State, option: Option, part: _Open) -> _Open | None:
    """Return the parts of an alternative and then what follows them."""
    below = list(option.below)
    parts = part.rest
    for item in reversed(grammar.rule(state.symbol).alternatives[option.alternative].items):
        match item:
            case Symbol():
                parts = _Open(below.pop(), part.room - 1, parts)
            case Numeric():
                for _ in range(item.count):
                    parts = _Open(item, 0, parts)
            case Dynamic():
                parts = _Open(item, 0, parts)
    return parts


def _codons(grammar: Grammar, item: Numeric | Dynamic, context: Mapping[str, int]) -> Sequence[int]:
    """Return a codon for each value of a pick, or of one number of a numeric terminal."""
    if isinstance(item, Dynamic):
        return range(_values(grammar, item, context, 1))
    n = _shares(item, 1)
    return range(CODONS) if n == CODONS else [round((i + 0.5) / n * (CODONS - 1)) for i in range(n)]


def _least(options: Graph) -> Mapping[State, float]:
    """Return the depth of each state's shallowest derivation."""
    least: dict[State, float] = dict.fromkeys(options, inf)
    before = None
    while before != least:
        before = least
        least = {
            state: 1 + min(max((before[below] for below in option.below), default=0) for option in each)
            for state, each in options.items()
        }
    return least


def _terminals(grammar: Grammar, state: State, option: Option) -> list[Item]:
    items = grammar.rule(state.symbol).alternatives[option.alternative].items
    return [item for item in items if not isinstance(item, Symbol)]


def _values(grammar: Grammar, item: Item, context: Mapping[str, int], floats: int) -> int:
    """Return how many values a terminal has."""
    match item:
        case Numeric():
            values: int = _shares(item, floats) ** item.count
            return values
        case Dynamic():
            return max(counted(grammar, item, context), 1)
    return 1


def _shares(numeric: Numeric, floats: int) -> int:
    """Return how many values each of a terminal's numbers has."""
    if numeric.scale is Scale.CHOICE:
        return min(len(numeric.values), CODONS)
    if numeric.scale is Scale.INT:
        return min(int(numeric.high) - int(numeric.low) + 1, CODONS)
    return 1 if numeric.low == numeric.high else floats
