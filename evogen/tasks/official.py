"""Gymnasium's own environments, for the final check (https://gymnasium.farama.org, Towers et al. 2024).

One environment object an episode: slow, and free of any code of ours between the agent and the reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing

import gymnasium
import numpy as np
import torch
from torch import Tensor

from evogen.phenotype import Network
from evogen.tasks.play import greedy


@torch.no_grad()
def play_gymnasium(env_id: str, agents: Network, *, seeds: Sequence[Sequence[int]]) -> Tensor:
    """Let every agent act greedily, all its episodes in lock-step, until each has ended.

    Args:
        env_id: an environment with a vector observation, discrete actions from 0 and a time limit.
        agents: one agent a row.
        seeds: (P, B), one for each episode's reset.

    Returns:
        (P, B) float64 sums of reward; NaN where the agent's output became non-finite during the episode.
    """
    shape = (agents.rows, len(seeds[0]))
    flat = [seed for row in seeds for seed in row]
    with ExitStack() as stack:
        environments = [stack.enter_context(closing(gymnasium.make(env_id))) for _ in flat]
        observed = np.stack([env.reset(seed=seed)[0] for env, seed in zip(environments, flat, strict=True)])
        memory = agents.start(shape[1])
        returns, running = np.zeros(len(flat)), np.ones(len(flat), dtype=bool)
        while running.any():
            observation = torch.tensor(observed, device=agents.device, dtype=agents.dtype)
            output, memory = agents.step(observation.view(*shape, -1), memory)  # (P, B, inputs)
            action, finite = (answer.flatten().cpu().numpy() for answer in greedy(output))
            returns[running & ~finite] = np.nan
            running &= finite
            for index in np.flatnonzero(running):
                observed[index], reward, terminated, truncated, _ = environments[index].step(action[index])
                returns[index] += float(reward)
                running[index] = not (terminated or truncated)
    return torch.from_numpy(returns.reshape(shape))
