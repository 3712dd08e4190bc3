"""Learners: the differentiable inner loop, one batched program for all candidates of a phenotype.

A learner is a registered frozen dataclass. Its evolvable fields may differ between candidates and arrive as
(P,) tensors; no operation mixes rows of P, so a candidate learns in company what it would learn alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Phenotype
from evogen.phenotype.rows import rowwise
from evogen.tasks import TaskKind

_S = TypeVar("_S")


@dataclass(frozen=True, eq=False)
class Fit:
    """What a cohort learnt.

    Attributes:
        flat: (P, D) tuned parameters.
        curve: (P, K) the learner's own measure on what it trained on (return or accuracy), from start to end.
        steps: (P,) environment steps or samples spent.
        after: (P, D) parameters after each stage, of a learner that learns in stages; else nothing.
    """

    flat: Tensor
    curve: Tensor
    steps: Tensor
    after: tuple[Tensor, ...] = ()


@runtime_checkable
class Checked(Protocol):
    """A learner that needs more of a task than its kind."""

    def check(self, task: Any) -> None:
        """Raise a SpecError if it cannot learn this task."""
        ...


@runtime_checkable
class Forgetful(Protocol):
    """A learner that cannot train networks with memory: stateful neurons, or synapses that change in life."""

    @property
    def forgetful(self) -> str:
        """What to choose instead, in words."""
        ...


@runtime_checkable
class Gradientless(Protocol):
    """A learner that follows no gradient, so that no gene can choose how its own is followed."""

    @property
    def gradientless(self) -> str:
        """What to choose instead, in words."""
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


@runtime_checkable
class Resumable(Protocol):
    """A learner that can be stopped on its way, and taken up again in other company.

    What it gives back (a Progress, or its like) has what was learnt so far in its `fit`, and
    `evogen.phenotype.rows.gather` takes it apart by candidate. Schedules are those of the full length.
    """

    def length(self) -> int:
        """Return how many units a full inner loop has: iterations, epochs, or steps."""
        ...

    def begin(
        self, phenotype: Phenotype, task: Any, keys: Sequence[Key], values: Mapping[str, Tensor]
    ) -> Any:
        """Return the progress of candidates that have learnt nothing yet; see `Learner.fit`."""
        ...

    def advance(self, phenotype: Phenotype, task: Any, progress: Any, until: int) -> Any:
        """Return the progress after `until` units since the beginning; the one given is used up.

        Args:
            phenotype: of the candidates in the rows of `progress`, in their order.
            task: as in the beginning.
            progress: how far they are.
            until: more units than they made, at most `length()`.
        """
        ...


@rowwise()
@dataclass(frozen=True, eq=False)
class Progress(Generic[_S]):
    """How far the inner loop of P candidates is.

    Attributes:
        done: units.
        keys: one a candidate.
        values: the learner's evolvable fields, (P,) each.
        flat: (P, D) parameters.
        spent: (P,) int64, environment steps or samples.
        curve: (P,) each, the points of the curve so far.
        state: what else the learner keeps.
    """

    done: int
    keys: list[Key]
    values: Mapping[str, Tensor]
    flat: Tensor
    spent: Tensor
    curve: tuple[Tensor, ...]
    state: _S

    @classmethod
    def start(
        cls, phenotype: Phenotype, keys: Sequence[Key], values: Mapping[str, Tensor], state: _S
    ) -> Progress[_S]:
        """Return the progress of candidates that have learnt nothing yet."""
        nothing = torch.zeros(phenotype.rows, dtype=torch.int64)
        return cls(0, list(keys), dict(values), phenotype.flat.clone(), nothing, (), state)

    @property
    def fit(self) -> Fit:
        """What was learnt so far."""
        return Fit(self.flat, torch.stack(self.curve, 1), self.spent)


def complete(
    learner: Resumable, phenotype: Phenotype, task: Any, keys: Sequence[Key], values: Mapping[str, Tensor]
) -> Fit:
    """Return what a resumable learner's whole inner loop comes to."""
    progress = learner.begin(phenotype, task, keys, values)
    found: Fit = learner.advance(phenotype, task, progress, learner.length()).fit
    return found
