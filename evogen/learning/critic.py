"""The critic of an actor-critic learner: V(s) = w2 tanh(s W1 + b1) + b2, one per candidate, not inherited."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key


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
        """Return V (P, M) of observations (P, M, inputs)."""
        wide = self.inputs * self.hidden
        W1, b1, w2, b2, _ = torch.split(
            flat, [wide, self.hidden, self.hidden, 1, self.size - wide - 2 * self.hidden - 1], dim=1
        )
        W1 = W1.reshape(-1, self.inputs, self.hidden)
        hidden = torch.tanh(torch.baddbmm(b1.unsqueeze(1), observation, W1))  # (P, M, hidden)
        return (hidden * w2.unsqueeze(1)).sum(-1) + b2  # not bmm: its bits for one column depend on P
