"""Settle: activities of predictive coding descend their energy for K steps before the synapses change.

    F = sum_l |e_l|^2 / 2 + cross-entropy of the output
    x_l <- x_l + pace (-e_l + sum_post W (f'(u_post) e_post)),   l between input and output

from x = f(u) of a pass forwards; input and target are clamped. The error of the output is weighed by `nudge`
while the activities settle, and the update is divided by it: as nudge goes to 0 (small output error) and K
grows, the update becomes the gradient of back-propagation. Sources: Whittington & Bogacz 2017; Millidge, Seth
& Buckley 2021, sections on supervised predictive coding (steps 20 to 100, pace .05 to .2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from evogen.errors import SpecError
from evogen.keys import Key
from evogen.learning.errors.prediction import Prediction, unexplained
from evogen.learning.schedules import Fixed, Phase
from evogen.learning.sweep import ahead, back
from evogen.phenotype import Layout, Network
from evogen.registry import register, setting


@register("schedule", "settle")
@dataclass(frozen=True)
class Settle:
    """Inference, then learning."""

    steps: int = setting(20, low=1, high=10_000, doc="K, steps of inference for each minibatch")
    pace: float = setting(0.1, low=1e-4, high=1.0, doc="size of a step of inference")
    nudge: float = setting(1.0, low=1e-4, high=1.0, doc="share of the output's error that is clamped in")

    def check(self, source: Any) -> None:
        """Refuse sources without error units."""
        if not isinstance(source, Prediction):
            raise SpecError("schedule: settle moves error units: wanted error: prediction")

    def fixed(self, layout: Layout, keys: Sequence[Key], like: Tensor) -> tuple[Tensor, ...]:  # noqa: ARG002
        """Nothing."""
        return ()

    def phases(
        self, network: Network, observation: Tensor, target: Tensor, source: Any, fixed: Fixed
    ) -> Sequence[Phase]:
        """Return the settled phase."""
        sweep = ahead(network, observation)
        x, carriers = list(sweep.activity), source.carriers(network, fixed.source)
        for _ in range(self.steps):
            errors, factors = self._nudged(network, x, target)
            moves = [back(network, at, carriers, factors) - errors[at - 1] for at in range(1, len(x) - 1)]
            x = [x[0], *(now + self.pace * move for now, move in zip(x[1:-1], moves, strict=True)), x[-1]]
        _, factors = self._nudged(network, x, target)
        return (Phase(x, [part / self.nudge for part in factors], sweep.activity[-1]),)

    def _nudged(
        self, network: Network, x: Sequence[Tensor], target: Tensor
    ) -> tuple[list[Tensor], list[Tensor]]:
        errors, factors = unexplained(network, x, target)
        return [*errors[:-1], self.nudge * errors[-1]], [*factors[:-1], self.nudge * factors[-1]]
