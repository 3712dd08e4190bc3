"""No plasticity: F stays zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from evogen.registry import register


@register("rule", "none")
@dataclass(frozen=True)
class NoRule:
    """Static weights."""

    def step(
        self,
        fast: Tensor,
        pre: Tensor,  # noqa: ARG002
        post: Tensor,  # noqa: ARG002
        weight: Tensor,  # noqa: ARG002
        values: Mapping[str, Tensor],  # noqa: ARG002
    ) -> Tensor:
        """Return F unchanged."""
        return fast
