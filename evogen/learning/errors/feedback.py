"""Random feedback: errors come back, level by level, through fixed random weights B.

    q_l = f'(u_l) sum_post B q_post        B ~ N(0, 1 / pre), never learnt; pre with its padding

Sources: Lillicrap et al. 2016, "Random synaptic feedback weights support error backpropagation for deep
learning"; random back-propagation in El Srouji et al. 2022 (arXiv 2208.13144).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from evogen.keys import Key
from evogen.learning.errors import carriers
from evogen.learning.errors.backpropagation import returned
from evogen.learning.sweep import Sweep
from evogen.phenotype import Layout, Network
from evogen.registry import register


@register("error", "feedback")
@dataclass(frozen=True)
class Feedback:
    """Feedback alignment."""

    locality: ClassVar[str] = "an error for every neuron, on a pathway of its own"

    def fixed(self, layout: Layout, keys: Sequence[Key], like: Tensor) -> tuple[Tensor, ...]:
        """Return B (P, pre, post) of each link."""
        return carriers(layout, keys, like)

    def factors(
        self, network: Network, sweep: Sweep, target: Tensor, fixed: tuple[Tensor, ...]
    ) -> list[Tensor]:
        """Return the errors times the slopes, level by level from the output."""
        return returned(network, sweep, target, fixed)
