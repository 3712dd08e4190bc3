"""Back-propagation: errors come back through the weights that carried activity forwards.

    q_l = f'(u_l) sum_post W q_post        q_output = y - softmax(o)

Equal to the gradient of the cross-entropy; not local, since a synapse knows the weights of others. Source:
Rumelhart, Hinton & Williams 1986. What local sources are measured by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from evogen.keys import Key
from evogen.learning.errors import shortfall
from evogen.learning.sweep import Carriers, Sweep, back
from evogen.phenotype import Layout, Network
from evogen.registry import register


@register("error", "backpropagation")
@dataclass(frozen=True)
class Backpropagation:
    """Exact gradients."""

    locality: ClassVar[str] = "the weights of later synapses"

    def fixed(self, layout: Layout, keys: Sequence[Key], like: Tensor) -> tuple[Tensor, ...]:  # noqa: ARG002
        """Nothing."""
        return ()

    def factors(
        self,
        network: Network,
        sweep: Sweep,
        target: Tensor,
        fixed: tuple[Tensor, ...],  # noqa: ARG002
    ) -> list[Tensor]:
        """Return the errors times the slopes, level by level from the output."""
        return returned(network, sweep, target, network.weights)


def returned(network: Network, sweep: Sweep, target: Tensor, carriers: Carriers) -> list[Tensor]:
    """Return the factors of errors that come back through these weights."""
    found = [*sweep.slope[:-1], shortfall(network, sweep.activity[-1], target)]
    for at in range(len(found) - 1, 0, -1):
        found[at - 1] = sweep.slope[at - 1] * back(network, at, carriers, found)
    return found
