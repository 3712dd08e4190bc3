"""Copies: which gene of its own genome a new gene is like, as duplication leaves it.

Two rule genes are alike by the cosine of their entries of O, row and column together. Those of others are
drawn apart, so that a cosine above ALIKE does not happen by chance but among very few genes.
"""

from __future__ import annotations

import numpy as np

from evogen.diff.difference import Difference, Kind, What
from evogen.genome import Genome, Rules

ALIKE = 0.9
FEWEST = 4
"""Rule genes below which likeness means nothing."""


def origin(difference: Difference, genome: Genome) -> str:
    """Say of which other gene of the genome an added one is a copy; empty: of none, or it was not added."""
    if difference.kind is not Kind.ADDED:
        return ""
    if difference.what is What.RULE_GENE and genome.rules is not None:
        return _rule_gene(difference.gene, genome.rules)
    return _module(difference.gene, genome) if difference.what is What.MODULE else ""


def _rule_gene(gene: int, rules: Rules) -> str:
    g, at = len(rules.genes), rules.genes.index(gene)
    if g < FEWEST:
        return ""
    entries = np.hstack([rules.O, rules.O.T]).astype(np.float64)  # (g, 2g)
    norms = np.linalg.norm(entries, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = np.nan_to_num(entries @ entries[at] / (norms * norms[at]), nan=-1.0)
    cosine[at] = -1.0
    other = int(cosine.argmax())
    if np.array_equal(entries[other], entries[at]):
        return f"a copy of rule gene {rules.genes[other]}"
    return (
        f"like rule gene {rules.genes[other]} (cosine {cosine[other]:.2f})" if cosine[other] > ALIKE else ""
    )


def _module(gene: int, genome: Genome) -> str:
    own = next(each for each in genome.architecture if each.innovation == gene)
    same = [
        str(each.innovation)
        for each in genome.architecture
        if each.innovation != gene and each.codons and each.codons == own.codons
    ]
    return f"same codons as gene {same[0]}" if same else ""
