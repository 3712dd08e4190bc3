"""The fast way from codons to a sentence: the leaves of `derive`, without its tree.

A grammar is compiled once, to steps. A step is a tuple that begins with its kind: words that follow each
other, a symbol and the steps of its alternatives, a number, a pick, a capped symbol or its end. Steps lie
last first, as they are put on a stack.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from evogen.grammar.derivation import CODONS, Leaf, Number, Pick, counted
from evogen.grammar.model import Alternative, Dynamic, Grammar, Item, Numeric, Rule, Scale, Symbol, Word

_WORDS, _SYMBOL, _NUMBER, _PICK, _CAPPED, _CLOSE = range(6)
_READY = 256  # leaves of one terminal that are made in advance
_LAST = CODONS - 1

_Step = tuple[Any, ...]


def sentence(
    grammar: Grammar, start: str, codons: Sequence[int], context: Mapping[str, int] | None = None
) -> tuple[Leaf, ...]:
    """Return the leaves of `derive` of the same arguments, several times as fast.

    Raises:
        GrammarError: see `derive`.
    """
    counts = context or {}
    leaves: list[Leaf] = []
    stack: list[_Step] = [grammar.compiled.get(start) or _compiled(grammar, start)]
    nested: dict[str, int] = {}
    at, end = 0, len(codons)
    while stack:
        step = stack.pop()
        kind = step[0]
        if kind == _WORDS:
            leaves += step[1]
        elif kind == _SYMBOL:
            _, n, alternatives, shallowest = step
            if n > 1 and at < end:
                stack += alternatives[codons[at] % n]
                at += 1
            else:
                stack += alternatives[shallowest]
        elif kind == _NUMBER:
            _, wanted, one, several = step
            if wanted == 1:
                leaves.append(one(codons[at] / _LAST if at < end else 0.5))
            else:
                leaves.append(several(codons[at : at + wanted]))
            at += wanted
            if at > end:
                at = end
        elif kind == _PICK:
            _, dynamic, name, picks = step
            count = counts[name] if name in counts else counted(grammar, dynamic, counts)
            index = (codons[at] if at < end else 0) % count if count else -1
            leaves.append(picks[index] if 0 <= index < _READY else Pick(dynamic.context, index))
            at += at < end
        elif kind == _CAPPED:
            _, symbol, cap, free, capped = step
            depth = nested.get(symbol, 0)
            nested[symbol] = depth + 1
            stack.append((_CLOSE, symbol))
            stack.append(free if depth < cap else capped)
        else:
            nested[step[1]] -= 1
    return tuple(leaves)


def _compiled(grammar: Grammar, start: str) -> _Step:
    """Return the step of a start symbol, kept with the grammar; a recursive symbol's lead back to it."""
    grammar.start(start)
    written = {rule.symbol: [list[_Step]() for _ in rule.alternatives] for rule in grammar.rules}
    steps = {rule.symbol: _symbol(grammar, rule, written[rule.symbol]) for rule in grammar.rules}
    for rule in grammar.rules:
        for made, alternative in zip(written[rule.symbol], rule.alternatives, strict=True):
            made.extend(_alternative(alternative, steps))
    return grammar.compiled.setdefault(start, steps[start])


def _symbol(grammar: Grammar, rule: Rule, alternatives: list[list[_Step]]) -> _Step:
    def choice(among: tuple[int, ...]) -> _Step:
        shallowest = min(range(len(among)), key=lambda i: grammar.depths(rule.symbol)[among[i]])
        return (_SYMBOL, len(among), [alternatives[i] for i in among], shallowest)

    if rule.cap is None:
        return choice(grammar.open(rule.symbol))
    free, capped = choice(grammar.open(rule.symbol)), choice(grammar.open(rule.symbol, rule.cap))
    return (_CAPPED, rule.symbol, rule.cap, free, capped)


def _alternative(alternative: Alternative, steps: Mapping[str, _Step]) -> list[_Step]:
    made: list[_Step] = []
    for are_words, group in groupby(alternative.items, lambda item: isinstance(item, Word)):
        items = tuple(group)
        made += [(_WORDS, items)] if are_words else [_step(item, steps) for item in items]
    return made[::-1]


def _step(item: Item, steps: Mapping[str, _Step]) -> _Step:
    match item:
        case Symbol():
            return steps[item.name]
        case Numeric():
            return (_NUMBER, item.count, *_number(item))
        case Dynamic():
            return (_PICK, item, item.context, [Pick(item.context, i) for i in range(_READY)])
    raise AssertionError(item)


def _number(numeric: Numeric) -> tuple[Callable[[float], Leaf], Callable[[Sequence[int]], Leaf]]:
    """Return what makes a terminal's leaf of one point of [0, 1], and what makes it of its codons."""
    name, count, value = numeric.name, numeric.count, numeric.value
    n, low, high = _shares(numeric), numeric.low, numeric.high
    ready = [Number(name, (value((i + 0.5) / n),)) for i in range(n)] if n <= _READY else []

    def shared(unit: float) -> Number:
        return ready[min(int(unit * n), n - 1)]

    def linear(unit: float) -> Number:  # Numeric.value without the way there
        at = low * (1 - unit) + high * unit
        return Number(name, (low if at < low else high if at > high else at,))

    def computed(unit: float) -> Number:
        return Number(name, (value(unit),))

    one = shared if ready else linear if numeric.scale is Scale.FLOAT else computed

    def several(codons: Sequence[int]) -> Number:
        units = [codon / _LAST for codon in codons] + [0.5] * (count - len(codons))
        return Number(name, tuple([value(unit) for unit in units]))

    return one, several


def _shares(numeric: Numeric) -> int:
    """Return how many numbers a terminal of whole numbers or values can be; else more than are made ready."""
    if numeric.scale is Scale.CHOICE:
        return len(numeric.values)
    return int(numeric.high) - int(numeric.low) + 1 if numeric.scale is Scale.INT else _READY + 1
