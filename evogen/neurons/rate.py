"""Rate neuron: a = f(u), no memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from evogen.neurons import Nature, Seen, State, Values
from evogen.registry import register


@register("neuron", "rate")
@dataclass(frozen=True)
class Rate:
    """A unit whose activity follows its input at once."""

    nature: ClassVar[Nature] = Nature()

    def step(self, seen: Seen, state: State, values: Values) -> tuple[Tensor, State]:  # noqa: ARG002
        """Return u."""
        return seen.drive, state
