"""Variation of the plasticity chromosome, in the unit interval of each gene's distribution.

A step is therefore relative to a gene's range, and to the range of its logarithm where it is declared `log`.
Its laws are those of numbers:

    gaussian     blend crossover and Gaussian mutation
    polynomial   simulated binary crossover (Deb and Agrawal 1995) and polynomial mutation (Deb and Goyal
                 1996), both bounded as in Deb's code of NSGA-II; DEAP's operators
    iso-line     crossover x1 + 0.01 N(0, I) + 0.2 N(0, 1) (x2 - x1) (Vassiliades and Mouret 2018,
                 arXiv:1804.03906, equation 2), and Gaussian mutation

Rules and architecture have laws of their own under each of them: their genes are aligned first.

Small steps would never leave the share of [0, 1] that a whole number has, if they started in its middle:
under the last two crossovers and the polynomial mutation it stands anywhere in its share, evenly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from deap import tools

from evogen.genome import Genome
from evogen.keys import Key
from evogen.space import Distribution
from evogen.variation.scoped import scoped

SHARE = 0.5
ALPHA = 0.5
ISO, LINE = 0.01, 0.2
Law = Literal["gaussian", "polynomial", "iso-line"]


def perturb(genome: Genome, key: Key, *, space: Mapping[str, Distribution], sigma: float) -> Genome:
    """Add Gaussian noise to about half of the genes, reflected at the bounds.

    Args:
        genome: with a value for every gene of the space.
        key: this mutation's own.
        space: the genes' distributions.
        sigma: step as a fraction of the range.
    """
    with scoped(key):
        (units,) = tools.mutGaussian(_units(genome, space), mu=0.0, sigma=sigma, indpb=SHARE)
    return _with_units(genome, space, [_reflect(unit) for unit in units])


def cross(mother: Genome, father: Genome, key: Key, *, space: Mapping[str, Distribution]) -> Genome:
    """Return the mother with every gene drawn around the segment between both parents (blend, alpha = 1/2).

    The segment is widened by half of its length on either side, then clipped to the bounds (Eshelman and
    Schaffer 1993).
    """
    hers, his = _units(mother, space), _units(father, space)
    with scoped(key):
        blends, _ = tools.cxBlend(list(hers), list(his), alpha=ALPHA)
    units = [a if a == b else min(max(unit, 0.0), 1.0) for a, b, unit in zip(hers, his, blends, strict=True)]
    return _with_units(mother, space, units)


def mutate_polynomial(genome: Genome, key: Key, *, space: Mapping[str, Distribution], eta: float) -> Genome:
    """Move each of the d genes with probability 1 / d by a polynomially distributed step.

    Args:
        genome: with a value for every gene of the space, of which there is at least one.
        key: this mutation's own.
        space: the genes' distributions.
        eta: distribution index: a step is about 1 / (eta + 2) of the range.
    """
    (before,) = _placed((genome,), key, space)
    with scoped(key):
        (after,) = tools.mutPolynomialBounded(list(before), eta=eta, low=0.0, up=1.0, indpb=1 / len(before))
    return _with_units(genome, space, after)


def cross_binary(
    mother: Genome, father: Genome, key: Key, *, space: Mapping[str, Distribution], eta: float
) -> Genome:
    """Return the mother with about half of her genes drawn near hers or, as often, near the father's (SBX).

    Args:
        mother: the child has her value of every other gene.
        father: the second parent.
        key: this crossover's own.
        space: the genes' distributions.
        eta: distribution index: the larger, the nearer to the parents.
    """
    hers, his = _placed((mother, father), key, space)
    with scoped(key):
        child, _ = tools.cxSimulatedBinaryBounded(hers, his, eta=eta, low=0.0, up=1.0)
    return _with_units(mother, space, child)


def cross_iso_line(mother: Genome, father: Genome, key: Key, *, space: Mapping[str, Distribution]) -> Genome:
    """Return the mother moved along the line through both parents, and a little in any direction.

    What leaves the unit interval is clipped, as `ribs` does.
    """
    hers, his = map(np.array, _placed((mother, father), key, space))
    rng = key.generator()
    iso = rng.normal(0.0, ISO, hers.shape)  # ~ N(0, ISO^2 I)
    line = rng.normal(0.0, LINE)  # ~ N(0, LINE^2), one for all genes
    return _with_units(mother, space, np.clip(hers + iso + line * (his - hers), 0.0, 1.0).tolist())


def _units(genome: Genome, space: Mapping[str, Distribution]) -> list[float]:
    return [space[name].unit(genome.plasticity[name]) for name in sorted(space)]


def _placed(genomes: Sequence[Genome], key: Key, space: Mapping[str, Distribution]) -> list[list[float]]:
    """Return the units of each genome; whole numbers stand at the same random place of each one's share."""
    # the lowest number stands in the middle of its share; a continuous gene starts at 0 and has no shares
    shares = [2 * space[name].unit(space[name].value(0.0)) for name in sorted(space)]
    places = key.child("places").generator().random(len(shares)) - 0.5  # ~ U[-1/2, 1/2)
    moves = [place * share for place, share in zip(places.tolist(), shares, strict=True)]
    return [
        [min(max(unit + move, 0.0), 1.0) for unit, move in zip(_units(genome, space), moves, strict=True)]
        for genome in genomes
    ]


def _with_units(genome: Genome, space: Mapping[str, Distribution], units: Sequence[float]) -> Genome:
    values = dict(genome.plasticity)
    for name, old, new in zip(sorted(space), _units(genome, space), units, strict=True):
        if new != old:
            values[name] = space[name].value(new)
    return replace(genome, plasticity=values)


def _reflect(unit: float) -> float:
    folded = abs(unit) % 2.0
    return 2.0 - folded if folded > 1.0 else folded
