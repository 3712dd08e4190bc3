"""Gradient alignment: does a local rule push the weights where the gradient would?

    alignment = cos(dW, -dL/dW)      over all synapses before the output, L the cross-entropy

1: back-propagation; 0: no better than a random direction. Synapses onto the output, where most rules are
exact, are left out. Source: Lillicrap et al. 2016, figure 2 (angle), as the cosine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning.errors.backpropagation import Backpropagation
from evogen.learning.local import Local
from evogen.metrics import Subject
from evogen.phenotype import Phenotype
from evogen.registry import register, setting
from evogen.tasks import TaskKind

EXACT = Local(error=Backpropagation())


@register("metric", "alignment")
@dataclass(frozen=True)
class Alignment:
    """How well the local learner's update agrees with the gradient, at the end of learning."""

    examples: int = setting(200, low=1, high=100_000, doc="training examples that it is measured on")

    fits: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CLASSIFICATION})
    measures: ClassVar[Mapping[str, str]] = {
        "alignment": "cosine between the local learner's update and minus the gradient; 1 is back-propagation"
    }

    def measure(self, subject: Subject) -> Mapping[str, Tensor]:
        """Return the cosine; NaN with a learner that is not `local`."""
        phenotype, flat = subject.phenotype, subject.fit.flat
        if not isinstance(subject.learner, Local):
            return {"alignment": flat.new_full((phenotype.rows,), torch.nan)}
        x, y = (part[: self.examples].to(flat.device) for part in subject.task.examples("train"))
        x, y = x.to(flat.dtype).expand(phenotype.rows, *x.shape), y.expand(phenotype.rows, -1)
        return {"alignment": alignment(subject.learner, phenotype, flat, subject.taught, x, y)}


def alignment(
    learner: Local, phenotype: Phenotype, flat: Tensor, keys: Sequence[Key], inputs: Tensor, labels: Tensor
) -> Tensor:
    """Return the cosine (P,) between a learner's update and minus the gradient; NaN where either is zero.

    Args:
        learner: whose update.
        phenotype: P candidates.
        flat: (P, D), their parameters now.
        keys: what they learn with: fixed random feedback comes from them.
        inputs: (P, B, inputs).
        labels: (P, B).
    """
    network = phenotype.network(flat).detach()
    last = len(phenotype.layout.levels) - 1
    ours, exact = (
        torch.cat(
            [
                (update * mask).flatten(1)
                for update, mask, link in zip(
                    one.updates(network, inputs, labels, one.fixed(phenotype, keys))[0],
                    phenotype.masks,
                    phenotype.layout.links,
                    strict=False,
                )
                if link.post != last
            ],
            1,
        ).double()
        for one in (learner, EXACT)
    )
    lengths = torch.linalg.vector_norm(ours, dim=1) * torch.linalg.vector_norm(exact, dim=1)
    found: Tensor = (ours * exact).sum(1) / lengths  # 0 / 0 is NaN
    return found
