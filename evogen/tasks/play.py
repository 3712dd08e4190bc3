"""Running agents: what the tasks share.

No operation mixes rows of P, and every random number of a row comes from that row's key, so a row's score is
its own. An answer with a non-finite number in it counts as NaN, never as an action or a class.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.tasks import ControlTask

EXAMPLES_AT_A_TIME = 128  # fast weights (P, B, pre, post) of a whole fold may not fit in memory
STEPS_BETWEEN_CHECKS = 25  # asking whether every episode is over waits for the device


def greedy(output: Tensor) -> Tensor:
    """Return (P, B) int64 indices of the largest of (P, B, outputs)."""
    return output.argmax(-1)


def squashed(output: Tensor, low: float | Tensor, high: float | Tensor) -> Tensor:
    """Return low + (high - low) (tanh(output) + 1) / 2: the real line's order, in between the bounds.

    Args:
        output: (P, B, A).
        low: a number, or (A,) for the components of an action.
        high: the same.
    """
    return low + (high - low) * ((torch.tanh(output) + 1) / 2)


def hits(output: Tensor, labels: Tensor) -> Tensor:
    """Return (P, B) float64: 1 where the largest output is the label's, else 0; NaN for non-finite output.

    Args:
        output: (P, B, classes).
        labels: int64, broadcast to (P, B).
    """
    return (greedy(output) == labels).double().masked_fill(~output.isfinite().all(-1), torch.nan)


@torch.no_grad()
def answers(agents: Network, features: Tensor) -> Tensor:
    """Return (P, M, outputs) of (M, inputs) features, each shown for one step to a newly started network."""
    parts = torch.split(features.to(agents.device, agents.dtype), EXAMPLES_AT_A_TIME)
    found = [agents.step(part.expand(agents.rows, -1, -1), agents.start(len(part)))[0] for part in parts]
    return torch.cat(found, dim=1)


@torch.no_grad()
def play(task: ControlTask, agents: Network, *, keys: Sequence[Key], episodes: int) -> Tensor:
    """Let every agent act by its raw output, without exploring, in `episodes` parallel episodes of a task.

    Args:
        task: the environment.
        agents: one agent a row.
        keys: one a row; an agent's episodes depend on nothing else.
        episodes: B, the same number for every agent.

    Returns:
        (P, B) float64 sums of reward; NaN where the agent's output became non-finite during the episode.
    """
    assert len(keys) == agents.rows
    played = task.start(keys, episodes, agents.device, again=False)
    memory = agents.start(episodes)
    returns = torch.zeros(agents.rows, episodes, dtype=torch.float64, device=agents.device)
    running = torch.ones_like(returns, dtype=torch.bool)
    for step in range(task.horizon):
        if step % STEPS_BETWEEN_CHECKS == 0 and not running.any():
            break
        output, memory = agents.live(played.observation.to(agents.dtype), memory)
        finite = output.isfinite().all(-1)
        turn = played.step(task.act(output))
        returns = returns + turn.reward.masked_fill(~finite, torch.nan).masked_fill(~running, 0.0)
        running = running & finite & ~turn.terminated & ~turn.truncated
    return returns
