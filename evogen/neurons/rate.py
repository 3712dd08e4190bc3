"""Rate neuron: a = f(u), no memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from evogen.registry import register


@register("neuron", "rate")
@dataclass(frozen=True)
class Rate:
    """A unit whose activity follows its input at once."""

    stateful: ClassVar[bool] = False
    spiking: ClassVar[bool] = False

    def step(self, drive: Tensor, state: Tensor, values: Mapping[str, Tensor]) -> Tensor:  # noqa: ARG002
        """Return u."""
        return drive
