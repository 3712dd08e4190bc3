"""Handwritten digits: 1,797 images of 8 x 8 pixels in ten classes, in three stratified folds.

Learning sees `train`, selection `validation`, and only the report `test`. Pixels are standardised by the
training fold's mean and standard deviation.

Source: scikit-learn's `load_digits`, the test part of the UCI "Optical Recognition of Handwritten Digits"
(Alpaydin, Kaynak 1998, https://doi.org/10.24432/C50P49); it comes with the package, nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.registry import register, setting
from evogen.tasks import Fold, TaskKind
from evogen.tasks.play import answers, hits

SCORED_ON: Mapping[Fold, str] = {Fold.SEARCH: "validation", Fold.REPORT: "test"}
PIXELS = 64
CLASSES = 10


@register("task", "digits")
@dataclass(frozen=True)
class Digits:
    """Say which digit an image shows."""

    split_seed: int = setting(0, low=0, high=2**31 - 1, doc="seed of the split into folds")
    validation: float = setting(0.2, low=0.1, high=0.3, doc="share of the images that selection scores on")
    test: float = setting(0.2, low=0.1, high=0.3, doc="share of the images that only the report scores on")

    kind = TaskKind.CLASSIFICATION
    reported = "the test fold of scikit-learn's digits"
    inputs = PIXELS
    outputs = CLASSES

    def examples(self, fold: str) -> tuple[Tensor, Tensor]:
        """Return (M, 64) float32 features and (M,) int64 labels of a fold, shared: do not write into them."""
        return _folds(self)[fold]

    @torch.no_grad()
    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) accuracies of each agent's first answer; every image meets a newly started network."""
        assert len(keys) == agents.rows
        features, labels = self.examples(SCORED_ON[fold])
        return self.rate(answers(agents, features), labels.to(agents.device))

    def rate(self, output: Tensor, labels: Tensor) -> Tensor:
        """Return (P,) accuracies of (P, M, 10) outputs."""
        return hits(output, labels).mean(-1)


@cache
def _folds(task: Digits) -> Mapping[str, tuple[Tensor, Tensor]]:
    from sklearn.preprocessing import StandardScaler

    pixels, labels, members = _split(task)
    scaler = StandardScaler().fit(pixels[members["train"]])
    return {
        name: (
            torch.from_numpy(scaler.transform(pixels[rows]).astype(np.float32)),
            torch.from_numpy(labels[rows].astype(np.int64)),
        )
        for name, rows in members.items()
    }


@cache
def pixels(task: Digits, fold: str) -> tuple[Tensor, Tensor]:
    """Return the (M, 64) float32 pixels of a fold, 0 to 16, and (M,) labels; both shared, to be read only."""
    images, labels, members = _split(task)
    rows = members[fold]
    return torch.from_numpy(images[rows].astype(np.float32)), torch.from_numpy(labels[rows].astype(np.int64))


def raw(task: Digits, fold: str) -> tuple[list[list[float]], list[int], list[float], list[float]]:
    """Return the pixels and labels of a fold, unscaled, and the mean and scale of each pixel in training."""
    from sklearn.preprocessing import StandardScaler

    pixels, labels, members = _split(task)
    scaler = StandardScaler().fit(pixels[members["train"]])
    rows = members[fold]
    return pixels[rows].tolist(), labels[rows].tolist(), scaler.mean_.tolist(), scaler.scale_.tolist()


def _split(task: Digits) -> tuple[Any, Any, Mapping[str, Any]]:
    # Imported here because the registry imports every task, and scikit-learn takes a second.
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    key = Key(task.split_seed).child("digits")
    rest, members = np.arange(len(labels)), {}
    for name, share in (("test", task.test), ("validation", task.validation)):
        rest, members[name] = train_test_split(
            rest,
            test_size=round(share * len(labels)),
            stratify=labels[rest],
            random_state=key.child(name).integer() % 2**32,
        )
    members["train"] = rest
    return pixels, labels, members
