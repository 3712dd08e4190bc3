"""Position-independent grow: symbols are expanded in random order, and one branch reaches the depth limit.

Source: Fagan, Fenton and O'Neill 2016, "Exploring position independent initialisation in grammatical
evolution", CEC.

Grow from left to right gives the left-hand symbols the say over how the tree turns out; here the next symbol
is any of those that wait. While no branch has reached the limit, the last waiting symbol that can still get
there must keep that possible. Where the grammar has a derivation as deep as the limit, every tree is so deep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from evogen.grammar.derivation import MAX_DEPTH
from evogen.grammar.initialisers.draws import weighted
from evogen.grammar.initialisers.replay import codons_of
from evogen.grammar.initialisers.states import State, fills, fits, graph, heights
from evogen.grammar.model import Grammar


@dataclass(eq=False)
class _Place:
    """A symbol of the tree; `room`: how many symbols a branch may hold below it."""

    state: State
    room: int
    alternative: int = 0
    below: list[_Place] = field(default_factory=list)


def pi_grow(
    grammar: Grammar,
    start: str,
    rng: np.random.Generator,
    *,
    max_depth: int = MAX_DEPTH,
    context: Mapping[str, int] | None = None,
) -> tuple[int, ...]:
    """Return the codons of a derivation that was grown in random order; alternatives are drawn by weight."""
    return codons_of(grammar, start, _leftmost(_tree(grammar, start, rng, max_depth)), rng, context)


def _tree(grammar: Grammar, start: str, rng: np.random.Generator, max_depth: int) -> _Place:
    depth, found = heights(grammar, start, max_depth)
    options = graph(grammar, start)
    root = _Place(State(start), depth - 1)
    waiting, reached = [root], False
    while waiting:
        place = waiting.pop(int(rng.integers(len(waiting))))  # ~ U{waiting symbols}
        each = options[place.state]
        deep = [option for option in each if fills(option, found, place.room)]
        reached = reached or place.room == 0
        free = reached or any(found[other.state] >> other.room + 1 & 1 for other in waiting)
        fitting = [option for option in each if fits(option, found, place.room)]
        chosen = weighted(fitting if free else deep or fitting, rng)
        place.alternative = chosen.alternative
        place.below = [_Place(state, place.room - 1) for state in chosen.below]
        waiting.extend(place.below)
    return root


def _leftmost(root: _Place) -> Iterator[int]:
    waiting = [root]
    while waiting:
        place = waiting.pop()
        yield place.alternative
        waiting.extend(reversed(place.below))
