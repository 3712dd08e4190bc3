"""Symbols that repeat: `<x>*`, `<x>+` and `<x>?`, with a number behind the mark for how often at most.

They are rules of their own, one per number that may still follow, each with one choice, to stop or to go on:

    <x>*2  is <x*2>      <x*2> ::= "" | <x> <x*1>       <x*1> ::= "" | <x>
    <x>+2  is <x+2>      <x+2> ::= <x> | <x> <x>
    <x>?   is <x?>       <x?>  ::= "" | <x>

So every repetition costs one codon a round, and the sentences of a repetition can be counted.
"""

from __future__ import annotations

from evogen.grammar.model import Alternative, Item, Rule, Symbol
from evogen.grammar.text import Place

MOST = 8
"""How often a symbol repeats at most where no number says so."""


def name(symbol: str, mark: str, most: int) -> str:
    """Return the symbol that stands for a repetition."""
    return f"{symbol}?" if mark == "?" else f"{symbol}{mark}{most}"


def rules(symbol: str, mark: str, most: int, place: Place) -> tuple[Rule, ...]:
    """Return the rules of a repetition, the longest first; `most` is at least 1."""
    one = Symbol(symbol, place)
    stop: tuple[Item, ...] = (one,) if mark == "+" else ()
    last = 2 if mark == "+" else 1
    if most < last:
        return (_rule(name(symbol, mark, most), [stop], place),)
    made = []
    for left in range(most, last - 1, -1):
        more = Symbol(name(symbol, mark, left - 1), place)
        made.append(
            _rule(name(symbol, mark, left), [stop, (one, *(stop if left == last else (more,)))], place)
        )
    return tuple(made)


def _rule(symbol: str, ways: list[tuple[Item, ...]], place: Place) -> Rule:
    return Rule(symbol, None, tuple(Alternative(items, 1.0, place) for items in ways), place)
