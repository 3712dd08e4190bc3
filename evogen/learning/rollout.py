"""Rollouts: what P candidates live through in B copies of an environment each, with automatic resets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network, State
from evogen.tasks import ControlTask


class Rollout(NamedTuple):
    """T steps of P x B environments.

    Attributes:
        memory: the network's state before the first step.
        first: (P, T, B) bool, the step is the first of its episode.
        observation: (P, T, B, inputs), what the action answered.
        action: (P, T, B) int64.
        chance: (P, T, B) log-probability of the action.
        reward: (P, T, B).
        terminated, ended: (P, T, B) bool; ended is terminated or truncated.
        after: (P, T, B, inputs), the observation that followed, before any reset.
        returns: (P,) mean return of the episodes that ended; where none did, the last such mean.
    """

    memory: State
    first: Tensor
    observation: Tensor
    action: Tensor
    chance: Tensor
    reward: Tensor
    terminated: Tensor
    ended: Tensor
    after: Tensor
    returns: Tensor


def forget(memory: State, ended: Tensor) -> State:
    """Return the state with the lives that ended, (P, B) bool, begun anew."""
    keep = ~ended
    return {
        name: part * keep.reshape(keep.shape + (1,) * (part.ndim - 2)).to(part.dtype)
        for name, part in memory.items()
    }


class Player:
    """Plays one task for a cohort, rollout after rollout; episodes go on from one to the next."""

    def __init__(
        self, task: ControlTask, keys: Sequence[Key], environments: int, horizon: int, like: Tensor
    ) -> None:
        """Start B = environments episodes per candidate; tensors follow `like` in device and dtype."""
        self._task, self._keys, self._shape = task, keys, (horizon, environments)
        self._like = like
        generators = [key.child("start").generator() for key in keys]
        draws = np.stack([generator.random((environments, task.draws)) for generator in generators])
        self._state, observation = task.reset(torch.from_numpy(draws).to(like.device))
        self._observation = observation.to(like)
        self._memory: State | None = None
        self._first = torch.ones(len(keys), environments, dtype=torch.bool, device=like.device)
        self._carried = torch.zeros(len(keys), environments, dtype=torch.float64, device=like.device)
        self._returns = torch.zeros(len(keys), dtype=torch.float64, device=like.device)

    @torch.no_grad()
    def play(self, network: Network, iteration: int) -> Rollout:
        """Let a cohort's networks act by sampling from their softmax for T steps."""
        horizon, environments = self._shape
        generators = [key.child("rollout", iteration).generator() for key in self._keys]
        shape = (horizon, environments, self._task.outputs)
        gumbel = self._stack([g.gumbel(size=shape).astype(np.float32) for g in generators])
        starts = self._stack([g.random((horizon, environments, self._task.draws)) for g in generators])
        fresh, fresh_observation = self._task.reset(starts.flatten(1, 2))
        fresh = torch.unflatten(fresh, 1, self._shape)
        fresh_observation = torch.unflatten(fresh_observation.to(self._like), 1, self._shape)
        memory = network.start(environments) if self._memory is None else self._memory
        before, seen, steps, outputs, firsts = memory, [], [], [], []
        for t in range(horizon):
            output, memory = network.step(self._observation, memory)
            action = (output + gumbel[:, t]).argmax(-1)  # ~ softmax(output)
            step = self._task.step(self._state, action)
            seen.append(self._observation)
            outputs.append(output)
            steps.append((action, step))
            firsts.append(self._first)
            self._first = step.terminated | step.truncated
            over = self._first.unsqueeze(-1)
            self._state = torch.where(over, fresh[:, t], step.state)
            self._observation = torch.where(over, fresh_observation[:, t], step.observation.to(self._like))
            if memory:
                memory = forget(memory, self._first)
        self._memory = memory
        action = torch.stack([item[0] for item in steps], 1)
        reward = torch.stack([item[1].reward for item in steps], 1).to(self._like)
        terminated = torch.stack([item[1].terminated for item in steps], 1)
        ended = terminated | torch.stack([item[1].truncated for item in steps], 1)
        after = torch.stack([item[1].observation for item in steps], 1).to(self._like)
        chances = torch.log_softmax(torch.stack(outputs, 1), -1)
        chances = chances.gather(-1, action.unsqueeze(-1)).squeeze(-1)
        self._count(reward, ended)
        return Rollout(
            before, torch.stack(firsts, 1), torch.stack(seen, 1), action, chances, reward, terminated, ended,
            after, self._returns,
        )  # fmt: skip

    def _count(self, reward: Tensor, ended: Tensor) -> None:
        total = self._carried.unsqueeze(1) + reward.double().cumsum(1)  # (P, T, B) return since episode 0
        steps = torch.arange(1, reward.shape[1] + 1, device=reward.device)[None, :, None]
        last = (ended * steps).amax(1, keepdim=True)  # (P, 1, B); 0: none ended
        closed = total.gather(1, (last - 1).clamp_min(0)).squeeze(1) * (last.squeeze(1) > 0)
        self._carried = total[:, -1] - closed
        count = ended.sum((1, 2))
        self._returns = torch.where(count > 0, closed.sum(1) / count.clamp_min(1), self._returns)

    def _stack(self, draws: list[np.ndarray]) -> Tensor:
        return torch.from_numpy(np.stack(draws)).to(self._like.device)
