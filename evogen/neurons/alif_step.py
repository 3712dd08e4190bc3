"""Adaptive leaky integrate-and-fire, one tick a step: each spike raises the threshold for a while.

    A_t = theta + beta a_{t-1}        m_t = v_{t-1} + (u_t - v_{t-1}) / tau        s_t = H(m_t - A_t)
    v_t = m_t - A_t s_t               a_t = a_{t-1} + (s_t - a_{t-1}) / tau_a

in task steps, v_0 = a_0 = 0 (Bellec et al. 2018; their decay exp(-1 / tau) is here its first-order form, as
in `leaky` and `lif`). Gradients are those of `lif-step`; they follow the threshold's adaptation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from evogen.neurons import NEURONS, Nature, Own, Seen, State, Values
from evogen.neurons.surrogate import spike
from evogen.registry import evolvable, register


@register("neuron", "alif-step")
@dataclass(frozen=True)
class AlifStep:
    """A unit that integrates its input over steps and tires of firing."""

    tau: float = evolvable(4.0, low=1.0, high=1000.0, doc="membrane time constant in steps, at birth")
    theta: float = evolvable(0.25, low=1e-3, high=100.0, doc="threshold of a neuron that has not fired")
    beta: float = evolvable(0.5, low=0.0, high=100.0, doc="rise of the threshold if it fired in every step")
    tau_a: float = evolvable(20.0, low=1.0, high=10000.0, doc="time constant of that rise in steps")
    slope: float = evolvable(5.0, low=0.1, high=100.0, doc="steepness of the surrogate of the spike")
    nature: ClassVar[Nature] = Nature(
        remembers={"v": NEURONS, "a": NEURONS}, owns={"stretch": Own()}, speaks=True
    )

    def step(self, seen: Seen, state: State, values: Values) -> tuple[Tensor, State]:
        """Return s, and v and a."""
        theta = values["theta"] + values["beta"] * state["a"]
        tau = 1.0 + (values["tau"] - 1.0) * values["stretch"].exp()
        m = state["v"] + (seen.drive - state["v"]) / tau
        s = spike(m - theta, values["slope"])
        a = state["a"] + (s - state["a"]) / values["tau_a"]
        return s, {"v": m - theta * s.detach(), "a": a}
