"""Networks in the shape of evogen's own, small enough to know their answers by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from evogen.keys import Key

BALANCING = (0.1, 0.3, 1.0, 0.5)  # action 1 where this times (x, x_dot, theta, theta_dot) is positive


def keys(rows: int) -> list[Key]:
    return [Key(7).child("life", row) for row in range(rows)]


@dataclass
class Linear:
    """Static weights (P, inputs, outputs); `seen` collects what it was shown and taught."""

    weights: Tensor
    seen: list[tuple[Tensor, Tensor | None]] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return len(self.weights)

    @property
    def device(self) -> torch.device:
        return self.weights.device

    @property
    def dtype(self) -> torch.dtype:
        return self.weights.dtype

    def start(self, batch: int) -> Any:
        return None

    def step(self, observation: Tensor, state: Any, *, teach: Tensor | None = None) -> tuple[Tensor, Any]:
        self.seen.append((observation, teach))
        return observation @ self.weights, state

    def live(self, observation: Tensor, state: Any, *, teach: Tensor | None = None) -> tuple[Tensor, Any]:
        return self.step(observation, state, teach=teach)


@dataclass
class Hebbian(Linear):
    """No innate weights; w[b, i, j] += x[b, i] y[b, j], with y the teacher's word or else the output."""

    def start(self, batch: int) -> Any:
        return self.weights.new_zeros(self.rows, batch, *self.weights.shape[1:])

    def step(self, observation: Tensor, state: Any, *, teach: Tensor | None = None) -> tuple[Tensor, Any]:
        self.seen.append((observation, teach))
        output = torch.einsum("pbi,pbio->pbo", observation, state)
        activity = output if teach is None else teach
        return output, state + observation.unsqueeze(-1) * activity.unsqueeze(-2)


@dataclass
class Failing(Linear):
    """Linear, but the output of one row is not a number from its n-th step on (counted from 0)."""

    row: int = 0
    step_of_failure: int = 0

    def start(self, batch: int) -> Any:
        return 0

    def step(self, observation: Tensor, state: Any, *, teach: Tensor | None = None) -> tuple[Tensor, Any]:
        output, _ = super().step(observation, state, teach=teach)
        if state >= self.step_of_failure:
            output[self.row, ..., -1] = torch.nan
        return output, state + 1


def balancing(rows: int) -> Tensor:
    """(P, 4, 2) weights that balance the pole for as long as one likes."""
    push = torch.tensor(BALANCING)
    return torch.stack([-push, push], -1).expand(rows, -1, -1).clone()


def random_weights(shape: Sequence[int], seed: int = 0) -> Tensor:
    return torch.from_numpy(Key(seed).child("weights").generator().normal(size=shape)).float()
