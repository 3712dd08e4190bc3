"""Direct random feedback: every level hears the output's error at once, through fixed random weights B.

    q_l = f'(u_l) (y - softmax(o)) B_l        B_l ~ N(0, 1 / outputs), never learnt

Source: Nøkland 2016, "Direct feedback alignment provides learning in deep neural networks".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning.errors import drawn, shortfall
from evogen.learning.sweep import Sweep
from evogen.phenotype import Layout, Network
from evogen.registry import register


@register("error", "direct")
@dataclass(frozen=True)
class Direct:
    """Direct feedback alignment."""

    locality: ClassVar[str] = "an error for every neuron, on a pathway of its own"

    def fixed(self, layout: Layout, keys: Sequence[Key], like: Tensor) -> tuple[Tensor, ...]:
        """Return B (P, outputs, N) of each level between input and output."""
        return drawn([(layout.outputs, level.size) for level in layout.levels[1:-1]], keys, like)

    def factors(
        self, network: Network, sweep: Sweep, target: Tensor, fixed: tuple[Tensor, ...]
    ) -> list[Tensor]:
        """Return the output's error, seen from every level."""
        error = shortfall(network, sweep.activity[-1], target)
        own = error[..., : network.layout.outputs]
        hidden = [steep * torch.bmm(own, B) for steep, B in zip(sweep.slope[:-1], fixed, strict=True)]
        return [*hidden, error]
