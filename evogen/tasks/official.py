"""Gymnasium's own environments, for the final check (https://gymnasium.farama.org, Towers et al. 2024).

One environment object an episode: slow, and free of any code of ours between the agent and the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any

import gymnasium
import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.tasks import ControlTask, Fold
from evogen.tasks.play import greedy, play


def mean_return(
    task: ControlTask,
    env_id: str,
    agents: Network,
    *,
    keys: Sequence[Key],
    fold: Fold,
    episodes: int,
    report_episodes: int,
    made_with: Mapping[str, Any] | None = None,
) -> Tensor:
    """Return each agent's mean return: SEARCH plays the task, REPORT Gymnasium's environment, other starts.

    Args:
        task: what stands in for the environment in the search.
        env_id: the environment.
        agents: one agent a row.
        keys: one a row; an agent's episodes depend on nothing else.
        fold: which of the two.
        episodes: of an agent on SEARCH.
        report_episodes: of an agent on REPORT.
        made_with: what `gymnasium.make` is told beside the id.

    Returns:
        (P,) float64; NaN where the agent's output became non-finite in an episode.
    """
    if fold is Fold.SEARCH:
        starts = [key.child("episodes") for key in keys]
        return play(task, agents, keys=starts, episodes=episodes).mean(-1)
    seeds = [[key.child("report", n).integer() for n in range(report_episodes)] for key in keys]
    return play_gymnasium(env_id, agents, seeds=seeds, act=task.act, made_with=made_with).mean(-1)


@torch.no_grad()
def play_gymnasium(
    env_id: str,
    agents: Network,
    *,
    seeds: Sequence[Sequence[int]],
    act: Callable[[Tensor], Tensor] = greedy,
    made_with: Mapping[str, Any] | None = None,
) -> Tensor:
    """Let every agent act without exploring, all its episodes in lock-step, until each has ended.

    Args:
        env_id: an environment with a vector observation, actions as `act` returns them and a time limit.
        agents: one agent a row.
        seeds: (P, B), one for each episode's reset.
        act: the action for raw network outputs, as in `evogen.tasks.ControlTask`.
        made_with: what `gymnasium.make` is told beside the id.

    Returns:
        (P, B) float64 sums of reward; NaN where the agent's output became non-finite during the episode.
    """
    shape = (agents.rows, len(seeds[0]))
    flat = [seed for row in seeds for seed in row]
    with ExitStack() as stack:
        made = (gymnasium.make(env_id, **(made_with or {})) for _ in flat)
        environments = [stack.enter_context(closing(env)) for env in made]
        observed = np.stack([env.reset(seed=seed)[0] for env, seed in zip(environments, flat, strict=True)])
        memory = agents.start(shape[1])
        returns, running = np.zeros(len(flat)), np.ones(len(flat), dtype=bool)
        while running.any():
            observation = torch.tensor(observed, device=agents.device, dtype=agents.dtype)
            output, memory = agents.live(observation.view(*shape, -1), memory)  # (P, B, inputs)
            finite = output.isfinite().all(-1).flatten().cpu().numpy()
            action = act(output).flatten(0, 1).cpu().numpy().astype(environments[0].action_space.dtype)
            returns[running & ~finite] = np.nan
            running &= finite
            for index in np.flatnonzero(running):
                observed[index], reward, terminated, truncated, _ = environments[index].step(action[index])
                returns[index] += float(reward)
                running[index] = not (terminated or truncated)
    return torch.from_numpy(returns.reshape(shape))
