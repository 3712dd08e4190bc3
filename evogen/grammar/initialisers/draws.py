"""Draws that the initialisers share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evogen.grammar.initialisers.states import Option


def weighted(options: Sequence[Option], rng: np.random.Generator) -> Option:
    """Draw one of the options by weight."""
    cumulative = np.cumsum([option.weight for option in options])
    place = int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
    return options[min(place, len(options) - 1)]  # ~ Categorical(weight)


def proportional(counts: Sequence[int], rng: np.random.Generator) -> int:
    """Draw an index in proportion to whole numbers of any size, exactly."""
    at = below(sum(counts), rng)
    for index, count in enumerate(counts):
        at -= count
        if at < 0:
            return index
    raise AssertionError("the counts sum up to more than what was drawn")


def below(bound: int, rng: np.random.Generator) -> int:
    """Draw a whole number ~ U{0 .. bound - 1}, however large the bound."""
    if bound < 2**63:
        return int(rng.integers(bound))
    bits = bound.bit_length()
    while True:
        drawn = int.from_bytes(rng.bytes((bits + 7) // 8), "little") >> (-bits % 8)
        if drawn < bound:
            return drawn
