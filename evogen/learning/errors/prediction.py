"""Prediction error: every level predicts the next, and a neuron's error is what the prediction leaves open.

    e_l = x_l - f(u_l(x))        q_l = f'(u_l) e_l        e_output = y - softmax(o)

Right after a pass forwards x = f(u), so that only the output is in error; the schedule `settle` lets the
activities x find the rest. Errors come back through the network's own weights, or through fixed random ones.
Sources: Whittington & Bogacz 2017; Millidge, Seth & Buckley 2021 (arXiv 2107.12979).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from evogen.keys import Key
from evogen.learning.errors import Transport, carriers, shortfall
from evogen.learning.sweep import Carriers, Sweep, answer, drive
from evogen.phenotype import Layout, Network
from evogen.registry import register, setting


@register("error", "prediction")
@dataclass(frozen=True)
class Prediction:
    """Error units of predictive coding."""

    path: Transport = setting(Transport.SYMMETRIC, doc="weights on which errors come back")  # noqa: RUF009

    locality: ClassVar[str] = "an error unit for every neuron"

    def fixed(self, layout: Layout, keys: Sequence[Key], like: Tensor) -> tuple[Tensor, ...]:
        """Return the random weights (P, pre, post) of each link; none where they are the network's own."""
        return carriers(layout, keys, like) if self.path is Transport.RANDOM else ()

    def factors(
        self,
        network: Network,
        sweep: Sweep,
        target: Tensor,
        fixed: tuple[Tensor, ...],  # noqa: ARG002
    ) -> list[Tensor]:
        """Return q at these activities, settled or not."""
        return unexplained(network, sweep.activity, target)[1]

    def carriers(self, network: Network, fixed: tuple[Tensor, ...]) -> Carriers:
        """Return the weights on which errors come back."""
        return fixed or network.weights


def unexplained(
    network: Network, activity: Sequence[Tensor], target: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """Return e and q (P, B, N) of every level after the input at these activities x."""
    errors, factors = [], []
    last = len(network.layout.levels) - 1
    for at in range(1, last + 1):
        predicted, steep = answer(network, at, drive(network, at, activity))
        error = shortfall(network, predicted, target) if at == last else activity[at] - predicted
        errors.append(error)
        factors.append(error if at == last else steep * error)
    return errors, factors
