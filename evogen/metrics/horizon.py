"""Horizon: what becomes of an agent beyond the lifetime for which it was made.

An agent lives k times the task's horizon H, in lives that no search saw; only its own end ends a life. With
r_t the reward of a step (0 after the end) and |W|_t the sum of the sizes of all effective weights:

    survival  share of the lives that last k H steps
    reward    mean r_t of the steps after H, and its share of what it was until H in `retention`
    slope     of the line that fits r_t after H best (least squares), per horizon H
    growth    |W| at the end of a life over |W| at H

Sources: the question is that of Schmidgall & Hays 2021, "Stable Lifelong Learning: Spiking neurons as a
solution to instability in plastic neural networks" (arXiv 2111.04113); the numbers are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.metrics import Subject
from evogen.phenotype import Network, State
from evogen.registry import register, setting
from evogen.tasks import BatchedTask, ControlTask, Lasting, TaskKind

CHECKS = 25  # steps between two looks at whether every life is over, and at the weights


@dataclass(frozen=True, eq=False)
class Course:
    """Lives of P agents, B each, of at most T steps.

    Attributes:
        reward: (P, B, T) float64, 0 after the end of a life; NaN from where an output was not finite.
        lasted: (P, B) int64, steps until the life ended; T where it did not.
        survived: (P, B) bool, it did not end.
        weight: (P, B, marks) float64, the sum of |effective weight| after so many steps; of a life that ended
            before, what it was at most 25 steps before its end.
        marks: those numbers of steps.
    """

    reward: Tensor
    lasted: Tensor
    survived: Tensor
    weight: Tensor
    marks: tuple[int, ...]


def lasting(task: ControlTask, steps: int) -> ControlTask | None:
    """Return the task with so many steps: as it says itself, or by its equations; None if it has neither."""
    if isinstance(task, Lasting):
        return task.lasting(steps)
    return task if isinstance(task, BatchedTask) else None


@torch.no_grad()
def live(
    task: ControlTask, agents: Network, *, keys: Sequence[Key], lives: int, steps: int, marks: Sequence[int]
) -> Course:
    """Let every agent act without exploring until its lives end, but not because the time is out.

    Args:
        task: which goes on for so many steps, see `lasting`.
        agents: one a row.
        keys: one a row; an agent's lives depend on nothing else.
        lives: B.
        steps: T.
        marks: steps after which the weights are measured, in increasing order; at least one.
    """
    played = task.start(keys, lives, agents.device, again=False)
    memory = agents.start(lives)
    running = torch.ones(agents.rows, lives, dtype=torch.bool, device=agents.device)
    lasted = torch.zeros_like(running, dtype=torch.int64)
    reward = torch.zeros(agents.rows, lives, steps, dtype=torch.float64, device=agents.device)
    sane, size, weight = running.clone(), magnitude(agents, memory), []
    for step in range(steps):
        if step % CHECKS == 0:
            if not running.any():
                break
            size = torch.where(running, magnitude(agents, memory), size)
        output, memory = agents.live(played.observation.to(agents.dtype), memory)
        sane = sane & (output.isfinite().all(-1) | ~running)
        turn = played.step(task.act(output))
        reward[..., step] = torch.where(running, turn.reward.double(), 0.0).masked_fill(~sane, torch.nan)
        lasted = lasted + running
        running = running & ~turn.terminated & sane
        if step + 1 in marks:
            size = torch.where(running, magnitude(agents, memory), size)
            weight.append(size)
    weight += [size] * (len(marks) - len(weight))
    return Course(reward, lasted, running, torch.stack(weight, -1), tuple(marks))


def magnitude(agents: Network, memory: State) -> Tensor:
    """Return the (P, B) sums of the sizes of all effective weights; (P, 1) of static ones."""
    found = [W.abs().sum((-1, -2)).double() for W in agents.effective(memory)]  # (P, B or 1)
    lives = max(part.shape[1] for part in found)
    return torch.stack([part.expand(-1, lives) for part in found]).sum(0)


def slope(reward: Tensor) -> Tensor:
    """Return the (P,) slopes of the lines through the (P, B, T) rewards, per step: the mean over lives."""
    steps = reward.shape[-1]
    time = torch.arange(steps, dtype=reward.dtype, device=reward.device)
    centred = time - time.mean()
    return ((reward * centred).sum(-1) / centred.square().sum()).mean(-1)


@register("metric", "horizon")
@dataclass(frozen=True)
class Horizon:
    """How agents fare beyond the task's horizon."""

    factor: int = setting(10, low=2, high=1000, doc="k, horizons that are lived")
    lives: int = setting(8, low=1, high=1000, doc="lives of each agent")

    measures: ClassVar[Mapping[str, str]] = {
        "horizon_survival": "share of lives that do not end within k horizons",
        "horizon_reward": "mean reward of a step beyond the horizon",
        "horizon_retention": "that, over the mean reward of a step within the horizon",
        "horizon_slope": "change of the reward of a step, per horizon, beyond the horizon",
        "horizon_growth": "size of the weights after k horizons, over that at the horizon",
    }
    fits: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CONTROL, TaskKind.CONTINUOUS})

    def measure(self, subject: Subject) -> Mapping[str, Tensor]:
        """Return (P,) means over agents; NaN on a task that cannot go on beyond its horizon."""
        horizon = subject.task.horizon
        task = lasting(subject.task, self.factor * horizon)
        if task is None:
            nothing = torch.full((len(subject.keys),), torch.nan, dtype=torch.float64)
            return dict.fromkeys(self.measures, nothing)
        course = live(
            task,
            subject.agents,
            keys=subject.streams("life"),
            lives=self.lives,
            steps=self.factor * horizon,
            marks=(horizon, self.factor * horizon),
        )
        return {name: subject.mean(each) for name, each in numbers(course, horizon).items()}


def numbers(course: Course, horizon: int) -> dict[str, Tensor]:
    """Return the metric's (P,) numbers of lives that were meant to last `horizon` steps, by name."""
    within, beyond = course.reward[..., :horizon], course.reward[..., horizon:]
    sane = course.reward.isfinite().all(-1)
    rate, before = beyond.mean((1, 2)), within.mean((1, 2))
    return {
        "horizon_survival": (course.survived & sane).double().mean(1),
        "horizon_reward": rate,
        "horizon_retention": rate / before,
        "horizon_slope": horizon * slope(beyond),
        "horizon_growth": (course.weight[..., -1] / course.weight[..., 0]).mean(1),
    }
