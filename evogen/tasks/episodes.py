"""Running episodes of a batched torch environment, with automatic resets.

The starts of 128 steps are drawn together, one for every environment and step, and used where an episode
ends: no loop over environments. A row's first starts come from its key, those that follow the steps 128 n to
128 n + 127 from the key's child ("block", n), whichever of them are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype.rows import rowwise
from evogen.tasks import BatchedTask, Turn

BLOCK = 128  # steps whose resets are drawn together


def uniforms(keys: Sequence[Key], shape: tuple[int, ...]) -> Tensor:
    """Return (P, *shape) float64 numbers ~ U[0, 1), each row drawn from its own key."""
    return torch.from_numpy(np.stack([key.generator().random(shape) for key in keys]))


def computed(equations: Callable[..., tuple[Any, ...]], *arrays: Tensor) -> tuple[Tensor, ...]:
    """Return equations(xp, *arrays) as tensors, where xp is numpy or torch.

    On the CPU it is numpy, which starts such small operations five times faster.
    """
    if arrays[0].device.type == "cpu":
        found = equations(np, *(array.numpy() for array in arrays))
        return tuple(torch.from_numpy(part) for part in found)
    return equations(torch, *arrays)


@rowwise(shared=["_task"], anew={"_block": -1, "_fresh": ()})
class BatchedEpisodes:
    """P x B running episodes of a BatchedTask; see `evogen.tasks.Episodes`."""

    def __init__(
        self, task: BatchedTask, keys: Sequence[Key], copies: int, device: torch.device, *, again: bool = True
    ) -> None:
        """Begin B = copies episodes for each of P keys; see `evogen.tasks.ControlTask.start`."""
        self._task, self._keys, self._copies, self._device = task, list(keys), copies, device
        self._state, self._observation = task.reset(uniforms(keys, (copies, task.draws)).to(device))
        self._again, self._steps, self._block = again, 0, -1
        self._fresh: tuple[Tensor, ...] = ()  # (P, BLOCK, B, ...) of the block that was drawn last

    @property
    def observation(self) -> Tensor:
        """(P, B, inputs) float32, of the episodes that run now."""
        return self._observation

    def step(self, action: Tensor) -> Turn:
        """Advance every episode by one step and begin anew those that ended."""
        step = self._task.step(self._state, action)
        self._state, self._observation = step.state, step.observation
        over = step.terminated | step.truncated
        if self._again and (self._device.type != "cpu" or over.any()):  # to ask would wait for a GPU
            self._renew(over.unsqueeze(-1))
        self._steps += 1
        return Turn(step.reward.float(), step.terminated, step.truncated, step.observation)

    def _renew(self, over: Tensor) -> None:
        block, at = divmod(self._steps, BLOCK)
        if block != self._block:
            self._block, self._fresh = block, self._drawn(block)
        state, observation = self._fresh
        self._state = torch.where(over, state[:, at], self._state)
        self._observation = torch.where(over, observation[:, at], self._observation)

    def _drawn(self, block: int) -> tuple[Tensor, Tensor]:
        keys = [key.child("block", block) for key in self._keys]
        numbers = uniforms(keys, (BLOCK * self._copies, self._task.draws))
        state, observation = self._task.reset(numbers.to(self._device))
        shape = (BLOCK, self._copies)
        return torch.unflatten(state, 1, shape), torch.unflatten(observation, 1, shape)  # (P, BLOCK, B, ...)
