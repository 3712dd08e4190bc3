"""Direct wiring: one free weight per synapse, W ~ N(0, 1 / fan_in) (LeCun). Every agent is born equal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from torch import Tensor

from evogen.connectome import Counted, Dimensions, Moments, Pairs, Parameter, Values
from evogen.connectome.birth import Birth
from evogen.registry import register


@register("wiring", "direct")
@dataclass(frozen=True)
class Direct:
    """One free weight per synapse; the control without genetic rules."""

    genetic: ClassVar[bool] = False
    paces: ClassVar[Mapping[str, float]] = {}
    initial: ClassVar[Literal["normal"]] = "normal"
    tune_rules: ClassVar[bool] = False

    def parameters(self, dimensions: Dimensions, pairs: Pairs) -> Mapping[str, Parameter]:
        """W for every pair, b for postsynaptic levels."""
        sizes = dimensions.sizes
        found = {
            f"{pre}>{post}.W": Parameter((sizes[pre], sizes[post]), math.sqrt(1 / sizes[pre]))
            for pre, post in pairs
        }
        found |= {f"{post}.b": Parameter((sizes[post],), 0.0) for _, post in pairs}
        return found

    def weights(self, values: Values, pairs: Pairs) -> list[Tensor]:
        """Return the weights themselves, (P, pre, post) each."""
        return [values[f"{pre}>{post}.W"] for pre, post in pairs]

    def moments(
        self,
        values: Values,
        pairs: Pairs,
        masks: Sequence[Tensor],  # noqa: ARG002
        birth: Birth,  # noqa: ARG002
    ) -> list[Moments]:
        """Return the weights themselves, without variance."""
        return [Moments(W, None) for W in self.weights(values, pairs)]

    def birth(
        self,
        candidate: Counted,
        pairs: Pairs,
        generators: Sequence[np.random.Generator],
        birth: Birth,  # noqa: ARG002
    ) -> list[np.ndarray]:
        """Return the same weights for every agent."""
        agents = len(generators)
        return [
            np.repeat((candidate.values[f"{pre}>{post}.W"] * mask)[None], agents, axis=0)
            for (pre, post), mask in zip(pairs, candidate.masks, strict=True)
        ]
