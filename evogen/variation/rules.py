"""Variation of the rules chromosome, and of the expression that has to follow it.

A gene is row i and column i of O together with column i of every X. Duplication shares x_i^2 between the
copies, x_i -> x_i / sqrt(2) in both, so that X^2 P (X^2)^T is unchanged as long as X is inherited.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from deap import tools

from evogen.genome import Array, Gene, Genome, Rules, frozen
from evogen.keys import Key
from evogen.space import RulesSpace
from evogen.variation.scoped import scoped


def perturb(genome: Genome, key: Key, *, sigma: float) -> Genome:
    """Add Gaussian noise to about g of the g^2 entries of O, and to one in n of c.

    Args:
        genome: with rules.
        key: this mutation's own.
        sigma: step in units of the initial standard deviations, 1/g for O and 1/(sqrt(2) n) for c.
    """
    rules = _of(genome)
    g, n = len(rules.genes), len(rules.c)
    O = _gaussian(rules.O, key.child("O"), sigma=sigma / g, probability=1 / g)
    c = _gaussian(rules.c, key.child("c"), sigma=sigma / (math.sqrt(2) * n), probability=1 / n)
    return replace(genome, rules=replace(rules, O=O, c=c))


def flip(genome: Genome, key: Key) -> Genome:
    """Allow or forbid about one gene pair; a genome without a mask is returned as it is."""
    rules = _of(genome)
    if rules.mask is None:
        return genome
    with scoped(key):
        (bits,) = tools.mutFlipBit(rules.mask.ravel().tolist(), indpb=1 / rules.mask.size)
    return replace(genome, rules=replace(rules, mask=frozen(np.reshape(bits, rules.mask.shape))))


def duplicate(genome: Genome, key: Key, *, space: RulesSpace, ids: Iterator[int]) -> Genome:
    """Copy one gene under a new identity and share its expression between both; full genomes stay."""
    rules = _of(genome)
    g = len(rules.genes)
    if g >= space.max_genes:
        return genome
    i = int(key.generator().integers(g))
    order = [*range(g), i]

    def share(X: Array) -> Array:
        columns = X[:, order]
        columns[:, [i, g]] /= math.sqrt(2)
        return columns

    chosen = _take(rules, order, (*rules.genes, next(ids)))
    return _with_expression(replace(genome, rules=chosen), lambda gene: _with_columns(gene, share))


def delete(genome: Genome, key: Key, *, space: RulesSpace) -> Genome:
    """Drop one gene and its expression; a genome at the lower bound stays."""
    rules = _of(genome)
    g = len(rules.genes)
    if g <= space.min_genes:
        return genome
    i = int(key.generator().integers(g))
    order = [j for j in range(g) if j != i]
    chosen = _take(rules, order, tuple(rules.genes[j] for j in order))
    return _with_expression(
        replace(genome, rules=chosen), lambda gene: _with_columns(gene, lambda X: X[:, order])
    )


def cross(mother: Genome, father: Genome, key: Key) -> Genome:
    """Return the mother with the father's row and column of about half of the genes that both have.

    The child keeps the mother's gene list. Entries whose other gene the father lacks stay the mother's. c
    comes from either parent.
    """
    hers, his = _of(mother), _of(father)
    rng = key.generator()
    place = {gene: i for i, gene in enumerate(his.genes)}
    common = [i for i, gene in enumerate(hers.genes) if gene in place]
    taken = rng.random(len(common)) < 0.5
    c = his.c if rng.random() < 0.5 else hers.c
    to = np.ix_(common, common)
    source = [place[hers.genes[i]] for i in common]
    choice = taken[:, None] | taken[None, :]

    def mix(own: Array, other: Array) -> Array:
        mixed = own.copy()
        mixed[to] = np.where(choice, other[np.ix_(source, source)], own[to])
        return frozen(mixed)

    mask = hers.mask if hers.mask is None or his.mask is None else mix(hers.mask, his.mask)
    return replace(mother, rules=replace(hers, O=mix(hers.O, his.O), c=c, mask=mask))


def realign(gene: Gene, before: Sequence[int], after: Sequence[int], key: Key) -> Gene:
    """Return the gene with the columns of its X put in the order of another gene list.

    Args:
        gene: expression arrays named `*.X` are (N, len(before)).
        before: gene identities of the present columns.
        after: gene identities of the wanted columns.
        key: draws the columns of genes that are new, ~ N(0, 2/g).
    """
    if tuple(before) == tuple(after):
        return gene
    place = {identity: i for i, identity in enumerate(before)}
    rng = key.child(gene.innovation).generator()

    def align(X: Array) -> npt.ArrayLike:
        aligned = rng.normal(0, math.sqrt(2 / len(after)), (len(X), len(after)))
        for j, identity in enumerate(after):
            if identity in place:
                aligned[:, j] = X[:, place[identity]]
        return aligned

    return _with_columns(gene, align)


def _of(genome: Genome) -> Rules:
    assert genome.rules is not None
    return genome.rules


def _gaussian(array: Array, key: Key, *, sigma: float, probability: float) -> Array:
    with scoped(key):
        (values,) = tools.mutGaussian(array.ravel().tolist(), mu=0.0, sigma=sigma, indpb=probability)
    return frozen(np.reshape(values, array.shape))


def _take(rules: Rules, order: list[int], genes: tuple[int, ...]) -> Rules:
    square = np.ix_(order, order)
    mask = None if rules.mask is None else frozen(rules.mask[square])
    return replace(rules, genes=genes, O=frozen(rules.O[square]), mask=mask)


def _with_expression(genome: Genome, change: Callable[[Gene], Gene]) -> Genome:
    modules = tuple(change(gene) for gene in genome.architecture)
    return replace(genome, interface=change(genome.interface), architecture=modules)


def _with_columns(gene: Gene, change: Callable[[Array], npt.ArrayLike]) -> Gene:
    expression = {
        name: frozen(change(array)) if name.endswith(".X") else array
        for name, array in gene.expression.items()
    }
    return replace(gene, expression=expression)
