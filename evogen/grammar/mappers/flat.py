"""Grammatical Evolution: one codon list for the whole network, read from left to right.

A codon is taken modulo the number of alternatives of the leftmost open symbol. After the last codon the list
may be read again (`wraps`); then the shallowest derivation completes the sentence, so there are no invalid
genomes. What a codon stands for depends on all before it: one that opens or closes a symbol shifts the rest.

Sources: Ryan, Collins and O'Neill 1998; O'Neill and Ryan 2001, "Grammatical evolution".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evogen.grammar.derivation import Node, derive
from evogen.grammar.initialisers.replay import codon as drawn
from evogen.grammar.mappers.decisions import decisions
from evogen.grammar.model import Grammar


def decode(
    grammar: Grammar,
    start: str,
    codons: Sequence[int],
    context: Mapping[str, int] | None = None,
    *,
    wraps: int = 0,
) -> Node:
    """Return the tree of the genome.

    Args:
        grammar: see `derive`.
        start: the symbol of the whole network.
        codons: of the genome's only gene.
        context: see `derive`.
        wraps: how often the codons are read again from the first one after the last.

    Raises:
        GrammarError: an unknown start, or a name that the context lacks.
    """
    return derive(grammar, start, tuple(codons) * (wraps + 1), context)


def encode(
    grammar: Grammar, tree: Node, rng: np.random.Generator, context: Mapping[str, int] | None = None
) -> tuple[int, ...]:
    """Return codons that decode to a tree, all of them read.

    Args:
        grammar: the tree's.
        tree: as `derive` gives it; a number that no codon gives becomes the nearest one.
        rng: chooses among the codons that stand for the same alternative.
        context: with which the tree was derived.
    """
    made = decisions(grammar, tree, context)
    return tuple(drawn(decision.outcome, decision.limit, rng) for decision in made)
