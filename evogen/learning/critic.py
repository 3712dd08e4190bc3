"""The critic of an actor-critic learner, one per candidate, not inherited.

    V(s) = mu + sigma v(s),  v(s) = w2 tanh(s W1 + b1) + b2

It learns (target - mu) / sigma, so that its step does not depend on the size of the rewards. mu and sigma
follow the mean and the spread of the targets (a moving average of STEP a rollout); whenever they change, w2
and b2 change too, so that V stays what it was.

Source: van Hasselt et al. 2016, "Learning values across many orders of magnitude" (Pop-Art, eq. 4-6).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key

STEP = 0.1
SMALLEST = 1e-3  # of the spread: equal targets are centred, not blown up


@dataclass(frozen=True)
class Critic:
    """Shapes of a critic; its parameters are rows of a flat tensor (P, `size`)."""

    inputs: int
    hidden: int

    @property
    def size(self) -> int:
        """Number of parameters: W1 (inputs, hidden), b1, w2 (hidden), b2, padded to a multiple of 16."""
        return -(-((self.inputs + 2) * self.hidden + 1) // 16) * 16

    def draw(self, keys: Sequence[Key]) -> Tensor:
        """Return (P, size) initial parameters: W1 ~ N(0, 1 / inputs), all else zero."""
        drawn = np.zeros((len(keys), self.size), dtype=np.float32)
        for row, key in zip(drawn, keys, strict=True):
            first = key.generator().standard_normal(self.inputs * self.hidden) / math.sqrt(self.inputs)
            row[: len(first)] = first
        return torch.from_numpy(drawn)

    def value(self, flat: Tensor, observation: Tensor) -> Tensor:
        """Return v (P, M) of observations (P, M, inputs)."""
        W1, b1, w2, b2 = self._cut(flat)
        W1 = W1.reshape(-1, self.inputs, self.hidden)
        hidden = torch.tanh(torch.baddbmm(b1.unsqueeze(1), observation, W1))  # (P, M, hidden)
        return (hidden * w2.unsqueeze(1)).sum(-1) + b2  # not bmm: its bits for one column depend on P

    def rescale(self, flat: Tensor, before: Scale, after: Scale) -> None:
        """Change w2 and b2 in place so that V stays what it was under another scale."""
        _, _, w2, b2 = self._cut(flat)
        ratio = (before.spread / after.spread).to(flat)[:, None]
        w2.mul_(ratio)
        b2.mul_(ratio).add_(((before.mean - after.mean) / after.spread).to(flat)[:, None])

    def _cut(self, flat: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        wide = self.inputs * self.hidden
        sizes = [wide, self.hidden, self.hidden, 1, self.size - wide - 2 * self.hidden - 1]
        W1, b1, w2, b2, _ = torch.split(flat, sizes, dim=1)
        return W1, b1, w2, b2


class Scale(NamedTuple):
    """Mean mu and spread sigma of a critic's targets, from moving averages of target and target^2, (P,)."""

    mean: Tensor
    square: Tensor
    rollouts: int

    @property
    def spread(self) -> Tensor:
        """Return sigma, 1 before anything was seen."""
        if not self.rollouts:
            return torch.ones_like(self.mean)
        return (self.square - self.mean.square()).clamp_min(SMALLEST**2).sqrt()

    def unit(self, worth: Tensor) -> Tensor:
        """Return values (P, M) in the critic's unit."""
        mean, spread = (part.to(worth)[:, None] for part in (self.mean, self.spread))
        return (worth - mean) / spread

    def whole(self, unit: Tensor) -> Tensor:
        """Return what the critic said (P, M) in the unit of the rewards."""
        mean, spread = (part.to(unit)[:, None] for part in (self.mean, self.spread))
        return mean + spread * unit

    def see(self, target: Tensor) -> Scale:
        """Return the scale after the targets (P, M) of another rollout."""
        step = max(STEP, 1 / (self.rollouts + 1))
        mean, square = target.double().mean(1), target.double().square().mean(1)
        moved = self.mean + step * (mean - self.mean), self.square + step * (square - self.square)
        return Scale(*moved, self.rollouts + 1)
