"""Learners: the differentiable inner loop, one batched program for all candidates of a phenotype.

A learner is a registered frozen dataclass. Its evolvable fields may differ between candidates and arrive as
(P,) tensors; no operation mixes rows of P, so a candidate learns in company what it would learn alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Phenotype
from evogen.tasks import TaskKind


@dataclass(frozen=True, eq=False)
class Fit:
    """What a cohort learnt.

    Attributes:
        flat: (P, D) tuned parameters.
        curve: (P, K) the learner's own measure on what it trained on (return or accuracy), from start to end.
        steps: (P,) environment steps or samples spent.
    """

    flat: Tensor
    curve: Tensor
    steps: Tensor


@runtime_checkable
class Checked(Protocol):
    """A learner that needs more of a task than its kind."""

    def check(self, task: Any) -> None:
        """Raise a SpecError if it cannot learn this task."""
        ...


class Learner(Protocol):
    """One inner loop."""

    @property
    def fits(self) -> frozenset[TaskKind]:
        """The kinds of task that it can learn."""
        ...

    def fit(self, phenotype: Phenotype, task: Any, keys: Sequence[Key], values: Mapping[str, Tensor]) -> Fit:
        """Tune every candidate's parameters on the task.

        Args:
            phenotype: P candidates; `phenotype.flat` is where they start.
            task: of a kind in `fits`.
            keys: one a candidate; all of its randomness.
            values: the evolvable fields of this learner by name, (P,) each.
        """
        ...
