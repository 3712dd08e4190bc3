"""One phase: activity passes forwards once, errors come back once, synapses change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from evogen.errors import SpecError
from evogen.keys import Key
from evogen.learning.errors.prediction import Prediction
from evogen.learning.schedules import Fixed, Phase
from evogen.learning.sweep import ahead
from evogen.phenotype import Layout, Network
from evogen.registry import register


@register("schedule", "single")
@dataclass(frozen=True)
class Single:
    """One pass forwards, one back."""

    def check(self, source: Any) -> None:
        """Refuse errors that only settling finds."""
        if isinstance(source, Prediction):
            raise SpecError(
                "error: prediction finds its errors while activity settles: wanted schedule: settle, "
                "found single"
            )

    def fixed(self, layout: Layout, keys: Sequence[Key], like: Tensor) -> tuple[Tensor, ...]:  # noqa: ARG002
        """Nothing."""
        return ()

    def phases(
        self, network: Network, observation: Tensor, target: Tensor, source: Any, fixed: Fixed
    ) -> Sequence[Phase]:
        """Return the one phase."""
        sweep = ahead(network, observation)
        factors = source.factors(network, sweep, target, fixed.source)
        return (Phase(sweep.activity, factors, sweep.activity[-1]),)
