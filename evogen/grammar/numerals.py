"""Numeric terminals `[name,scale,count,...]` and `GE_RANGE:n`, from their tokens to their values."""

from __future__ import annotations

import math

from lark import Token

from evogen.errors import near
from evogen.grammar.model import Dynamic, Item, Numeric, Scale, Word
from evogen.grammar.syntax import NUMERIC, place
from evogen.grammar.text import Text

DATASET = ("dataset_n_vars", "dataset_n_is", "dataset_n_os")
_LARGEST = 2**16  # one alternative for each codon
_DIGITS = 9  # of a number that is looked at: int refuses thousands of them
_RANGE = (
    f"Write GE_RANGE:n with a whole number n from 1 to {_LARGEST}, or one of GE_RANGE:{'|'.join(DATASET)}."
)


def numeric(parts: list[Token], text: Text) -> Numeric:
    """Return the value of a numeric terminal.

    Raises:
        GrammarError: no such scale, an impossible count, a bound that is none, an empty range.
    """
    opening, name, scale, count, *bounds = parts
    if scale not in list(Scale):
        what = f"unknown kind of number '{scale}'{near(scale, list(Scale))}"
        raise text.fault(place(scale), what=what, remedy=NUMERIC)
    if not (count.isdecimal() and len(count) <= _DIGITS and 0 < int(count) <= _LARGEST):
        what = (
            f"[{name},...] stands for {count} numbers, a whole number above 0 was wanted, {_LARGEST} at most"
        )
        raise text.fault(place(count), what=what, remedy=NUMERIC)
    if not bounds or (scale != Scale.CHOICE and len(bounds) != 2):
        wanted = "one value or more" if scale == Scale.CHOICE else "min and max"
        what = f"[{name},{scale},{count},...] ends behind {len(bounds)} of its numbers, wanted {wanted}"
        raise text.fault(place(opening), what=what, remedy=NUMERIC)
    for bound in bounds:
        if not math.isfinite(float(bound)) or (scale == Scale.INT and not float(bound).is_integer()):
            what = f"bound {bound} of [{name},{scale},...]: a finite number was wanted, a whole one for int"
            raise text.fault(place(bound), what=what, remedy=NUMERIC)
    values = _values(bounds, text) if scale == Scale.CHOICE else ()
    if not values:
        _check_range(bounds[0], bounds[1], Scale(scale), text)
    low, high = (float(min(values)), float(max(values))) if values else (float(bounds[0]), float(bounds[1]))
    return Numeric(str(name), Scale(scale), int(count), low, high, place(opening), values)


def ranged(items: tuple[Item, ...], text: Text) -> list[tuple[Item, ...]]:
    """Return the alternatives that one which begins with a word stands for: itself, or those of `GE_RANGE:n`.

    Raises:
        GrammarError: a range of nothing or of what is not known; `GE_GENERATE`, which is Python.
    """
    word = items[0]
    assert isinstance(word, Word)
    if word.text.startswith("GE_GENERATE:"):
        what = "GE_GENERATE is Python, which is never run here"
        raise text.fault(word.place, what=what, remedy="Write out what it would generate, with '|' between.")
    if len(items) > 1 or not word.text.startswith("GE_RANGE:"):
        return [items]
    said = word.name
    if said in DATASET:
        return [(Dynamic(said, word.place),)]
    if not (said.isdecimal() and len(said) <= _DIGITS and 1 <= int(said) <= _LARGEST):
        what = (
            f"empty range: {word.text}" if said == "0" else f"unknown range {word.text}{near(said, DATASET)}"
        )
        raise text.fault(word.place, what=what, remedy=_RANGE)
    return [(Word(str(i), word.place),) for i in range(int(said))]


def _values(bounds: list[Token], text: Text) -> tuple[float, ...]:
    """Return the values of a choice, all of them whole or none."""
    values = [float(bound) for bound in bounds]
    for i, value in enumerate(values):
        if value in values[:i]:
            raise text.fault(place(bounds[i]), what=f"{bounds[i]} is written twice", remedy="Write it once.")
    whole = all(value.is_integer() for value in values)
    return tuple(int(value) if whole else value for value in values)


def _check_range(low: Token, high: Token, scale: Scale, text: Text) -> None:
    if float(low) > float(high):
        what = f"empty range: min {low} is above max {high}"
        raise text.fault(place(low), what=what, remedy="Write the smaller bound first.")
    if scale is Scale.LOG and float(low) <= 0:
        what = f"log scale from {low}: min must be above 0"
        raise text.fault(place(low), what=what, remedy="Raise min above 0, or use float.")
