"""Running agents: what the tasks share.

No operation mixes rows of P, and every random number of a row comes from that row's key, so a row's score is
its own. An answer with a non-finite number in it counts as NaN, never as an action or a class.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.tasks import ControlTask

STEPS_BETWEEN_CHECKS = 25  # asking whether every episode is over waits for the device


def uniforms(keys: Sequence[Key], shape: tuple[int, ...]) -> Tensor:
    """Return (P, *shape) float64 numbers ~ U[0, 1), each row drawn from its own key."""
    return torch.from_numpy(np.stack([key.generator().random(shape) for key in keys]))


def greedy(output: Tensor) -> tuple[Tensor, Tensor]:
    """Return (P, B) indices of the largest of (P, B, outputs), and (P, B) whether all of them are finite."""
    return output.argmax(-1), output.isfinite().all(-1)


def hits(output: Tensor, labels: Tensor) -> Tensor:
    """Return (P, B) float64: 1 where the largest output is the label's, else 0; NaN for non-finite output.

    Args:
        output: (P, B, classes).
        labels: int64, broadcast to (P, B).
    """
    choice, finite = greedy(output)
    return (choice == labels).double().masked_fill(~finite, torch.nan)


@torch.no_grad()
def play(task: ControlTask, agents: Network, *, keys: Sequence[Key], episodes: int) -> Tensor:
    """Let every agent act greedily in `episodes` parallel episodes of a batched torch environment.

    Args:
        task: the environment.
        agents: one agent a row.
        keys: one a row; the starts of an agent's episodes depend on nothing else.
        episodes: B, the same number for every agent.

    Returns:
        (P, B) float64 sums of reward; NaN where the agent's output became non-finite during the episode.
    """
    assert len(keys) == agents.rows
    state, observation = task.reset(uniforms(keys, (episodes, task.draws)).to(agents.device))
    memory = agents.start(episodes)
    returns = torch.zeros(agents.rows, episodes, dtype=torch.float64, device=agents.device)
    running = torch.ones_like(returns, dtype=torch.bool)
    for step in range(task.horizon):
        if step % STEPS_BETWEEN_CHECKS == 0 and not running.any():
            break
        output, memory = agents.step(observation.to(agents.dtype), memory)
        action, finite = greedy(output)
        state, observation, reward, terminated, truncated = task.step(state, action)
        returns = returns + reward.masked_fill(~finite, torch.nan).masked_fill(~running, 0.0)
        running = running & finite & ~terminated & ~truncated
    return returns
