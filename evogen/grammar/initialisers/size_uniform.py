"""Size-uniform initialisation: every size is as likely as any other, and so is every tree of one size.

The size of a derivation is its number of symbols. n(s, d, k), the number of trees of a symbol s with at most
d levels and k symbols, follows from those of its alternatives' symbols by convolution; a tree is then drawn
from the root downwards in proportion to these numbers, which are whole and exact. A symbol whose alternatives
come from the context counts once for each; numbers are not told apart; weights play no part.

It does exactly what PTC2 (Luke 2000) does roughly. Counting: Flajolet, Zimmermann and Van Cutsem 1994, "A
calculus for the random generation of labelled combinatorial structures".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from evogen.grammar.derivation import MAX_DEPTH, counted
from evogen.grammar.initialisers.draws import proportional
from evogen.grammar.initialisers.replay import codons_of
from evogen.grammar.initialisers.states import Option, State, graph, heights
from evogen.grammar.model import Dynamic, Grammar

MAX_SIZE = 64

Counts = Mapping[int, int]  # size to the number of trees of this size
Context = tuple[tuple[str, int], ...]


def size_uniform(
    grammar: Grammar,
    start: str,
    rng: np.random.Generator,
    *,
    max_depth: int = MAX_DEPTH,
    max_size: int = MAX_SIZE,
    context: Mapping[str, int] | None = None,
) -> tuple[int, ...]:
    """Return the codons of a derivation, of a uniform size and uniform among the trees of that size.

    Allowed are the sizes up to max_size and depths up to max_depth, or the least where those are more.
    """
    alternatives = _alternatives(grammar, start, rng, max_depth, max_size, context or {})
    return codons_of(grammar, start, alternatives, rng, context)


def counts(
    grammar: Grammar,
    start: str,
    *,
    max_depth: int = MAX_DEPTH,
    max_size: int = MAX_SIZE,
    context: Mapping[str, int] | None = None,
) -> Counts:
    """Return how many trees of each size there are, see `size_uniform`."""
    levels = _table(grammar, start, max_depth, max_size, tuple(sorted((context or {}).items())))
    return levels[-1][State(start)].total


def _alternatives(
    grammar: Grammar,
    start: str,
    rng: np.random.Generator,
    max_depth: int,
    max_size: int,
    context: Mapping[str, int],
) -> Iterator[int]:
    levels = _table(grammar, start, max_depth, max_size, tuple(sorted(context.items())))
    options, depth = graph(grammar, start), len(levels) - 1
    sizes = sorted(levels[depth][State(start)].total)
    waiting = [(State(start), depth, sizes[int(rng.integers(len(sizes)))])]  # ~ U{sizes that exist}
    while waiting:
        state, depth, size = waiting.pop()
        each, under, left = levels[depth][state].rows, levels[depth - 1], size - 1
        at = proportional([rows[0].get(left, 0) for rows in each], rng)
        chosen, rows = options[state][at], each[at]
        yield chosen.alternative
        children = []
        for place, child in enumerate(chosen.below):
            total, rest = under[child].total, rows[place + 1]
            own = sorted(size for size in total if left - size in rest)
            mine = own[proportional([total[size] * rest[left - size] for size in own], rng)]
            children.append((child, depth - 1, mine))
            left -= mine
        waiting.extend(reversed(children))


class _Counted(NamedTuple):
    """The trees of a state: all, and of each option at [i] those of its symbols from the i-th on together."""

    total: Counts
    rows: Sequence[Sequence[Counts]]


@lru_cache(maxsize=16)
def _table(
    grammar: Grammar, start: str, max_depth: int, max_size: int, context: Context
) -> Sequence[Mapping[State, _Counted]]:
    """Return at [d] the trees of each state with at most d levels, up to the limit of depth."""
    depth, _ = heights(grammar, start, max_depth)
    options, known = graph(grammar, start), dict(context)
    times = {state: _times(grammar, state.symbol, known) for state in options}
    bound = max(max_size, _least(options, depth)[State(start)])
    levels: list[Mapping[State, _Counted]] = [{state: _Counted({}, ()) for state in options}]
    for _ in range(depth):
        under = levels[-1]
        level = {state: _counted(each, under, bound, times[state]) for state, each in options.items()}
        levels.append(under if level == under else level)
    return levels


def _counted(each: Sequence[Option], under: Mapping[State, _Counted], bound: float, times: int) -> _Counted:
    """Return the trees of a state from those of its options: one symbol more."""
    rows = [_rows(option, under, bound - 1) for option in each]
    total: dict[int, int] = {}
    for together, *_ in rows:
        for size, many in together.items():
            total[size + 1] = total.get(size + 1, 0) + many * times
    return _Counted(total, rows)


def _rows(option: Option, under: Mapping[State, _Counted], bound: float) -> Sequence[Counts]:
    """Return at [i] the counts of the option's symbols from the i-th on, together, up to a size."""
    rows: list[Counts] = [{0: 1}]
    for state in reversed(option.below):
        together: dict[int, int] = {}
        for own, many in under[state].total.items():
            for rest, others in rows[-1].items():
                if own + rest <= bound:
                    together[own + rest] = together.get(own + rest, 0) + many * others
        rows.append(together)
    return rows[::-1]


def _least(options: Mapping[State, Sequence[Option]], depth: int) -> Mapping[State, float]:
    """Return the least size of each state's trees of at most this depth; infinity where there is none."""
    found = dict.fromkeys(options, math.inf)
    for _ in range(depth):
        found = {
            state: 1 + min((sum(found[below] for below in option.below) for option in each), default=math.inf)
            for state, each in options.items()
        }
    return found


def _times(grammar: Grammar, symbol: str, context: Mapping[str, int]) -> int:
    """Return in how many ways the picks of a symbol can end; they are all that it is made of, or none."""
    items = (item for alternative in grammar.rule(symbol).alternatives for item in alternative.items)
    picks = (item for item in items if isinstance(item, Dynamic))
    return math.prod(max(counted(grammar, pick, context), 1) for pick in picks)
