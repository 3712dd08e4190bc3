"""Streamed digits: every training image once, in one shuffled stream cut into stages.

The stages are of one distribution, so that nothing need be forgotten: what is measured is how much one pass
teaches. Every stage is asked about all held-out images, so its accuracies are points of one learning curve,
and backward transfer is what the rest of the stream adds.

Source: images and folds of `evogen.tasks.digits`; learning from a stream as in Ororbia 2019
(https://arxiv.org/abs/1908.08655), abstract.
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
from evogen.tasks.stages import average, scaled


@register("task", "streamed-digits")
@dataclass(frozen=True)
class StreamedDigits:
    """Say which digit an image shows, having seen every training image once."""

    stages: int = setting(10, low=2, high=100, doc="parts of the stream")
    stage_seed: int = setting(0, low=0, high=2**31 - 1, doc="seed of the order of the images")
    split_seed: int = setting(0, low=0, high=2**31 - 1, doc="seed of the split into folds")
    validation: float = setting(0.2, low=0.1, high=0.3, doc="share of the images that selection scores on")
    test: float = setting(0.2, low=0.1, high=0.3, doc="share of the images that only the report scores on")

    kind = TaskKind.CONTINUAL
    reported = "the test fold of scikit-learn's digits after one pass over the training images"
    inputs = PIXELS
    outputs = CLASSES
    passes = 1

    def stage(self, number: int, fold: str) -> Stage:
        """Return a part of the stream, or all images of another fold; shared, do not write into them."""
        return _stage(self, number, fold)

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) accuracies on the whole fold; every image meets a newly started network."""
        assert len(keys) == agents.rows
        return average(self, agents, fold)


@lru_cache(maxsize=512)
def _stage(task: StreamedDigits, number: int, fold: str) -> Stage:
    source = Digits(split_seed=task.split_seed, validation=task.validation, test=task.test)
    features, labels = scaled(source, fold)
    if fold == "train":
        order = torch.from_numpy(Key(task.stage_seed).child("stream").generator().permutation(len(labels)))
        own = order.tensor_split(task.stages)[number]
        features, labels = features[own], labels[own]
    return Stage(features, labels, torch.ones(CLASSES, dtype=torch.bool))
