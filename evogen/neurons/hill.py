"""Hill unit: a gene that its drive switches on, and whose product decays.

    dg/dt = beta H(u) - delta g        H(x) = x^n / (K^n + x^n),  x = max(u, 0)

(the textbook model of gene regulation; see Balasubramaniam et al. 2022). Weights below 0 repress. Each step
is the exact solution for a constant u over one unit of time,
g_t = g_{t-1} e^-delta + beta H(u_t) (1 - e^-delta) / delta, stable at any delta (ours). All four numbers are
trained too, each as its value at birth times exp of a trained fold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from evogen.neurons import NEURONS, Nature, Own, Seen, State, Values
from evogen.registry import evolvable, register

LEAST = 1e-9
"""Drive that counts as none: its logarithm is finite."""


@register("neuron", "hill")
@dataclass(frozen=True)
class Hill:
    """A unit that is a gene: a threshold, a cooperativity, a rate of expression and one of decay."""

    K: float = evolvable(1.0, low=0.01, high=100.0, doc="drive of half expression, at birth")
    n: float = evolvable(2.0, low=0.5, high=8.0, doc="cooperativity, at birth")
    beta: float = evolvable(1.0, low=0.0, high=100.0, doc="rate of full expression a step, at birth")
    delta: float = evolvable(1.0, low=1e-3, high=10.0, doc="rate of decay a step, at birth")
    nature: ClassVar[Nature] = Nature(
        remembers={"g": NEURONS},
        owns={"K_fold": Own(), "n_fold": Own(), "beta_fold": Own(), "delta_fold": Own()},
        speaks=True,
    )

    def step(self, seen: Seen, state: State, values: Values) -> tuple[Tensor, State]:
        """Return g, which lives on."""
        K, n, beta, delta = (
            values[name] * values[f"{name}_fold"].exp() for name in ("K", "n", "beta", "delta")
        )
        g = state["g"] * (-delta).exp() - beta * hill(seen.drive, K, n) * torch.expm1(-delta) / delta
        return g, {"g": g}


def hill(u: Tensor, K: Tensor, n: Tensor) -> Tensor:
    """Return x^n / (K^n + x^n) of x = max(u, 0): a sigmoid of n log(x / K)."""
    return 0.5 + 0.5 * torch.tanh(0.5 * n * (u.clamp(min=LEAST).log() - K.log()))
