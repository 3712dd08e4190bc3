"""Free and clamped phases: contrastive Hebbian learning.

    u_l = b_l + sum_pre a_pre W + sum_post gamma^(post - l) a_post W^T        (K sweeps)
    dW  = eta gamma^-(levels from post to the output) (<a+ a+> - <a- a->)

In the free phase (-) the output says softmax(o), in the clamped one (+) the target. With weak feedback gamma
the update becomes the gradient of back-propagation. Where synapses skip levels, feedback is as weak as over
all levels that they skip (ours), so that every way back counts alike. Feedback travels on the network's own
weights, or on fixed random ones. Sources: Movellan 1991; Xie & Seung 2003, "Equivalence of backpropagation
and contrastive Hebbian learning in a layered network"; random feedback: Detorakis et al. 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from evogen.errors import SpecError
from evogen.keys import Key
from evogen.learning.errors import Transport, carriers
from evogen.learning.errors.none import NoError
from evogen.learning.schedules import Fixed, Phase
from evogen.learning.sweep import Carriers, ahead, answer, back, drive
from evogen.phenotype import Layout, Network
from evogen.registry import register, setting


@register("schedule", "clamped")
@dataclass(frozen=True)
class Clamped:
    """A free phase and a clamped one."""

    steps: int = setting(10, low=1, high=1000, doc="K, sweeps of each phase")
    gamma: float = setting(0.1, low=1e-4, high=1.0, doc="strength of feedback over one level")
    path: Transport = setting(Transport.SYMMETRIC, doc="weights on which feedback comes")  # noqa: RUF009

    def check(self, source: Any) -> None:
        """Refuse sources of errors: the two phases differ by the target alone."""
        if not isinstance(source, NoError):
            raise SpecError("schedule: clamped compares two phases of Hebb's rule: wanted error: none")

    def fixed(self, layout: Layout, keys: Sequence[Key], like: Tensor) -> tuple[Tensor, ...]:
        """Return the random weights of feedback (P, pre, post) of each link; none where it is symmetric."""
        return carriers(layout, keys, like) if self.path is Transport.RANDOM else ()

    def phases(
        self,
        network: Network,
        observation: Tensor,
        target: Tensor,
        source: Any,  # noqa: ARG002
        fixed: Fixed,
    ) -> Sequence[Phase]:
        """Return the clamped phase and the free one, with its sign."""
        sweep, paths = ahead(network, observation), fixed.own or network.weights
        free = self._settled(network, sweep.activity, paths, None)
        clamped = self._settled(network, free, paths, target)
        last = len(free) - 1
        scale = [self.gamma ** -(last - at) for at in range(1, last + 1)]
        found = []
        for sign, phase in ((1, clamped), (-1, free)):
            post = [sign * factor * part for factor, part in zip(scale, phase[1:], strict=True)]
            found.append(Phase(phase, post, sweep.activity[-1]))
        return found

    def _settled(
        self, network: Network, activity: Sequence[Tensor], paths: Carriers, target: Tensor | None
    ) -> list[Tensor]:
        """Return the activities after K sweeps, the output's as a share of 1 for each class."""
        x, last = list(activity), len(activity) - 1
        x[last] = _shares(network, x[last]) if target is None else target
        for _ in range(self.steps):
            for at in range(1, last):
                weak = [self.gamma ** max(post - at, 0) * part for post, part in enumerate(x[1:], 1)]
                u = drive(network, at, x) + back(network, at, paths, weak)
                x[at] = answer(network, at, u)[0]
            if target is None:
                x[last] = _shares(network, answer(network, last, drive(network, last, x))[0])
        return x


def _shares(network: Network, output: Tensor) -> Tensor:
    found = torch.zeros_like(output)
    found[..., : network.layout.outputs] = torch.softmax(output[..., : network.layout.outputs], -1)
    return found
