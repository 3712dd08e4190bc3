"""Integrate-and-fire without a leak, one tick a step.

    m_t = v_{t-1} + u_t / tau        s_t = H(m_t - theta)        v_t = m_t - theta s_t

in task steps: tau dv/dt = u (Schmidgall & Hays 2021 compare it with the leaky one). What exceeds the
threshold is kept, so that over a long time it fires u / (tau theta) times a step, exactly, up to once a step.
Gradients are those of `lif-step`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from evogen.neurons import NEURONS, Nature, Seen, State, Values
from evogen.neurons.surrogate import spike
from evogen.registry import evolvable, register


@register("neuron", "if-step")
@dataclass(frozen=True)
class IfStep:
    """A unit that adds its input up and fires once a step at most."""

    tau: float = evolvable(4.0, low=1.0, high=1000.0, doc="steps in which an input of 1 fills it by 1")
    theta: float = evolvable(0.25, low=1e-3, high=100.0, doc="membrane potential above which it fires")
    slope: float = evolvable(5.0, low=0.1, high=100.0, doc="steepness of the surrogate of the spike")
    nature: ClassVar[Nature] = Nature(remembers={"v": NEURONS}, speaks=True)

    def step(self, seen: Seen, state: State, values: Values) -> tuple[Tensor, State]:
        """Return s and v."""
        m = state["v"] + seen.drive / values["tau"]
        s = spike(m - values["theta"], values["slope"])
        return s, {"v": m - values["theta"] * s.detach()}
