"""The real-valued part of a search space as a flat vector, for strategies that see numbers only.

A vector x of d coordinates is a genome with the architecture, rule genes, mask and temperature of a template:
O at the allowed pairs, c, then the plasticity genes by name. Coordinates are in units of the initial law of
`evogen.variation.sample`, whose mean is therefore x = 0 and whose standard deviations are all 1:

    O_ij = x / g        c_ij = x / (sqrt(2) n)        unit of a plasticity gene = fold(1/2 + x / sqrt(12))

fold reflects at 0 and 1 (a wave of period 2), so a search has no bounds to keep: beyond one it meets the
mirror image of what lies before it. Folds, the steps of whole numbers, and float32, in which a genome holds O
and c, make many vectors into one genome. Reading a genome back therefore takes the vector that it was
probably drawn as: every coordinate that fits is returned unrounded, bit for bit, any other as the image that
is nearest to the search's mean. (Every image is true of the mirrored landscape, but far ones would let the
steps of a search with stale candidates grow without end.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from evogen.cohort import Ref
from evogen.errors import SpecError
from evogen.genome import Genome, Rules, Value, frozen
from evogen.keys import Key
from evogen.space import Distribution, SearchSpace
from evogen.variation.sample import sample

Vector = npt.NDArray[np.float64]

UNIT = 1 / math.sqrt(12)  # standard deviation of U[0, 1]


@dataclass(frozen=True, eq=False)
class Flat:
    """The vectors of one space around one template.

    Attributes:
        space: what may vary.
        template: a genome of the space, apart from plasticity genes, all of which are coordinates.
        pairs: (p,) places of the allowed pairs in the flattened O; empty where the rules are held.
        names: of the plasticity genes, sorted.
    """

    space: SearchSpace
    template: Genome
    pairs: npt.NDArray[np.intp]
    names: tuple[str, ...]

    @property
    def dimension(self) -> int:
        """d, the coordinates of a vector."""
        return self._numbers + len(self.names)

    def genome(self, vector: Vector) -> Genome:
        """Return the genome of a (d,) vector."""
        values = {
            name: _value(self.space.plasticity[name], x)
            for name, x in zip(self.names, vector[self._numbers :].tolist(), strict=True)
        }
        return replace(self.template, rules=self._rules(vector), plasticity=values)

    def vector(self, genome: Genome, drawn: Vector, mean: Vector) -> Vector:
        """Return the (d,) vector of a genome of this template.

        Args:
            genome: one that `genome` gave; its O and c may have been tuned since.
            drawn: (d,) what a search would draw in its place now; a coordinate that fits is returned as is.
            mean: (d,) of the search now: any other coordinate is the image that is nearest to it.
        """
        start = self._numbers
        genes = zip(self.names, drawn[start:].tolist(), mean[start:].tolist(), strict=True)
        units = [_read(self.space.plasticity[name], genome.plasticity[name], *near) for name, *near in genes]
        if genome.rules is None or not self._numbers:
            return np.array(units)
        found = self._flattened(genome.rules)
        kept = self._flattened(self._rules(drawn)) == found
        numbers = np.where(kept, drawn[:start], found / self._scale(genome.rules))
        return np.concatenate([numbers, units])

    @property
    def _numbers(self) -> int:
        """Coordinates of O and c together."""
        rules = self.template.rules
        return 0 if rules is None or not self.pairs.size else self.pairs.size + rules.c.size

    def _rules(self, vector: Vector) -> Rules | None:
        rules = self.template.rules
        if rules is None or not self._numbers:
            return rules
        numbers = vector[: self._numbers] * self._scale(rules)
        O = rules.O.copy()
        O.ravel()[self.pairs] = numbers[: self.pairs.size]
        c = numbers[self.pairs.size :].reshape(rules.c.shape)
        return replace(rules, O=frozen(O), c=frozen(c))

    def _flattened(self, rules: Rules | None) -> npt.NDArray[np.float32]:
        assert rules is not None
        return np.concatenate([rules.O.ravel()[self.pairs], rules.c.ravel()])

    def _scale(self, rules: Rules) -> Vector:
        """Return the initial standard deviation of each entry: (p + 2 n^2,)."""
        g, n = len(rules.genes), len(rules.c)
        return np.repeat([1 / g, 1 / (math.sqrt(2) * n)], [self.pairs.size, rules.c.size])


def flat(space: SearchSpace, root: Key) -> Flat:
    """Return the view that every part of one search shares: its template is drawn from the search's key.

    Args:
        space: what may vary.
        root: the whole search's key.

    Raises:
        SpecError: nothing in the space is a number that can vary.
    """
    template = sample(replace(space, plasticity={}), root.child("template"), Ref(0, 0))
    rules = template.rules if space.rules is not None and space.rules.evolve else None
    if rules is None and not space.plasticity:
        raise SpecError(
            "an evolution strategy wants numbers to tune, and this search space has none: let its rules "
            "evolve, give a learner's or a rule's setting a range, or use the strategy 'genetic'"
        )
    if rules is None:
        pairs = np.arange(0)
    else:
        pairs = np.arange(rules.O.size) if rules.mask is None else np.flatnonzero(rules.mask)
    return Flat(space, template, pairs, tuple(sorted(space.plasticity)))


def _value(distribution: Distribution, x: float) -> Value:
    return distribution.value(_fold(0.5 + UNIT * x))


def _read(distribution: Distribution, value: Value, drawn: float, mean: float) -> float:
    """Return `drawn` if it has this value, else the image of the value that is closest to the mean."""
    if _value(distribution, drawn) == value:
        return drawn
    unit, target = distribution.unit(value), 0.5 + UNIT * mean
    images = (2 * round((target - unit) / 2) + unit, 2 * round((target + unit) / 2) - unit)
    return (min(images, key=lambda image: abs(image - target)) - 0.5) / UNIT


def _fold(unit: float) -> float:
    folded = abs(unit) % 2.0
    return 2.0 - folded if folded > 1.0 else folded
