"""The symbols of a grammar as a finite graph, in which depths can be counted and sizes be summed.

A state is a symbol and how often each capped symbol is open above it; an option of a state is one of its
alternatives that its caps leave open, with the states of its symbols from left to right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from evogen.grammar.model import Grammar, Symbol, mentions, reach

MOST = 20_000
"""States beyond those that rules alone make, at most; each capped symbol multiplies them."""

Nest = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class State:
    """A symbol, and the capped symbols that are open above it with their number, sorted by name."""

    symbol: str
    nest: Nest = ()


@dataclass(frozen=True, slots=True)
class Option:
    """An open alternative: its index, its weight, and the states of its symbols."""

    alternative: int
    weight: float
    below: tuple[State, ...]


Graph = Mapping[State, tuple[Option, ...]]


@lru_cache(maxsize=64)
def graph(grammar: Grammar, start: str) -> Graph:
    """Return the options of every state that a derivation from `start` can come to.

    Raises:
        GrammarError: see `derive`; or there are too many, which only caps can make.
    """
    grammar.start(start)
    found: dict[State, tuple[Option, ...]] = {}
    waiting = [State(start)]
    while waiting:
        state = waiting.pop()
        if len(found) > MOST + len(grammar.rules):
            capped = next(rule for rule in grammar.rules if rule.cap is not None)
            what = f"caps that multiply to more than {MOST} states, too many to count"
            remedy = "Lower them, put fewer on symbols that lead to each other, or draw by 'grow'."
            raise grammar.fault(capped.place, what, remedy)
        if state not in found:
            found[state] = _options(grammar, state)
            waiting.extend(below for option in found[state] for below in option.below)
    return found


@lru_cache(maxsize=64)
def heights(grammar: Grammar, start: str, limit: int) -> tuple[int, Mapping[State, int]]:
    """Return the depths that a state's derivations can have, as bits: bit d stands for depth d.

    A derivation has depth d if its longest branch holds d symbols, its own included.

    Returns:
        The greatest depth that was looked at, which is `limit`, or the start's least depth where that is
        more; and the depths up to it.
    """
    options = graph(grammar, start)
    found = dict.fromkeys(options, 0)
    depth = 0
    while depth < limit or not found[State(start)]:
        depth += 1  # those of depth d come from those of depth d - 1
        reached = [
            state
            for state, each in options.items()
            if any(_reaches(option, found, depth - 1) for option in each)
        ]
        for state in reached:
            found[state] |= 1 << depth
    return depth, found


def fits(option: Option, found: Mapping[State, int], room: int) -> bool:
    """Tell whether an alternative can be derived with at most `room` symbols a branch below it."""
    below = (1 << room + 1) - 1
    return all(found[state] & below for state in option.below)


def fills(option: Option, found: Mapping[State, int], room: int) -> bool:
    """Tell whether an alternative can be derived so that its deepest branch holds `room` symbols."""
    return _reaches(option, found, room)


def _reaches(option: Option, found: Mapping[State, int], depth: int) -> bool:
    if not option.below:
        return depth == 0
    exactly, within = 1 << depth, (2 << depth) - 1
    each = [found[state] for state in option.below]
    return any(depths & exactly for depths in each) and all(depths & within for depths in each)


def _options(grammar: Grammar, state: State) -> tuple[Option, ...]:
    rule, nest = grammar.rule(state.symbol), dict(state.nest)
    among = grammar.open(state.symbol, nest.get(state.symbol, 0))
    if rule.cap is not None:
        nest[state.symbol] = nest.get(state.symbol, 0) + 1
    found = []
    for i in among:
        alternative = rule.alternatives[i]
        symbols = [item.name for item in alternative.items if isinstance(item, Symbol)]
        found.append(Option(i, alternative.weight, tuple(_state(grammar, name, nest) for name in symbols)))
    return tuple(found)


def _state(grammar: Grammar, symbol: str, nest: Mapping[str, int]) -> State:
    """Return a symbol's state; what is open above counts only where the symbol can lead to it again."""
    return State(symbol, tuple(sorted((s, n) for s, n in nest.items() if s in _reached(grammar, symbol))))


@lru_cache(maxsize=1024)
def _reached(grammar: Grammar, symbol: str) -> frozenset[str]:
    return frozenset(reach({rule.symbol: mentions(rule) for rule in grammar.rules}, [symbol]))
