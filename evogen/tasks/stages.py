"""Stages of labelled examples, one after another: what the continual tasks share.

Scenarios (van de Ven, Tuytelaars, Tolias 2022, "Three types of incremental learning", Nature Machine
Intelligence 4, https://doi.org/10.1038/s42256-022-00568-3):

    task      which stage an example is of is known, also when the network is asked: only that stage's outputs
              may answer
    domain    it is not known, and every stage uses the same outputs
    class     it is not known, and each stage brings outputs of its own: all may answer

What a network is told of a stage comes as further inputs (the context): nothing, a one-hot number (times the
root of the number of stages, so that the context is as loud as the pixels: mean square 1), or the stage's
prototype, the mean of its training examples. Where the stage is not known at asking, the context can
still be inferred: `nearest` takes the prototype nearest to the example (Iyer et al. 2022, section 3.2), of
all stages, also of those that are still to come.

Pixels p of digits, 0 to 16, are scaled as (p - 5) / 6, near their mean of 4.9 and deviation of 6.0: by
constants, so that no stage is seen through the statistics of another.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import torch
from torch import Tensor

from evogen.errors import SpecError
from evogen.phenotype import Network
from evogen.tasks import ContinualTask, Fold, Stage
from evogen.tasks.digits import SCORED_ON, Digits, pixels
from evogen.tasks.play import answers, greedy


class Scenario(StrEnum):
    """What is known of the stage when a network is asked; see the module."""

    TASK = "task"
    DOMAIN = "domain"
    CLASS = "class"


class Context(StrEnum):
    """What a network hears of the stage, beside the example; see the module."""

    NONE = "none"
    ONE_HOT = "one-hot"
    PROTOTYPE = "prototype"
    NEAREST = "nearest"


TOLD = frozenset({Context.ONE_HOT, Context.PROTOTYPE})
"""Contexts from which the network knows which stage it is asked about."""

CENTRE, SPREAD = 5.0, 6.0
Examples = Callable[[int, str], tuple[Tensor, Tensor]]
"""(number of a stage, fold) -> (M, features) and (M,) labels, without context."""


def scaled(source: Digits, fold: str) -> tuple[Tensor, Tensor]:
    """Return the (M, 64) scaled pixels of a fold of digits, and (M,) labels."""
    features, labels = pixels(source, fold)
    return (features - CENTRE) / SPREAD, labels


def width(context: Context, stages: int, features: int) -> int:
    """Return how many inputs the context takes."""
    return {Context.NONE: 0, Context.ONE_HOT: stages}.get(context, features)


def informed(examples: Examples, number: int, fold: str, *, context: Context, stages: int) -> Tensor:
    """Return (M, features + width) inputs of a stage: its examples, and what is told of it.

    Args:
        examples: of the task.
        number: of the stage.
        fold: `train`, `validation` or `test`; a learner knows which stage it learns, so that the nearest
            prototype is looked for in the other two only.
        context: what is told.
        stages: of the task.
    """
    features, _ = examples(number, fold)
    if context is Context.NONE:
        return features
    if context is Context.ONE_HOT:
        loud = stages**0.5 * torch.eye(stages)[number]
        return torch.cat([features, loud.expand(len(features), -1)], 1)
    known = prototypes(examples, stages)
    nearest = torch.full((len(features),), number)
    if context is Context.NEAREST and fold != "train":
        nearest = torch.cdist(features.double(), known.double()).argmin(1)
    return torch.cat([features, known[nearest]], 1)


def prototypes(examples: Examples, stages: int) -> Tensor:
    """Return (stages, features), the mean training example of each."""
    return torch.stack([examples(number, "train")[0].double().mean(0) for number in range(stages)]).float()


def refuse(scenario: Scenario, context: Context) -> None:
    """Raise a SpecError where the context tells what the scenario keeps from the network."""
    if scenario is not Scenario.TASK and context in TOLD:
        raise SpecError(
            f"context: '{context}' tells the network which stage it is asked about, which scenario "
            f"'{scenario}' leaves open: write context none or nearest, or scenario task"
        )


def right(output: Tensor, stage: Stage) -> Tensor:
    """Return (P, M) float64: 1 where the largest output that may answer is the label's, NaN if not finite."""
    allowed = output.masked_fill(~stage.heads.to(output.device), -torch.inf)
    found = (greedy(allowed) == stage.labels.to(output.device)).double()
    return found.masked_fill(~output.isfinite().all(-1), torch.nan)


@torch.no_grad()
def accuracies(task: ContinualTask, agents: Network, fold: str) -> Tensor:
    """Return (P, stages) accuracies of agents, each example shown for one step to a newly started network."""
    asked = [task.stage(number, fold) for number in range(task.stages)]
    return torch.stack([right(answers(agents, one.inputs), one).mean(-1) for one in asked], -1)


def average(task: ContinualTask, agents: Network, fold: Fold) -> Tensor:
    """Return (P,) mean accuracies over all stages on the fold that a score is measured on."""
    found = accuracies(task, agents, SCORED_ON[fold])
    return torch.stack([row.mean() for row in found])  # one by one: a sum of fractions depends on its order
