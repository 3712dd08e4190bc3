"""Spiking predictive coding with explicit error units: local rules only, no gradient travels between layers.

A layer's trace z_l predicts the layer below; the lowest layer (0) is what is sensed: image and label.

    mu_{l-1} = z_l W_l                  e_{l-1} = z_{l-1} - mu_{l-1}             prediction and error
    tau_J dJ_l/dt = -kappa J_l + e_{l-1} E_l - e_l                               current
    tau_m dV_l/dt = -V_l + R J_l;   s_l = V_l > theta;  V_l <- 0 after a spike   membrane
    tau_z dz_l/dt = -z_l + s_l                                                   trace
    dW_l ~ z_l^T e_{l-1}                E_l = gamma W_l^T                        local rule

After a change each neuron's predictions W_l[j, :] are cut back to Euclidean norm `bound`. Label units are
clamped while learning and free in a test (their errors are 0), where their mean prediction is the answer;
where a stage lets only some outputs answer, the errors of the others are 0 too. The highest layer is
predicted by nobody: its own error is 0. Time is in milliseconds, one Euler step each.

Source: Ororbia 2019 (https://arxiv.org/abs/1908.08655). The equations are the standard form of the model, not
read off the paper; all constants, T steps from rest for each image, changes by the errors of their second
half only, the transposed feedback and no refractory time are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key

Weights = tuple[Tensor, ...]
"""W_l (P, N_l, N_{l-1}) for each layer above what is sensed."""


class Told(NamedTuple):
    """What a batch of images did.

    Attributes:
        labels: mean predictions of the label units, (P, B, outputs).
        spikes: of all layers, (P, B).
        change: dW_l summed over time, mean over the batch, (P, N_l, N_{l-1}).
    """

    labels: Tensor
    spikes: Tensor
    change: Weights


@dataclass(frozen=True)
class Coding:
    """A network of spiking layers over images and labels.

    Attributes:
        pixels, outputs: of the image and the label.
        hidden: neurons of each layer, from the lowest.
        steps: of an image, ms.
        tau_j, tau_m, tau_z: time constants, ms.
        kappa: leak of the current.
        resistance, theta: of the membrane.
        gamma: strength of the feedback of errors.
        label: weight of the label's errors in it.
        bound: largest norm of a neuron's predictions.
    """

    pixels: int
    outputs: int
    hidden: tuple[int, ...]
    steps: int = 40
    tau_j: float = 5.0
    tau_m: float = 10.0
    tau_z: float = 10.0
    kappa: float = 0.25
    resistance: float = 1.0
    theta: float = 0.2
    gamma: float = 1.0
    label: float = 1.0
    bound: float = 3.0

    @property
    def synapses(self) -> int:
        """How many weights are learnt; feedback is tied to them."""
        sizes = (self.pixels + self.outputs, *self.hidden)
        return sum(below * above for below, above in pairwise(sizes))

    def start(self, keys: Sequence[Key]) -> Weights:
        """Return first weights, ~ N(0, 1 / N_l), each row from its key."""
        sizes = (self.pixels + self.outputs, *self.hidden)
        found = []
        for at in range(1, len(sizes)):
            shape = (sizes[at], sizes[at - 1])
            rows = [key.child(at).generator().normal(size=shape) * sizes[at] ** -0.5 for key in keys]
            found.append(self._cut(torch.from_numpy(np.stack(rows)).float()))
        return tuple(found)

    @torch.no_grad()
    def see(self, weights: Weights, images: Tensor, labels: Tensor | None, heads: Tensor) -> Told:
        """Show images for `steps` ms from rest.

        Args:
            weights: of P networks.
            images: (P, B, pixels), from 0 to 1.
            labels: (P, B, outputs) of 0 and 1, clamped; None leaves the label units free.
            heads: bool, broadcast to (P, B, outputs): labels whose errors count.
        """
        rows, batch = images.shape[:2]
        clamped = images.new_zeros(rows, batch, self.outputs) if labels is None else labels
        sensed = torch.cat([images, clamped], -1)
        counts = torch.ones_like(sensed)
        counts[..., self.pixels :] = 0.0 if labels is None else self.label * heads.to(sensed)
        J, V, z = ([W.new_zeros(rows, batch, W.shape[1]) for W in weights] for _ in range(3))
        change = [torch.zeros_like(W) for W in weights]
        said, spikes = torch.zeros_like(clamped), images.new_zeros(rows, batch)
        late = self.steps // 2
        for t in range(self.steps):
            below = [sensed, *z[:-1]]
            predicted = [torch.bmm(upper, W) for upper, W in zip(z, weights, strict=True)]
            errors = [seen - mu for seen, mu in zip(below, predicted, strict=True)]
            errors[0] = errors[0] * counts
            if t >= late:
                said += predicted[0][..., self.pixels :]
                change = [
                    total.baddbmm_(upper.transpose(1, 2), error, alpha=1 / batch)
                    for total, upper, error in zip(change, z, errors, strict=True)
                ]
            own = [*errors[1:], torch.zeros_like(z[-1])]
            for at, W in enumerate(weights):
                pull = self.gamma * torch.bmm(errors[at], W.transpose(1, 2)) - own[at]
                J[at] = J[at] + (pull - self.kappa * J[at]) / self.tau_j
                V[at] = V[at] + (self.resistance * J[at] - V[at]) / self.tau_m
                fired = V[at] > self.theta
                V[at] = V[at].masked_fill(fired, 0.0)
                z[at] = z[at] + (fired.to(W) - z[at]) / self.tau_z
                spikes += fired.sum(-1)
        return Told(said / (self.steps - late), spikes, tuple(each / (self.steps - late) for each in change))

    def learnt(self, weights: Weights, told: Told, rate: float) -> Weights:
        """Return the weights after a local step of this size."""
        return tuple(self._cut(W + rate * each) for W, each in zip(weights, told.change, strict=True))

    def _cut(self, W: Tensor) -> Tensor:
        norm = W.norm(dim=2, keepdim=True)
        cut: Tensor = W * (self.bound / norm.clamp(min=self.bound))
        return cut
