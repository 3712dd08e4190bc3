"""Leaky integrator: v <- v + (u - v) / tau, a = f(v); tau in task steps, tau = 1 is a rate neuron.

The forward-Euler step (dt = 1) of tau dv/dt = -v + u; the rate unit of continuous-time recurrent networks
(Beer 1995).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from evogen.neurons import NEURONS, Nature, Seen, State, Values
from evogen.registry import evolvable, register


@register("neuron", "leaky")
@dataclass(frozen=True)
class Leaky:
    """A unit that low-passes its input."""

    tau: float = evolvable(2.0, low=1.0, high=1000.0, doc="membrane time constant in steps")
    nature: ClassVar[Nature] = Nature(remembers={"v": NEURONS})

    def step(self, seen: Seen, state: State, values: Values) -> tuple[Tensor, State]:
        """Return v; written so that tau = 1 gives u to the last bit."""
        rate = 1.0 / values["tau"]
        v = (1.0 - rate) * state["v"] + rate * seen.drive
        return v, {"v": v}
