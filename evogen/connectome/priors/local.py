"""Local receptive fields: neurons before and after lie on a line, and pairs closer than a radius connect.

    p(u, v) = 1  if |x_u - x_v| <= max(radius, half a neuron),  else 0

x are the neurons' places on [0, 1]. Half the distance between two neurons of the smaller side is the least
radius, so that every neuron has a partner.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evogen.connectome.priors import places
from evogen.registry import evolvable, register


@register("prior", "local")
@dataclass(frozen=True)
class Local:
    """Pairs within a radius on the line of neurons."""

    radius: float = evolvable(0.2, low=0.0, high=1.0, doc="of a receptive field, as a part of the line")

    def chances(self, pre: int, post: int) -> np.ndarray:
        """Return 1 within the radius, else 0."""
        distance = np.abs(places(pre)[:, None] - places(post))
        near: np.ndarray = distance <= max(self.radius, 0.5 / min(pre, post)) + 1e-9
        return near.astype(np.float64)
