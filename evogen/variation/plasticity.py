"""Variation of the plasticity chromosome, in the unit interval of each gene's distribution.

A step is therefore relative to a gene's range, and to the range of its logarithm where it is declared `log`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from deap import tools

from evogen.genome import Genome
from evogen.keys import Key
from evogen.space import Distribution
from evogen.variation.scoped import scoped

SHARE = 0.5
ALPHA = 0.5


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


def _units(genome: Genome, space: Mapping[str, Distribution]) -> list[float]:
    return [space[name].unit(genome.plasticity[name]) for name in sorted(space)]


def _with_units(genome: Genome, space: Mapping[str, Distribution], units: Sequence[float]) -> Genome:
    values = dict(genome.plasticity)
    for name, old, new in zip(sorted(space), _units(genome, space), units, strict=True):
        if new != old:
            values[name] = space[name].value(new)
    return replace(genome, plasticity=values)


def _reflect(unit: float) -> float:
    folded = abs(unit) % 2.0
    return 2.0 - folded if folded > 1.0 else folded
