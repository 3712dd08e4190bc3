"""Leaky integrate-and-fire, one tick a step: the membrane lives on from step to step.

    m_t = v_{t-1} + (u_t - v_{t-1}) / tau        s_t = H(m_t - theta)        v_t = m_t - theta s_t

in task steps, v_0 = 0: the equations of `lif`, which lives 16 ticks within a step and then forgets. The spike
is what the neuron says, so that rules and traces see spikes in time. Gradients take the surrogate of
`surrogate` and do not follow the reset (Zenke & Vogels 2021). The time constant is trained too:
tau = 1 + (tau_0 - 1) exp(stretch), stretch = 0 at birth (Fang et al. 2021 train it through a sigmoid).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from evogen.neurons import NEURONS, Nature, Own, Seen, State, Values
from evogen.neurons.surrogate import spike
from evogen.registry import evolvable, register


@register("neuron", "lif-step")
@dataclass(frozen=True)
class LifStep:
    """A unit that integrates its input over steps and fires once a step at most."""

    tau: float = evolvable(4.0, low=1.0, high=1000.0, doc="membrane time constant in steps, at birth")
    theta: float = evolvable(0.25, low=1e-3, high=100.0, doc="membrane potential above which it fires")
    slope: float = evolvable(5.0, low=0.1, high=100.0, doc="steepness of the surrogate of the spike")
    nature: ClassVar[Nature] = Nature(remembers={"v": NEURONS}, owns={"stretch": Own()}, speaks=True)

    def step(self, seen: Seen, state: State, values: Values) -> tuple[Tensor, State]:
        """Return s and v."""
        tau = 1.0 + (values["tau"] - 1.0) * values["stretch"].exp()
        m = state["v"] + (seen.drive - state["v"]) / tau
        s = spike(m - values["theta"], values["slope"])
        return s, {"v": m - values["theta"] * s.detach()}
