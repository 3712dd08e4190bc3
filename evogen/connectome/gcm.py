"""The genetic connectome model: W = X_pre O X_post^T, signs unrestricted; every agent is born equal.

SynaptoGen without transmitters, counts and conductances: its control for what those add. Expression is drawn
as there, X ~ N(0, 2/g), and O ~ N(0, 1/g^2), so that W ~ (0, 4/g^2).

Source: Barabasi, Schuhknecht, Engert 2023 ("XOX"), equation restated; Kovacs, Barabasi, Barabasi 2020.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from torch import Tensor

from evogen.connectome import Counted, Dimensions, Moments, Pairs, Parameter, Values
from evogen.connectome.birth import Birth
from evogen.registry import register, setting


@register("wiring", "gcm")
@dataclass(frozen=True)
class GCM:
    """Bilinear weights from expression through rules."""

    tune_rules: bool = setting(True, doc="the inner loop tunes O too, not only the expression")
    genetic: ClassVar[bool] = True
    paces: ClassVar[Mapping[str, float]] = {}
    initial: ClassVar[Literal["normal"]] = "normal"

    def parameters(self, dimensions: Dimensions, pairs: Pairs) -> Mapping[str, Parameter]:
        """X for every level, b for postsynaptic ones."""
        sizes, g = dimensions[:2]
        found = {f"{level}.X": Parameter((size, g), math.sqrt(2 / g)) for level, size in enumerate(sizes)}
        for pre, post in pairs:
            found[f"{post}.b"] = Parameter((sizes[post],), math.sqrt(2 / (sizes[pre] + 1)))
        return found

    def weights(self, values: Values, pairs: Pairs) -> list[Tensor]:
        """Return X O X^T for each pair, (P, pre, post); a rule mask holds entries of O at zero."""
        O = values["O"] * values["rule_mask"] if "rule_mask" in values else values["O"]
        reach = {pre: values[f"{pre}.X"].bmm(O) for pre in dict(pairs)}
        return [reach[pre].bmm(values[f"{post}.X"].transpose(1, 2)) for pre, post in pairs]

    def moments(
        self,
        values: Values,
        pairs: Pairs,
        masks: Sequence[Tensor],  # noqa: ARG002
        birth: Birth,  # noqa: ARG002
    ) -> list[Moments]:
        """Return the weights, without variance."""
        return [Moments(W, None) for W in self.weights(values, pairs)]

    def birth(
        self,
        candidate: Counted,
        pairs: Pairs,
        generators: Sequence[np.random.Generator],
        birth: Birth,  # noqa: ARG002
    ) -> list[np.ndarray]:
        """Return the same weights for every agent."""
        values, found = candidate.values, []
        O = values["O"] if candidate.rule_mask is None else values["O"] * candidate.rule_mask
        for (pre, post), mask in zip(pairs, candidate.masks, strict=True):
            W = np.einsum("ui,ij,vj->uv", values[f"{pre}.X"], O, values[f"{post}.X"]) * mask
            found.append(np.repeat(W[None], len(generators), axis=0))
        return found
