"""Policies: how a network's output becomes a random action, and how likely that action was.

discrete      a ~ softmax(output), by the Gumbel-max trick
continuous    a ~ N(output, sigma^2) before the task squashes it; sigma is a number of the policy
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from evogen.tasks import ControlTask, TaskKind


class Policy(Protocol):
    """A distribution over actions."""

    def noise(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Return the random numbers of actions of this shape (..., outputs), float32."""
        ...

    def sample(self, output: Tensor, noise: Tensor) -> Tensor:
        """Return the actions that these numbers choose."""
        ...

    def act(self, task: ControlTask, action: Tensor) -> Tensor:
        """Return what the environment is given for an action."""
        ...

    def chance(self, output: Tensor, action: Tensor) -> Tensor:
        """Return the log-probability (...) of actions."""
        ...

    def entropy(self, output: Tensor) -> Tensor:
        """Return the entropy (...) of the distribution at every output."""
        ...


class Softmax:
    """Discrete actions, ~ softmax(output)."""

    def noise(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Return Gumbel numbers."""
        return generator.gumbel(size=shape).astype(np.float32)

    def sample(self, output: Tensor, noise: Tensor) -> Tensor:
        """Return int64 indices."""
        return (output + noise).argmax(-1)  # ~ softmax(output)

    def act(self, task: ControlTask, action: Tensor) -> Tensor:  # noqa: ARG002
        """Return the index itself."""
        return action

    def chance(self, output: Tensor, action: Tensor) -> Tensor:
        """Return log softmax(output)[action]."""
        return torch.log_softmax(output, -1).gather(-1, action.unsqueeze(-1)).squeeze(-1)

    def entropy(self, output: Tensor) -> Tensor:
        """Return -sum p log p."""
        chances = torch.log_softmax(output, -1)
        return -(chances.exp() * chances).sum(-1)


class Gaussian:
    """Real-valued actions, ~ N(output, sigma^2), before the task squashes them into its bounds."""

    def __init__(self, sigma: float) -> None:
        self._sigma = sigma

    def noise(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Return normal numbers."""
        return generator.standard_normal(shape, dtype=np.float32)

    def sample(self, output: Tensor, noise: Tensor) -> Tensor:
        """Return raw actions (..., outputs)."""
        return output + self._sigma * noise  # ~ N(output, sigma^2)

    def act(self, task: ControlTask, action: Tensor) -> Tensor:
        """Return the squashed action."""
        return task.act(action)

    def chance(self, output: Tensor, action: Tensor) -> Tensor:
        """Return the log-density up to a constant, which cancels in every ratio."""
        return -((action - output) / self._sigma).square().sum(-1) / 2

    def entropy(self, output: Tensor) -> Tensor:
        """Return the entropy, which is the same everywhere."""
        each = 0.5 * math.log(2 * math.pi * math.e * self._sigma**2)
        return torch.full_like(output[..., 0], each * output.shape[-1])


def policy_for(task: ControlTask, sigma: float) -> Policy:
    """Return the policy that fits the task's actions."""
    return Gaussian(sigma) if task.kind is TaskKind.CONTINUOUS else Softmax()
