"""Adaptive slope: the argument of the activation function is scaled, and the scale is trained.

    f(n a u),    a = 1 / n at birth

(Jagtap, Kawaguchi & Karniadakis 2020; neuron-wise). n only makes the slope learn n times faster, and what is
trained is the difference from birth: n a = 1 + n slope.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from evogen.neurons import Nature, Own, Seen, State, Values
from evogen.registry import evolvable, register


@register("neuron", "adaptive")
@dataclass(frozen=True)
class Adaptive:
    """A unit that learns how steep its activation function is."""

    n: float = evolvable(1.0, low=0.1, high=100.0, doc="how much faster the slope learns")
    nature: ClassVar[Nature] = Nature(owns={"slope": Own()})

    def step(self, seen: Seen, state: State, values: Values) -> tuple[Tensor, State]:
        """Return n a u."""
        return (1.0 + values["n"] * values["slope"]) * seen.drive, state
