"""Rowdy: tanh and trained sine waves, which let a network learn fast-changing functions.

    y = tanh(u) + sum_{k=1..K} n a_k sin(k n w u),    a_k = 0 and w = 1 at birth, K = 4

(Jagtap, Shin, Kawaguchi & Karniadakis 2022, with tanh as the base).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from evogen.neurons import Nature, Own, Seen, State, Values
from evogen.registry import evolvable, register

WAVES = 4


@register("neuron", "rowdy")
@dataclass(frozen=True)
class Rowdy:
    """A unit whose activation function learns to wiggle."""

    n: float = evolvable(1.0, low=0.1, high=100.0, doc="scale of frequencies and amplitudes")
    nature: ClassVar[Nature] = Nature(owns={"a": Own((WAVES,)), "w": Own(mean=1.0)}, speaks=True)

    def step(self, seen: Seen, state: State, values: Values) -> tuple[Tensor, State]:
        """Return y."""
        n, phase = values["n"], values["n"] * values["w"] * seen.drive
        y = torch.tanh(seen.drive)
        for k in range(1, WAVES + 1):
            y = y + n * values["a"][:, k - 1 : k] * torch.sin(k * phase)
        return y, state
