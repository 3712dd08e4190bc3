"""Output error: only the synapses onto the output learn, by the delta rule; the others stay as born.

    q_output = y - softmax(o)        q_l = 0

Source: Widrow & Hoff 1960. The control of every source that reaches further.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning.errors import shortfall
from evogen.learning.sweep import Sweep
from evogen.phenotype import Layout, Network
from evogen.registry import register


@register("error", "output")
@dataclass(frozen=True)
class OutputError:
    """The delta rule at the output."""

    locality: ClassVar[str] = "the error of an output neuron at that neuron"

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
        """Return zeros, and the error."""
        error = shortfall(network, sweep.activity[-1], target)
        return [*(torch.zeros_like(part) for part in sweep.activity[1:-1]), error]
