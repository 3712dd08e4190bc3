"""Backpropagation through time: gradient descent through whole sequences, all candidates in one program.

    L_p = the task's loss along B sequences of the training fold;   flat_p <- Adam(flat_p, dL_p / dflat_p)

The gradient goes through every step of a sequence, through memory and fast weights too, so that whatever is
a parameter of the phenotype is learnt: weights, biases, tuned coefficients of plasticity, numbers of neurons.
Each update sees sequences drawn anew. The learning rate falls linearly to zero over all updates.

Trained through the noise of birth, each update looks at four other agents (two, or one, if its sequences
cannot be shared by four), which share its sequences.

Source: Werbos 1990, "Backpropagation through time: what it does and how to do it"; Adam as in
`evogen.learning.adam`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning import Fit, Progress, complete, deadline
from evogen.learning.adam import Adam
from evogen.phenotype import Phenotype
from evogen.registry import evolvable, register, setting
from evogen.tasks import Sequences, SequenceTask, TaskKind
from evogen.tasks.sequences import lived, moved

POINTS = 40  # of the curve
AGENTS = 4  # that share a batch, if training goes through the noise


class _State(NamedTuple):
    """The optimiser, and the sum (P,) of the scores of the updates since the last point of the curve."""

    optimiser: Adam
    total: Tensor


@register("learner", "bptt")
@dataclass(frozen=True)
class BPTT:
    """Gradient descent through whole sequences."""

    learning_rate: float = evolvable(0.01, low=1e-6, high=1.0, doc="Adam's step at the start")
    updates: int = setting(500, low=1, high=10_000_000, doc="gradient steps")
    batch: int = setting(32, low=1, high=65_536, doc="sequences of a gradient step")
    clip: float = setting(1.0, low=1e-6, high=1e6, doc="largest gradient norm of a candidate")

    fits: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.SEQUENCE})

    def fit(
        self, phenotype: Phenotype, task: SequenceTask, keys: Sequence[Key], values: Mapping[str, Tensor]
    ) -> Fit:
        """Tune on the training fold; the curve is the mean score on the updates' own sequences."""
        return complete(self, phenotype, task, keys, values)

    def length(self) -> int:
        """Return the number of updates."""
        return self.updates

    def begin(
        self,
        phenotype: Phenotype,
        task: SequenceTask,  # noqa: ARG002
        keys: Sequence[Key],
        values: Mapping[str, Tensor],
    ) -> Progress[_State]:
        """Return the innate parameters, with an optimiser that has not moved."""
        nothing = torch.zeros(phenotype.rows, dtype=torch.float64, device=phenotype.flat.device)
        state = _State(Adam(phenotype.flat, phenotype.pace), nothing)
        return Progress.start(phenotype, keys, values, state)

    def advance(
        self, phenotype: Phenotype, task: SequenceTask, progress: Progress[_State], until: int
    ) -> Progress[_State]:
        """Learn until so many updates are over."""
        flat, curve, (optimiser, total) = progress.flat, progress.curve, progress.state
        points, start = min(POINTS, self.updates), progress.done
        for number in range(start, until):
            deadline.check()
            own = [key.child("update", number) for key in progress.keys]
            asked = moved(task.sequences(own, self.batch, "train"), flat.device)
            output = self._lived(phenotype, flat.requires_grad_(), asked, own)
            (gradient,) = torch.autograd.grad(task.loss(output, asked).sum(), flat)
            flat = flat.detach()
            rate = progress.values["learning_rate"] * (1 - number / self.updates)
            optimiser.step(flat, gradient, rate, clip=self.clip)
            total = total + task.rate(output.detach(), asked)
            if (number + 1) * points // self.updates > number * points // self.updates:
                first = -(-(len(curve) * self.updates) // points)  # updates up to the last point
                curve = (*curve, total / (number + 1 - first))
                total = torch.zeros_like(total)
        spent = progress.spent + (until - start) * self.batch
        return replace(
            progress, done=until, flat=flat, spent=spent, curve=curve, state=_State(optimiser, total)
        )

    def _lived(self, phenotype: Phenotype, flat: Tensor, asked: Sequences, keys: Sequence[Key]) -> Tensor:
        """Return the outputs (P, B, T, outputs), of the average networks or shared by agents."""
        copies = math.gcd(AGENTS, self.batch)
        noise = phenotype.noise([key.child("noise") for key in keys], copies)
        if noise is None:
            return lived(phenotype.network(flat), asked.inputs)
        inputs = torch.unflatten(asked.inputs, 1, (copies, -1)).flatten(0, 1)  # (P copies, B / copies, ...)
        output = lived(phenotype.network(flat, noise), inputs)
        return torch.unflatten(output, 0, (-1, copies)).flatten(1, 2)
