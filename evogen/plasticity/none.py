"""No plasticity: the fast part stays zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from evogen.plasticity import FAST, Extent, Seen, State, Values
from evogen.registry import register


@register("rule", "none")
@dataclass(frozen=True)
class NoRule:
    """Static weights."""

    memory: ClassVar[Mapping[str, Extent]] = {FAST: Extent.SYNAPSE}
    coefficients: ClassVar[tuple[str, ...]] = ()

    def step(self, state: State, seen: Seen, values: Values) -> State:  # noqa: ARG002
        """Return the state unchanged."""
        return state

    def added(self, state: State, born: Tensor, values: Values) -> Tensor:  # noqa: ARG002
        """Return the fast part."""
        return state[FAST]
