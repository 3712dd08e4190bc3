"""Epochs: passes over a training fold in minibatches, all candidates at once, with Adam and a falling rate.

The learning rate falls linearly to zero over a candidate's epochs. Weight decay d is decoupled from Adam's
step: everything but biases shrinks by 1 - lr d before it (Loshchilov & Hutter 2019, algorithm 2). What a
minibatch asks of the parameters is the learner's own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning import Progress, deadline
from evogen.learning.adam import Adam
from evogen.phenotype import Phenotype
from evogen.tasks import ClassificationTask

Gradient = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
"""From parameters (P, D), inputs (P, B, I) and labels (P, B) to what to descend (P, D) and the hits (P,)."""


@dataclass(frozen=True)
class Passes:
    """How often and in what portions examples are seen.

    Attributes:
        epochs: passes over the training fold.
        batch: examples in a minibatch.
        clip: largest gradient norm of a candidate.
    """

    epochs: int
    batch: int
    clip: float


def descend(
    phenotype: Phenotype,
    task: ClassificationTask,
    progress: Progress[Adam],
    until: int,
    *,
    passes: Passes,
    gradient: Gradient,
) -> Progress[Adam]:
    """Return the progress after so many epochs since the beginning.

    Of `progress.values` it reads `learning_rate`, and `noise` and `weight_decay` where they are there, (P,)
    each. The curve is the accuracy on each epoch's own minibatches.
    """
    x, y = (part.to(phenotype.flat.device) for part in task.examples("train"))
    x = x.to(phenotype.flat.dtype)
    flat, values, curve, optimiser = progress.flat, progress.values, progress.curve, progress.state
    batches = max(1, len(x) // passes.batch)
    total = passes.epochs * batches
    zero = torch.zeros_like(values["learning_rate"])
    decay, blur = (values.get(name, zero) for name in ("weight_decay", "noise"))  # (P,)
    shrinking = _shrinking(phenotype) if bool(decay.any()) else None
    for epoch in range(progress.done, until):
        deadline.check()
        order, noise = _draws(progress.keys, epoch, len(x), x.shape[1], needed=bool(blur.any()))
        hits = torch.zeros(phenotype.rows, device=flat.device, dtype=torch.float64)
        for number in range(batches):
            index = order[:, number * passes.batch : (number + 1) * passes.batch]  # (P, B)
            inputs = x[index]  # (P, B, inputs)
            if noise is not None:
                picked = noise[:, number * passes.batch : (number + 1) * passes.batch].to(inputs)
                inputs = inputs + blur[:, None, None] * picked
            wanted, correct = gradient(flat, inputs, y[index])
            flat = flat.detach()
            rate = values["learning_rate"] * (1 - (epoch * batches + number) / total)
            if shrinking is not None:
                flat = flat * (1 - (rate * decay)[:, None] * shrinking)
            optimiser.step(flat, wanted, rate, clip=passes.clip)
            hits += correct
        curve = (*curve, hits / (batches * index.shape[1]))
    spent = progress.spent + (until - progress.done) * batches * min(passes.batch, len(x))
    return replace(progress, done=until, flat=flat, spent=spent, curve=curve)


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
