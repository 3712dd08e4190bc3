"""Forgetting and transfer: what learning one stage does to the others.

R[i, j] is the accuracy on stage j after learning stages 0..i, and b[j] that before any learning; T stages.

    average accuracy    A   = 1/T sum_j R[T-1, j]
    backward transfer   BWT = 1/(T-1) sum_{j<T-1} (R[T-1, j] - R[j, j])        below 0: forgotten
    forward transfer    FWT = 1/(T-1) sum_{j>0} (R[j-1, j] - b[j])
    forgetting          F   = 1/(T-1) sum_{j<T-1} (max_{j<=i<T-1} R[i, j] - R[T-1, j])
    learning            L   = 1/T sum_j R[j, j]                                what was known when it was new

Sources: A, BWT and FWT: Lopez-Paz, Ranzato 2017 (https://arxiv.org/abs/1706.08840), eq. 2-4; F: Chaudhry et
al. 2018 (https://arxiv.org/abs/1801.10112), eq. 3, the maximum over the stages from j on; L is ours, so that
A = L + (T-1)/T BWT.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from evogen.metrics import Subject
from evogen.phenotype import Network
from evogen.registry import register
from evogen.tasks import ContinualTask, Fold, TaskKind
from evogen.tasks.digits import SCORED_ON
from evogen.tasks.stages import accuracies


@register("metric", "forgetting")
@dataclass(frozen=True)
class Forgetting:
    """Transfer and forgetting between the stages of a continual task, of the average network."""

    fits: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CONTINUAL})
    measures: ClassVar[Mapping[str, str]] = {
        "learning_accuracy": "mean accuracy on each stage when it had just been learnt",
        "backward_transfer": "mean change of earlier stages' accuracy by what came after; below 0: forgotten",
        "forward_transfer": "mean accuracy on stages not yet learnt, above that before any learning",
        "forgetting": "mean loss of accuracy on earlier stages since they were known best",
    }

    @torch.no_grad()
    def measure(self, subject: Subject) -> Mapping[str, Tensor]:
        """Return (P,) numbers on the search's own fold; NaN for a learner that learns in no stages."""
        task: ContinualTask = subject.task
        if len(subject.fit.after) != task.stages:
            return {name: torch.full((subject.phenotype.rows,), torch.nan) for name in self.measures}
        fold = SCORED_ON[Fold.SEARCH]
        networks = [subject.phenotype.network(flat).detach() for flat in subject.fit.after]
        R = matrix(task, networks, fold)
        before = accuracies(task, subject.phenotype.network(subject.phenotype.flat).detach(), fold)
        return {
            "learning_accuracy": learning_accuracy(R),
            "backward_transfer": backward_transfer(R),
            "forward_transfer": forward_transfer(R, before),
            "forgetting": forgetting(R),
        }


def matrix(task: ContinualTask, after: Sequence[Network], fold: str) -> Tensor:
    """Return R, (P, T, T), of the networks after each stage.

    Args:
        task: with T stages.
        after: T networks of P rows.
        fold: that the accuracies are measured on.
    """
    return torch.stack([accuracies(task, agents, fold) for agents in after], 1)


def average_accuracy(R: Tensor) -> Tensor:
    """Return (...,) means of the last row of R (..., T, T)."""
    return R[..., -1, :].mean(-1)


def learning_accuracy(R: Tensor) -> Tensor:
    """Return (...,) means of the diagonal of R (..., T, T)."""
    return _diagonal(R).mean(-1)


def backward_transfer(R: Tensor) -> Tensor:
    """Return (...,) mean changes of what earlier stages taught, R (..., T, T) with T >= 2."""
    return (R[..., -1, :] - _diagonal(R))[..., :-1].mean(-1)


def forward_transfer(R: Tensor, before: Tensor) -> Tensor:
    """Return (...,) mean heads start of stages not yet learnt, R (..., T, T), before (..., T), T >= 2."""
    return (torch.diagonal(R, offset=1, dim1=-2, dim2=-1) - before[..., 1:]).mean(-1)


def forgetting(R: Tensor) -> Tensor:
    """Return (...,) mean losses since each earlier stage was known best, R (..., T, T) with T >= 2."""
    T = R.shape[-1]
    known = torch.ones(T, T, dtype=torch.bool, device=R.device).tril()  # stage j was learnt by row i
    best = R.masked_fill(~known, -torch.inf)[..., :-1, :].amax(-2)
    return (best - R[..., -1, :])[..., :-1].mean(-1)


def _diagonal(R: Tensor) -> Tensor:
    return torch.diagonal(R, dim1=-2, dim2=-1)
