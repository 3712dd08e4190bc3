"""Ramped half-and-half: one derivation in two grows, the other is full, and the depth limit is ramped.

The limit is uniform between the start's least depth and max_depth. `full` never takes an alternative that
must end early where there is one that can go down to the limit, so all branches are as deep as they can be.
Source: Koza 1992, for trees; Ryan and Azad 2003, "sensible initialisation", for grammars.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from evogen.grammar.derivation import MAX_DEPTH, grow
from evogen.grammar.initialisers.draws import weighted
from evogen.grammar.initialisers.replay import codons_of
from evogen.grammar.initialisers.states import State, fills, fits, graph, heights
from evogen.grammar.model import Grammar


def ramped(
    grammar: Grammar,
    start: str,
    rng: np.random.Generator,
    *,
    max_depth: int = MAX_DEPTH,
    context: Mapping[str, int] | None = None,
) -> tuple[int, ...]:
    """Return the codons of one derivation of a ramped half-and-half population."""
    least, _ = heights(grammar, start, 1)
    limit = int(rng.integers(least, max(max_depth, least) + 1))  # ~ U{least .. max_depth}
    if rng.random() < 0.5:
        return grow(grammar, start, rng, max_depth=limit, context=context)
    return full(grammar, start, rng, max_depth=limit, context=context)


def full(
    grammar: Grammar,
    start: str,
    rng: np.random.Generator,
    *,
    max_depth: int = MAX_DEPTH,
    context: Mapping[str, int] | None = None,
) -> tuple[int, ...]:
    """Return the codons of a derivation whose branches are all as long as max_depth and the grammar let them.

    At each symbol an alternative is drawn by weight among those of which some branch can hold just as many
    symbols as are left, or, where none can, among those that fit.
    """
    return codons_of(grammar, start, _alternatives(grammar, start, rng, max_depth), rng, context)


def _alternatives(grammar: Grammar, start: str, rng: np.random.Generator, max_depth: int) -> Iterator[int]:
    depth, found = heights(grammar, start, max_depth)
    options = graph(grammar, start)
    waiting = [(State(start), depth - 1)]
    while waiting:
        state, room = waiting.pop()
        each = options[state]
        allowed = [option for option in each if fills(option, found, room)]
        chosen = weighted(allowed or [option for option in each if fits(option, found, room)], rng)
        yield chosen.alternative
        waiting.extend((below, room - 1) for below in reversed(chosen.below))
