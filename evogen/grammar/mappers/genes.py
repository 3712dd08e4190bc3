"""One sentence per gene, each from the gene's own codons: a change in one gene never reaches another.

So Modular Grammatical Evolution maps genes to neurons (arXiv 2208.02787, abstract). A codon is taken modulo
the number of alternatives; where the codons run out, the shallowest derivation completes the sentence, so
every codon list has one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evogen.grammar.derivation import Node, derive
from evogen.grammar.mappers import flat
from evogen.grammar.model import Grammar


def decode(
    grammar: Grammar,
    start: str,
    lists: Sequence[Sequence[int]],
    contexts: Sequence[Mapping[str, int]] | None = None,
) -> tuple[Node, ...]:
    """Return the tree of each gene.

    Args:
        grammar: one for all genes.
        start: the symbol that every gene is derived from.
        lists: the codons of each gene.
        contexts: what each gene may choose from, see `derive`; None: nothing depends on it.

    Raises:
        GrammarError: an unknown start, or a name that a context lacks.
    """
    each = contexts if contexts is not None else [{}] * len(lists)
    return tuple(derive(grammar, start, codons, context) for codons, context in zip(lists, each, strict=True))


def encode(
    grammar: Grammar,
    trees: Sequence[Node],
    rng: np.random.Generator,
    contexts: Sequence[Mapping[str, int]] | None = None,
) -> tuple[tuple[int, ...], ...]:
    """Return codons that decode to these trees, all of them read; see `flat.encode`."""
    each = contexts if contexts is not None else [{}] * len(trees)
    return tuple(flat.encode(grammar, tree, rng, context) for tree, context in zip(trees, each, strict=True))
