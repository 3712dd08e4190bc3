"""What mutations of codons share."""

from __future__ import annotations

from evogen.grammar import CODONS
from evogen.grammar.derivation import Leaf, Number
from evogen.grammar.mappers.decisions import Part
from evogen.grammar.model import Numeric
from evogen.space import ArchitectureSpace

TRIES = 16
"""Draws until one changes what is said; after that many the genome stays as it is."""


def reflected(codon: int) -> int:
    """Return the codon that a step beyond the bounds comes back to."""
    period = 2 * (CODONS - 1)
    return min(codon % period, -codon % period)


def idle(part: Leaf | Part, space: ArchitectureSpace) -> bool:
    """Return whether this is a weight or a bias where those are trained, so that its number says nothing."""
    return (
        space.weights == "trained" and isinstance(part, Number | Numeric) and part.name in ("weight", "bias")
    )
