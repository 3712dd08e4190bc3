"""Rollouts: what P candidates live through in B copies of an environment each, with automatic resets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning.policy import Policy
from evogen.phenotype import Network, State
from evogen.phenotype.rows import rowwise
from evogen.tasks import ControlTask


class Rollout(NamedTuple):
    """T steps of P x B environments.

    Attributes:
        memory: the network's state before the first step.
        first: (P, T, B) bool, the step is the first of its episode.
        observation: (P, T, B, inputs), what the action answered.
        action: (P, T, B) int64, or (P, T, B, A) floats.
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
    if not bool(ended.any()):
        return memory
    keep = ~ended
    return {
        name: part * keep.reshape(keep.shape + (1,) * (part.ndim - 2)).to(part.dtype)
        for name, part in memory.items()
    }


@rowwise(shared=["_task"])
class Player:
    """Plays one task for a cohort, rollout after rollout; episodes go on from one to the next."""

    def __init__(
        self, task: ControlTask, keys: Sequence[Key], environments: int, horizon: int, like: Tensor
    ) -> None:
        """Start B = environments episodes per candidate; tensors follow `like` in device and dtype."""
        self._task, self._keys, self._shape = task, list(keys), (horizon, environments)
        self._like = like
        self._episodes = task.start([key.child("start") for key in keys], environments, like.device)
        self._memory: State | None = None  # (P, B, ...), whoever shares an agent
        self._first = torch.ones(len(keys), environments, dtype=torch.bool, device=like.device)
        self._carried = torch.zeros(len(keys), environments, dtype=torch.float64, device=like.device)
        self._returns = torch.zeros(len(keys), dtype=torch.float64, device=like.device)

    @torch.no_grad()
    def play(self, network: Network, policy: Policy, iteration: int) -> Rollout:
        """Let a cohort's networks act by sampling from their policy for T steps.

        Args:
            network: P rows, or P x copies of them, which share a candidate's environments evenly.
            policy: how outputs become actions.
            iteration: names the stream of the noise.
        """
        horizon, environments = self._shape
        generators = [key.child("rollout", iteration).generator() for key in self._keys]
        shape = (horizon, environments, self._task.outputs)
        noise = torch.from_numpy(np.stack([policy.noise(g, shape) for g in generators])).to(self._like)
        rows = network.rows
        memory = (
            network.start(environments * len(self._keys) // rows)
            if self._memory is None
            else {name: regroup(part, rows) for name, part in self._memory.items()}
        )
        before, seen, turns, outputs, actions, firsts = memory, [], [], [], [], []
        for t in range(horizon):
            observation = self._episodes.observation.to(self._like)
            live = network.live if t else network.step  # what was before is kept
            output, memory = live(regroup(observation, rows), memory)
            output = regroup(output, len(self._keys))  # (P, B, outputs)
            action = policy.sample(output, noise[:, t])
            seen.append(observation)
            outputs.append(output)
            actions.append(action)
            firsts.append(self._first)
            turn = self._episodes.step(policy.act(self._task, action))
            turns.append(turn)
            self._first = turn.terminated | turn.truncated
            if memory:
                memory = forget(memory, regroup(self._first, rows))
        self._memory = {name: regroup(part, len(self._keys)) for name, part in memory.items()}
        reward, terminated, truncated, after = (torch.stack(parts, 1) for parts in zip(*turns, strict=True))
        ended, action = terminated | truncated, torch.stack(actions, 1)
        chance = policy.chance(torch.stack(outputs, 1), action)
        self._count(reward, ended)
        return Rollout(
            before, torch.stack(firsts, 1), torch.stack(seen, 1), action, chance, reward.to(self._like),
            terminated, ended, after.to(self._like), self._returns,
        )  # fmt: skip

    def _count(self, reward: Tensor, ended: Tensor) -> None:
        total = self._carried.unsqueeze(1) + reward.double().cumsum(1)  # (P, T, B) return since episode 0
        steps = torch.arange(1, reward.shape[1] + 1, device=reward.device)[None, :, None]
        last = (ended * steps).amax(1, keepdim=True)  # (P, 1, B); 0: none ended
        closed = total.gather(1, (last - 1).clamp_min(0)).squeeze(1) * (last.squeeze(1) > 0)
        self._carried = total[:, -1] - closed
        count = ended.sum((1, 2))
        self._returns = torch.where(count > 0, closed.sum(1) / count.clamp_min(1), self._returns)


def regroup(part: Tensor, rows: int) -> Tensor:
    """Return (P, B, ...) as (rows, P B / rows, ...): a candidate's lives belong to its copies in order."""
    return part.reshape(rows, -1, *part.shape[2:])
