"""Permuted digits: handwritten digits whose pixels are in another order in every stage.

Each stage has all images and all ten outputs, x_s = x[pi_s], with a permutation pi_s of its own, drawn from
`stage_seed`. Told the stage by one-hot number or prototype, this is task-incremental learning as in the
source; without context, or with the nearest prototype, it is domain-incremental. See `evogen.tasks.stages`.

Source: Kirkpatrick et al. 2017 (https://arxiv.org/abs/1612.00796) for permuted MNIST; contexts as in Iyer et
al. 2022 (https://arxiv.org/abs/2201.00042); images and folds of `evogen.tasks.digits`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.registry import register, setting
from evogen.tasks import Fold, Stage, TaskKind
from evogen.tasks.digits import CLASSES, PIXELS, Digits
from evogen.tasks.stages import TOLD, Context, average, informed, scaled, width


@register("task", "permuted-digits")
@dataclass(frozen=True)
class PermutedDigits:
    """Say which digit an image shows, whose pixels another stage orders in another way."""

    stages: int = setting(10, low=2, high=100, doc="permutations, learnt one after another")
    context: Context = setting(  # noqa: RUF009 (a field)
        Context.ONE_HOT,
        doc="what is told of the stage: none, one-hot, prototype (mean image), nearest (prototype, inferred)",
    )
    stage_seed: int = setting(0, low=0, high=2**31 - 1, doc="seed of the permutations")
    split_seed: int = setting(0, low=0, high=2**31 - 1, doc="seed of the split into folds")
    validation: float = setting(0.2, low=0.1, high=0.3, doc="share of the images that selection scores on")
    test: float = setting(0.2, low=0.1, high=0.3, doc="share of the images that only the report scores on")

    kind = TaskKind.CONTINUAL
    outputs = CLASSES
    passes = None

    @property
    def reported(self) -> str:
        """The fold that the search never saw."""
        scenario = "task" if self.context in TOLD else "domain"
        return (
            f"the test fold of scikit-learn's digits in {self.stages} permutations after the last of them, "
            f"{scenario}-incremental (context: {self.context})"
        )

    @property
    def inputs(self) -> int:
        """Pixels and context."""
        return PIXELS + width(self.context, self.stages, PIXELS)

    def stage(self, number: int, fold: str) -> Stage:
        """Return the images of a fold in the stage's order of pixels; shared, do not write into them."""
        return _stage(self, number, fold)

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) mean accuracies over all stages; every image meets a newly started network."""
        assert len(keys) == agents.rows
        return average(self, agents, fold)


@lru_cache(maxsize=512)
def _stage(task: PermutedDigits, number: int, fold: str) -> Stage:
    source = Digits(split_seed=task.split_seed, validation=task.validation, test=task.test)

    def examples(number: int, fold: str) -> tuple[Tensor, Tensor]:
        features, labels = scaled(source, fold)
        order = Key(task.stage_seed).child("permutation", number).generator().permutation(PIXELS)
        return features[:, torch.from_numpy(order)], labels

    inputs = informed(examples, number, fold, context=task.context, stages=task.stages)
    return Stage(inputs, scaled(source, fold)[1], torch.ones(CLASSES, dtype=torch.bool))
