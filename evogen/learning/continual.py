"""Continual inner loop: one stage of a continual task after another, with a protection against forgetting.

See `evogen.learning.stages` for the equations. The learner sees the training fold of the stage that it is in
and what its protection kept; the parameters after every stage are in `Fit.after`, from which
`evogen.metrics.forgetting` makes the task matrix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning import Fit
from evogen.learning.protections.none import Unprotected
from evogen.learning.stages import Pass, Protection, learn
from evogen.phenotype import Phenotype
from evogen.registry import evolvable, part, register, setting
from evogen.tasks import ContinualTask, Stage, TaskKind


@register("learner", "continual")
@dataclass(frozen=True)
class Continual:
    """Cross-entropy on one stage after another."""

    learning_rate: float = evolvable(0.003, low=1e-6, high=1.0, doc="Adam's step")
    strength: float = evolvable(1.0, low=0.0, high=1e6, doc="weight of the protection's penalty")
    protection: Protection = part("protection", Unprotected(), doc="of earlier stages: a name, or a section")  # noqa: RUF009
    epochs: int = setting(10, low=1, high=10_000, doc="passes over a stage, if the task allows as many")
    batch: int = setting(32, low=1, high=65_536, doc="examples in a minibatch")
    clip: float = setting(1.0, low=1e-6, high=1e6, doc="largest gradient norm of a candidate")

    fits: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CONTINUAL})

    def fit(
        self, phenotype: Phenotype, task: ContinualTask, keys: Sequence[Key], values: Mapping[str, Tensor]
    ) -> Fit:
        """Tune on each stage's training fold; the curve is the accuracy on each pass's own minibatches."""
        device, dtype = phenotype.flat.device, phenotype.flat.dtype
        stages = [
            Stage(one.inputs.to(device, dtype), one.labels.to(device), one.heads.to(device))
            for one in (task.stage(number, "train") for number in range(task.stages))
        ]

        def respond(flat: Tensor, inputs: Tensor) -> Tensor:
            network = phenotype.network(flat)
            return network.step(inputs, network.start(inputs.shape[1]))[0]

        found = learn(
            respond,
            phenotype.flat,
            stages,
            keys,
            Pass(min(self.epochs, task.passes or self.epochs), self.batch, self.clip),
            protection=self.protection,
            strength=values["strength"],
            rate=values["learning_rate"],
            pace=phenotype.pace,
        )
        spent = torch.full((phenotype.rows,), found.seen, dtype=torch.int64)
        return Fit(found.after[-1], found.curve, spent, found.after)
