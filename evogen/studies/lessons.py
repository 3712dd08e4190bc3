"""Stages for studies: each seed has stages of its own, all seeds learn as one batch.

Seed s has the task with `stage_seed` and `split_seed` s: its own permutations or order of classes, and its
own split into folds. The folds of all seeds are equally large, so that they stack.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from evogen.learning.stages import Respond
from evogen.phenotype import Phenotype
from evogen.tasks import ContinualTask, Stage
from evogen.tasks.play import EXAMPLES_AT_A_TIME
from evogen.tasks.stages import right


def stacked(tasks: Sequence[ContinualTask], fold: str) -> list[Stage]:
    """Return the stages of all seeds, (P, M, ...); what a seed has more than another is left out."""
    return [_stack([task.stage(number, fold) for task in tasks]) for number in range(tasks[0].stages)]


def responding(phenotype: Phenotype) -> Respond:
    """Return what its networks say to (P, B, inputs), each example to a newly started network."""

    def respond(flat: Tensor, inputs: Tensor) -> Tensor:
        network = phenotype.network(flat)
        return network.step(inputs, network.start(inputs.shape[1]))[0]

    return respond


@torch.no_grad()
def accuracy(respond: Respond, flat: Tensor, stage: Stage) -> Tensor:
    """Return (P,) accuracies on a stage (P, M, ...)."""
    parts = torch.split(stage.inputs, EXAMPLES_AT_A_TIME, 1)
    output = torch.cat([respond(flat, part) for part in parts], 1)
    return right(output, stage).mean(-1)


def task_matrix(respond: Respond, after: Sequence[Tensor], stages: Sequence[Stage]) -> Tensor:
    """Return R (P, T, T) of parameters after each stage; see `evogen.metrics.forgetting`."""
    rows = [torch.stack([accuracy(respond, flat, stage) for stage in stages], -1) for flat in after]
    return torch.stack(rows, 1)


def _stack(stages: Sequence[Stage]) -> Stage:
    count = min(len(one.labels) for one in stages)
    heads = torch.stack([one.heads for one in stages])
    return Stage(
        torch.stack([one.inputs[:count] for one in stages]),
        torch.stack([one.labels[:count] for one in stages]),
        heads[:, None],  # (P, 1, outputs)
    )
