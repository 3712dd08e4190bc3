"""Phase schedules: in which phases activities are found, before the synapses change.

A schedule is a registered frozen dataclass. It leaves phases; the update of a link is the sum over phases of
<a_pre q_post>, where q carries a phase's sign and scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Layout, Network


class Phase(NamedTuple):
    """What synapses see in one phase.

    Attributes:
        pre: (P, B, N) of every level, from the input's.
        post: q (P, B, N) of every level after the input.
        output: (P, B, N), what the output says before it is taught anything.
    """

    pre: Sequence[Tensor]
    post: Sequence[Tensor]
    output: Tensor


class Schedule(Protocol):
    """How activities are found."""

    def check(self, source: Any) -> None:
        """Raise a SpecError if it cannot work with this error source."""
        ...

    def fixed(self, layout: Layout, keys: Sequence[Key], like: Tensor) -> tuple[Tensor, ...]:
        """Return the fixed weights that it needs itself, each (P, ...); empty if there are none."""
        ...

    def phases(
        self, network: Network, observation: Tensor, target: Tensor, source: Any, fixed: Fixed
    ) -> Sequence[Phase]:
        """Return the phases of a minibatch; see `ErrorSource.factors` for the arguments."""
        ...


class Fixed(NamedTuple):
    """Fixed weights: those of the error source, and the schedule's own."""

    source: tuple[Tensor, ...]
    own: tuple[Tensor, ...]
