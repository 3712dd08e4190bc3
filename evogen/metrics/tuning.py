"""Cosine tuning: how well the rate of each neuron follows the cosine of a direction.

    r(theta) = b0 + m cos(theta - theta_p)      R^2 = 1 - residual / spread about the mean      depth = m / b0

by least squares over D directions at equal angles, from each neuron's mean rate for each. A neuron that says
the same for every direction has no R^2 and is not tuned. By chance alone R^2 exceeds x with probability
(1 - x)^((D - 3) / 2) (F test of two slopes): for 0.7, every second neuron at four directions, but one in
twenty at eight. So look at eight or more.

Source: Georgopoulos, Kalaska, Caminiti, Massey 1982.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from evogen.metrics import Subject
from evogen.registry import register, setting
from evogen.tasks import SequenceTask, TaskKind


class Tuning(NamedTuple):
    """(..., N) each: baseline b0, modulation m, preferred direction (rad), R^2 (NaN: it does not vary)."""

    baseline: Tensor
    modulation: Tensor
    preferred: Tensor
    explained: Tensor

    @property
    def depth(self) -> Tensor:
        """Modulation depth m / b0."""
        return self.modulation / self.baseline

    def share(self, threshold: float) -> Tensor:
        """Return the (...,) shares of neurons whose R^2 exceeds a threshold; those without R^2 do not."""
        return (self.explained > threshold).double().mean(-1)


def tuning(rates: Tensor) -> Tuning:
    """Fit cosines to the mean rates (..., D, N) for directions 2 pi d / D, d = 0 ... D - 1; D > 3."""
    rates = rates.double()
    count = rates.shape[-2]
    angles = torch.arange(count, dtype=torch.float64, device=rates.device) * (2 * math.pi / count)
    baseline = rates.mean(-2)
    # at equal angles cosine and sine are orthogonal: the least squares are projections
    along = (rates * angles.cos()[:, None]).sum(-2) * (2 / count)
    across = (rates * angles.sin()[:, None]).sum(-2) * (2 / count)
    modulation = torch.hypot(along, across)
    spread = (rates - baseline.unsqueeze(-2)).square().sum(-2)
    varies = spread > 1e-24 * (1 + baseline.square())
    explained = (modulation.square() * (count / 2) / spread).masked_fill(~varies, torch.nan)
    return Tuning(baseline, modulation, torch.atan2(across, along) % (2 * math.pi), explained)


def rates_of(activity: Tensor, labels: Tensor, directions: int) -> Tensor:
    """Return the (P, D, N) mean activities for each direction; NaN for one that is not there.

    Args:
        activity: (P, B, N).
        labels: (P, B) directions, 0 to D - 1.
        directions: D.
    """
    of = torch.nn.functional.one_hot(labels, directions).to(activity)  # (P, B, D)
    return torch.bmm(of.transpose(1, 2), activity) / of.sum(1).unsqueeze(-1)


@register("metric", "tuning")
@dataclass(frozen=True)
class CosineTuning:
    """How many hidden neurons are cosine-tuned to a sequence task's labels, taken as equal angles."""

    threshold: float = setting(0.7, low=0.0, high=1.0, doc="R^2 above which a neuron is tuned")
    lives: int = setting(128, low=8, high=100_000, doc="sequences that are looked at")

    fits: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.SEQUENCE})
    measures: ClassVar[dict[str, str]] = {
        "cosine_tuned": "share of the hidden neurons whose mean activity follows a cosine of the label"
    }

    @torch.no_grad()
    def measure(self, subject: Subject) -> dict[str, Tensor]:
        """Return the share, the mean over born agents; NaN with fewer than four labels, or none."""
        task: SequenceTask = subject.task
        agents, count = subject.agents, task.outputs
        hidden = range(1, len(agents.layout.levels) - 1)
        drawn = task.sequences(subject.streams("life"), self.lives, "validation")
        if drawn.targets.dtype != torch.int64 or count < 4:
            return {"cosine_tuned": torch.full((subject.phenotype.rows,), torch.nan, dtype=torch.float64)}
        total = {level: torch.zeros((), dtype=torch.float64) for level in hidden}
        state = agents.start(self.lives)
        for seen in drawn.inputs.to(agents.device, agents.dtype).unbind(2):
            said = agents.activity(seen, state)
            total = {level: each + said[level].double() for level, each in total.items()}
            _, state = agents.live(seen, state)
        labels = drawn.targets[:, :, -1].to(agents.device)
        found = {level: tuning(rates_of(each, labels, count)).explained for level, each in total.items()}
        shares = []
        for row in range(agents.rows):  # padding is no neuron
            sizes = subject.phenotype.bodies[row // subject.copies].sizes
            own = torch.cat([found[level][row, : sizes[level]] for level in hidden])
            shares.append((own > self.threshold).double().mean())
        return {"cosine_tuned": subject.mean(torch.stack(shares))}
