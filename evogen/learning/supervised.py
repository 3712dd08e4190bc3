"""Supervised inner loop: minibatch gradient descent on cross-entropy, all candidates in one program.

    L_p = -mean_b log softmax(f_p(x_b))[y_b];   x, y from the training fold only; Adam per candidate

The falling rate and the decay of weights are those of `evogen.learning.epochs`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning import Fit, Progress, complete
from evogen.learning.adam import Adam
from evogen.learning.epochs import Passes, descend
from evogen.phenotype import Phenotype
from evogen.registry import evolvable, register, setting
from evogen.tasks import ClassificationTask, TaskKind


@register("learner", "supervised")
@dataclass(frozen=True)
class Supervised:
    """Cross-entropy on the training fold."""

    learning_rate: float = evolvable(0.01, low=1e-6, high=1.0, doc="Adam's step at the start")
    noise: float = evolvable(0.0, low=0.0, high=2.0, doc="std of Gaussian noise on the scaled inputs")
    weight_decay: float = evolvable(
        0.0, low=0.0, high=10.0, doc="share of the learning rate by which weights shrink at every step"
    )
    epochs: int = setting(20, low=1, high=10_000, doc="passes over the training fold")
    batch: int = setting(64, low=1, high=65_536, doc="examples in a minibatch")
    clip: float = setting(1.0, low=1e-6, high=1e6, doc="largest gradient norm of a candidate")

    fits: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CLASSIFICATION})

    def fit(
        self,
        phenotype: Phenotype,
        task: ClassificationTask,
        keys: Sequence[Key],
        values: Mapping[str, Tensor],
    ) -> Fit:
        """Tune on the training fold; the curve is the accuracy on each epoch's own minibatches."""
        return complete(self, phenotype, task, keys, values)

    def length(self) -> int:
        """Return the number of epochs."""
        return self.epochs

    def begin(
        self,
        phenotype: Phenotype,
        task: ClassificationTask,  # noqa: ARG002
        keys: Sequence[Key],
        values: Mapping[str, Tensor],
    ) -> Progress[Adam]:
        """Return the innate parameters, with an optimiser that has not moved."""
        return Progress.start(phenotype, keys, values, Adam(phenotype.flat, phenotype.pace))

    def advance(
        self, phenotype: Phenotype, task: ClassificationTask, progress: Progress[Adam], until: int
    ) -> Progress[Adam]:
        """Learn until so many epochs are over."""

        def gradient(flat: Tensor, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
            loss, correct = _loss(phenotype, flat.requires_grad_(), inputs, labels)
            return torch.autograd.grad(loss.sum(), flat)[0], correct

        passes = Passes(self.epochs, self.batch, self.clip)
        return descend(phenotype, task, progress, until, passes=passes, gradient=gradient)


def _loss(phenotype: Phenotype, flat: Tensor, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    network = phenotype.network(flat)
    output, _ = network.step(inputs, network.start(inputs.shape[1]))
    chance = torch.log_softmax(output, -1).gather(-1, labels.unsqueeze(-1)).squeeze(-1)  # (P, B)
    return -chance.mean(-1), (output.argmax(-1) == labels).double().sum(-1)
