"""Initialisers: laws by which the codons of a new genome are drawn, by the name that a search space gives.

    grow          by weight among the alternatives that fit below max_depth, leftmost first
    pi-grow       the same in random order, with one branch down to max_depth
    ramped        half of them grown, half full, max_depth ramped from the least one
    size-uniform  all sizes equally likely, all trees of a size equally likely; weights play no part

Every codon that an initialiser gives is read by `derive` with the same context, and is uniform among those
that say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from evogen.errors import SpecError, near
from evogen.grammar.derivation import MAX_DEPTH, grow
from evogen.grammar.initialisers.pi_grow import pi_grow
from evogen.grammar.initialisers.ramped import full, ramped
from evogen.grammar.initialisers.size_uniform import counts, size_uniform
from evogen.grammar.model import Grammar

__all__ = [
    "INITIALISERS",
    "Initialiser",
    "counts",
    "find",
    "full",
    "grow",
    "pi_grow",
    "ramped",
    "size_uniform",
]


class Initialiser(Protocol):
    """Draws a derivation."""

    def __call__(
        self,
        grammar: Grammar,
        start: str,
        rng: np.random.Generator,
        *,
        max_depth: int = MAX_DEPTH,
        context: Mapping[str, int] | None = None,
    ) -> tuple[int, ...]:
        """Return the codons of a random derivation, all of which are read."""
        ...


INITIALISERS: Mapping[str, Initialiser] = {
    "grow": grow,
    "pi-grow": pi_grow,
    "ramped": ramped,
    "size-uniform": size_uniform,
}


def find(name: str) -> Initialiser:
    """Return an initialiser.

    Raises:
        SpecError: there is none of this name.
    """
    if name not in INITIALISERS:
        raise SpecError(f"unknown initialiser '{name}'{near(name, INITIALISERS)}")
    return INITIALISERS[name]
