"""No protection: each stage is learnt as if there had been none before it (fine-tuning)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from evogen.keys import Key
from evogen.learning.stages import Guard, Respond
from evogen.registry import register
from evogen.tasks import Stage


@register("protection", "none")
@dataclass(frozen=True)
class Unprotected:
    """Nothing is kept; the control of the others."""

    def guard(
        self,
        state: None,  # noqa: ARG002
        respond: Respond,  # noqa: ARG002
        keys: Sequence[Key],  # noqa: ARG002
        *,
        batches: int,  # noqa: ARG002
        size: int,  # noqa: ARG002
    ) -> Guard | None:
        """Return no penalty."""
        return None

    def keep(
        self,
        state: None,
        respond: Respond,
        flat: Tensor,
        stage: Stage,
        keys: Sequence[Key],
    ) -> None:
        """Keep nothing."""
