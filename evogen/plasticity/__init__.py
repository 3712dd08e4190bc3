"""Plasticity: local rules that add a fast part F to the born weights W during one life.

A rule is a registered frozen dataclass whose evolvable fields are its coefficients. F has the axes
(P, B, pre, post): every life in the batch has its own. The rule sees the activities at both ends, the
effective weight W + F and its coefficients, nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor


class Rule(Protocol):
    """One step of a local plasticity rule."""

    def step(
        self, fast: Tensor, pre: Tensor, post: Tensor, weight: Tensor, values: Mapping[str, Tensor]
    ) -> Tensor:
        """Return the new F (P, B, pre, post).

        Args:
            fast: F before this step.
            pre: presynaptic activity, (P, B, pre, 1).
            post: postsynaptic activity, (P, B, 1, post).
            weight: effective weight W + F, (P, B, pre, post).
            values: coefficients by field name, each broadcastable to (P, 1, pre, post).
        """
        ...
