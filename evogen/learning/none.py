"""No inner loop: a candidate is scored as its genome made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning import Fit
from evogen.phenotype import Phenotype
from evogen.registry import register
from evogen.tasks import TaskKind


@register("learner", "none")
@dataclass(frozen=True)
class NoLearner:
    """Nothing is tuned."""

    fits: ClassVar[frozenset[TaskKind]] = frozenset(TaskKind)

    def fit(
        self,
        phenotype: Phenotype,
        task: Any,  # noqa: ARG002
        keys: Sequence[Key],  # noqa: ARG002
        values: Mapping[str, Tensor],  # noqa: ARG002
    ) -> Fit:
        """Return the phenotype's own parameters, an empty curve and zero steps."""
        flat = phenotype.flat
        return Fit(flat, flat[:, :0], torch.zeros(phenotype.rows, dtype=torch.int64, device=flat.device))
