"""No error: Hebb's rule, with the target in the place of what the output says.

    q_l = a_l        q_output = y

Source: Hebb 1949; teacher forcing of the output as in associative memories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from evogen.keys import Key
from evogen.learning.sweep import Sweep
from evogen.phenotype import Layout, Network
from evogen.registry import register


@register("error", "none")
@dataclass(frozen=True)
class NoError:
    """Correlation of what two neurons say."""

    locality: ClassVar[str] = ""

    def fixed(self, layout: Layout, keys: Sequence[Key], like: Tensor) -> tuple[Tensor, ...]:  # noqa: ARG002
        """Nothing."""
        return ()

    def factors(
        self,
        network: Network,  # noqa: ARG002
        sweep: Sweep,
        target: Tensor,
        fixed: tuple[Tensor, ...],  # noqa: ARG002
    ) -> list[Tensor]:
        """Return the activities, and the target."""
        return [*sweep.activity[1:-1], target]
