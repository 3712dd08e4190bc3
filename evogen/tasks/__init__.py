"""Tasks: what a network is trained on and scored by.

A task is a registered frozen dataclass. `score` measures agents (rows of a Network) on the search's own
episodes or folds, or, for the report, on episodes or folds that the search never sees. What a learner needs
of a task beyond that is one of the two narrower protocols, named by the task's `kind`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network


class Fold(StrEnum):
    """Which episodes or examples a score is measured on; the two never overlap."""

    SEARCH = "search"
    REPORT = "report"


class TaskKind(StrEnum):
    """What a learner can do with a task."""

    CONTROL = "control"
    CLASSIFICATION = "classification"
    LIFE = "life"


class Task(Protocol):
    """What evaluation needs of every task."""

    kind: TaskKind

    @property
    def reported(self) -> str:
        """What a score on the REPORT fold is measured on, in words."""
        ...

    @property
    def inputs(self) -> int:
        """Number of input neurons."""
        ...

    @property
    def outputs(self) -> int:
        """Number of output neurons."""
        ...

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) scores, higher is better: the mean over each agent's episodes or examples.

        Args:
            agents: one agent a row.
            keys: one a row; an agent's episodes depend on its key only.
            fold: which episodes or examples.
        """
        ...


class Step(NamedTuple):
    """One step of P x B environments.

    Attributes:
        state: (P, B, S) float64 physical state (and whatever else the environment remembers).
        observation: (P, B, inputs) in float32.
        reward: (P, B).
        terminated, truncated: (P, B) bool.
    """

    state: Tensor
    observation: Tensor
    reward: Tensor
    terminated: Tensor
    truncated: Tensor


class ControlTask(Task, Protocol):
    """A batched torch environment; a pure function of (state, action)."""

    horizon: int

    @property
    def draws(self) -> int:
        """Uniform numbers in [0, 1) that one reset consumes."""
        ...

    def reset(self, uniforms: Tensor) -> tuple[Tensor, Tensor]:
        """Return (state, observation) of new episodes from (P, B, draws) uniforms."""
        ...

    def step(self, state: Tensor, action: Tensor) -> Step:
        """Advance every environment by one step with (P, B) int64 actions; no automatic reset."""
        ...


class ClassificationTask(Task, Protocol):
    """Labelled examples: the learner sees the `train` fold, selection `validation`, the report `test`."""

    def examples(self, fold: str) -> tuple[Tensor, Tensor]:
        """Return (M, inputs) float32 features, scaled by statistics of `train`, and (M,) int64 labels."""
        ...
