"""Elastic weight consolidation: a parameter is held where it was, the harder the more the output hung on it.

    G(theta) = 1/2 sum_i F_i (theta_i - c_i)^2                                              (eq. 3)
    F_i = mean_x E_{y ~ softmax f(x)} (d log softmax f(x)[y] / d theta_i)^2       diagonal Fisher information

The penalties of several stages, each with its own F and centre, add up to one with F the sum of theirs and c
the mean of the centres weighted by them (but for a constant), so that one pair is kept however many stages
there were. F is estimated from `samples` training examples, each with a label drawn from the network itself.

Source: Kirkpatrick et al. 2017, https://arxiv.org/abs/1612.00796 (lambda is `strength`); the sum: Huszar
2018, https://arxiv.org/abs/1712.03847.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning.stages import Guard, Respond, taken
from evogen.registry import register, setting
from evogen.tasks import Stage


class Held(NamedTuple):
    """The sum of the Fisher information F, and the centre c, (P, D) both."""

    fisher: Tensor
    centre: Tensor


@register("protection", "ewc")
@dataclass(frozen=True)
class EWC:
    """Elastic weight consolidation; strengths of 10 to 10,000 are usual."""

    samples: int = setting(
        200, low=1, high=10_000, doc="training examples of a stage that F is estimated from"
    )

    def guard(
        self,
        state: Held,
        respond: Respond,  # noqa: ARG002
        keys: Sequence[Key],  # noqa: ARG002
        *,
        batches: int,  # noqa: ARG002
        size: int,  # noqa: ARG002
    ) -> Guard | None:
        """Return the pull towards the centre."""

        def penalty(flat: Tensor, batch: int) -> Tensor:  # noqa: ARG001
            return 0.5 * (state.fisher * (flat - state.centre) ** 2).sum(1)

        return penalty

    def keep(
        self, state: Held | None, respond: Respond, flat: Tensor, stage: Stage, keys: Sequence[Key]
    ) -> Held:
        """Return the Fisher information with this stage's, and where the parameters are held."""
        found = fisher(respond, flat, stage, keys, samples=self.samples)
        return Held(found, flat.clone()) if state is None else merged(state, Held(found, flat))


def merged(first: Held, second: Held) -> Held:
    """Return the one penalty that two come to."""
    total = first.fisher + second.fisher
    share = torch.where(total > 0, second.fisher / total, 1.0)
    return Held(total, first.centre + share * (second.centre - first.centre))


def fisher(respond: Respond, flat: Tensor, stage: Stage, keys: Sequence[Key], *, samples: int) -> Tensor:
    """Return (P, D) diagonals of the Fisher information over examples of a stage.

    Args:
        respond: the networks.
        flat: (P, D) parameters.
        stage: training examples.
        keys: one a row, by which examples and labels are drawn.
        samples: examples, all if there are fewer.
    """
    examples = stage.labels.shape[-1]
    count = min(samples, examples)
    generators = [key.generator() for key in keys]
    chosen = np.stack([generator.permutation(examples)[:count] for generator in generators])
    uniforms = np.stack([generator.random(count) for generator in generators])  # ~ U[0, 1)
    total = torch.zeros_like(flat)
    for index, uniform in zip(torch.from_numpy(chosen.T), torch.from_numpy(uniforms.T), strict=True):
        twice = index.to(flat.device).unsqueeze(1).expand(-1, 2)  # a product with one row has other bits
        moving = flat.detach().requires_grad_()
        output = respond(moving, taken(stage.inputs, twice)).masked_fill(~stage.heads, -torch.inf)
        chance = torch.log_softmax(output[:, 0], -1)  # (P, outputs)
        label = _drawn(chance.detach(), uniform.to(flat.device))
        (gradient,) = torch.autograd.grad(chance.gather(-1, label).sum(), moving)
        total += gradient**2
    return total / count


def _drawn(chance: Tensor, uniform: Tensor) -> Tensor:
    """Return (P, 1) labels by inversion of the (P, outputs) log-probabilities; NaN gives the last."""
    below = chance.double().exp().cumsum(-1) <= uniform.unsqueeze(-1)
    drawn = below.sum(-1, keepdim=True)
    likeliest = chance.nan_to_num(nan=-torch.inf).argmax(-1, keepdim=True)
    rounded = drawn.clamp(max=chance.shape[-1] - 1)
    return torch.where(chance.gather(-1, rounded) > -torch.inf, rounded, likeliest)
