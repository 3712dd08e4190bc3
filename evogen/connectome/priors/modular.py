"""Random modules: both rows of neurons are cut into blocks, which connect within more than between.

    p(u, v) = inside  if u and v lie in the same block,  else outside

Source: Holland, Laskey, Leinhardt 1983, "Stochastic blockmodels: first steps"; planted partition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evogen.connectome.priors import places
from evogen.registry import evolvable, register


@register("prior", "modular")
@dataclass(frozen=True)
class Modular:
    """Blocks of neurons, dense within and sparse between."""

    blocks: float = evolvable(4, low=1, high=64, doc="blocks, rounded to a whole number")
    inside: float = evolvable(0.9, low=0.0, high=1.0, doc="chance of a pair within a block")
    outside: float = evolvable(0.05, low=0.0, high=1.0, doc="chance of a pair between blocks")

    def chances(self, pre: int, post: int) -> np.ndarray:
        """Return the chance inside or outside."""
        blocks = round(self.blocks)
        row, column = (np.floor(places(size) * blocks) for size in (pre, post))
        return np.where(row[:, None] == column, self.inside, self.outside)
