"""Supervised inner loop: minibatch gradient descent on cross-entropy, all candidates in one program.

    L_p = -mean_b log softmax(f_p(x_b))[y_b];   x, y from the training fold only; Adam per candidate

The learning rate lr falls linearly to zero over a candidate's epochs. Weight decay d is decoupled from Adam's
step: everything but biases shrinks by 1 - lr d before it (Loshchilov & Hutter 2019, algorithm 2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning import Fit, Progress, complete, deadline
from evogen.learning.adam import Adam
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
        x, y = (part.to(phenotype.flat.device) for part in task.examples("train"))
        x = x.to(phenotype.flat.dtype)
        flat, values, curve, optimiser = progress.flat, progress.values, progress.curve, progress.state
        batches = max(1, len(x) // self.batch)
        total = self.epochs * batches
        decay = values["weight_decay"]  # (P,)
        shrinking = _shrinking(phenotype) if bool(decay.any()) else None
        for epoch in range(progress.done, until):
            deadline.check()
            order, noise = _draws(
                progress.keys, epoch, len(x), x.shape[1], needed=bool(values["noise"].any())
            )
            hits = torch.zeros(phenotype.rows, device=flat.device, dtype=torch.float64)
            for number in range(batches):
                index = order[:, number * self.batch : (number + 1) * self.batch]  # (P, B)
                inputs = x[index]  # (P, B, inputs)
                if noise is not None:
                    picked = noise[:, number * self.batch : (number + 1) * self.batch].to(inputs)
                    inputs = inputs + values["noise"][:, None, None] * picked
                loss, correct = _loss(phenotype, flat.requires_grad_(), inputs, y[index])
                (gradient,) = torch.autograd.grad(loss.sum(), flat)
                flat = flat.detach()
                rate = values["learning_rate"] * (1 - (epoch * batches + number) / total)
                if shrinking is not None:
                    flat = flat * (1 - (rate * decay)[:, None] * shrinking)
                optimiser.step(flat, gradient, rate, clip=self.clip)
                hits += correct
            curve = (*curve, hits / (batches * index.shape[1]))
        spent = progress.spent + (until - progress.done) * batches * min(self.batch, len(x))
        return replace(progress, done=until, flat=flat, spent=spent, curve=curve)


def _loss(phenotype: Phenotype, flat: Tensor, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    network = phenotype.network(flat)
    output, _ = network.step(inputs, network.start(inputs.shape[1]))
    chance = torch.log_softmax(output, -1).gather(-1, labels.unsqueeze(-1)).squeeze(-1)  # (P, B)
    return -chance.mean(-1), (output.argmax(-1) == labels).double().sum(-1)


def _shrinking(phenotype: Phenotype) -> Tensor:
    """Return (P, D) shares of the decay that parameters take: those of the learning rate, 0 for biases."""
    shares = phenotype.pace.share.clone()
    for slot in phenotype.slots:
        if slot.name.endswith(".b"):
            shares[:, slot.start : slot.start + slot.size] = 0.0
    return shares


def _draws(
    keys: Sequence[Key], epoch: int, size: int, inputs: int, *, needed: bool
) -> tuple[Tensor, Tensor | None]:
    generators = [key.child("epoch", epoch).generator() for key in keys]
    order = torch.from_numpy(np.stack([generator.permutation(size) for generator in generators]))
    if not needed:
        return order, None
    noise = np.stack(
        [generator.standard_normal((size, inputs), dtype=np.float32) for generator in generators]
    )
    return order, torch.from_numpy(noise)  # ~ N(0, 1)
