"""Leaky integrator: v <- v + (u - v) / tau, a = f(v); tau in task steps, tau = 1 is a rate neuron.

The forward-Euler step (dt = 1) of tau dv/dt = -v + u; the rate unit of continuous-time recurrent networks
(Beer 1995).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from evogen.registry import evolvable, register


@register("neuron", "leaky")
@dataclass(frozen=True)
class Leaky:
    """A unit that low-passes its input."""

    tau: float = evolvable(2.0, low=1.0, high=1000.0, doc="membrane time constant in steps")
    stateful: ClassVar[bool] = True
    spiking: ClassVar[bool] = False

    def step(self, drive: Tensor, state: Tensor, values: Mapping[str, Tensor]) -> Tensor:
        """Return v; written so that tau = 1 gives u to the last bit."""
        rate = 1.0 / values["tau"]
        return (1.0 - rate) * state + rate * drive
