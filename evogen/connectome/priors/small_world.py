"""Small worlds: local receptive fields, a share of whose synapses goes anywhere instead.

    p(u, v) = (1 - rewired) l(u, v) + rewired mean(l)

l is 1 within the radius and 0 elsewhere, see `local`. The expected number of pairs is that of the receptive
fields, whatever the share.

Source: Watts, Strogatz 1998, "Collective dynamics of small-world networks", with independent pairs between
two rows of neurons in the place of a rewired ring.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evogen.connectome.priors.local import Local
from evogen.registry import evolvable, register


@register("prior", "small-world")
@dataclass(frozen=True)
class SmallWorld:
    """Local pairs, some of them rewired."""

    radius: float = evolvable(0.2, low=0.0, high=1.0, doc="of a receptive field, as a part of the line")
    rewired: float = evolvable(0.1, low=0.0, high=1.0, doc="share of the pairs that go anywhere")

    def chances(self, pre: int, post: int) -> np.ndarray:
        """Return the mix of local pairs and of any."""
        near = Local(self.radius).chances(pre, post)
        return np.asarray((1 - self.rewired) * near + self.rewired * near.mean())
