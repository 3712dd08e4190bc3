"""Tasks: what a network is trained on and scored by.

A task is a registered frozen dataclass. `score` measures agents (rows of a Network) on the search's own
episodes or folds, or, for the report, on episodes or folds that the search never sees. What a learner needs
of a task beyond that is one of the narrower protocols, named by the task's `kind`: `ControlTask` for
CONTROL and CONTINUOUS, `ClassificationTask` for CLASSIFICATION, `SequenceTask` for SEQUENCE, `ContinualTask`
for CONTINUAL.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network


class Fold(StrEnum):
    """Which episodes or examples a score is measured on; the two never overlap."""

    SEARCH = "search"
    REPORT = "report"


class TaskKind(StrEnum):
    """What a learner can do with a task."""

    CONTROL = "control"  # actions are the numbers 0, 1, ... of a choice
    CONTINUOUS = "continuous"  # actions are vectors of bounded real numbers
    CLASSIFICATION = "classification"
    SEQUENCE = "sequence"
    CONTINUAL = "continual"  # stages of labelled examples, learnt one after another
    LIFE = "life"


class Task(Protocol):
    """What evaluation needs of every task."""

    @property
    def kind(self) -> TaskKind:
        """What a learner can do with it."""
        ...

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


class Turn(NamedTuple):
    """What one step of P x B running episodes brought.

    Attributes:
        reward: (P, B) float32.
        terminated, truncated: (P, B) bool; where either holds, a new episode has begun.
        after: (P, B, inputs) float32, the observation that followed, before any reset.
    """

    reward: Tensor
    terminated: Tensor
    truncated: Tensor
    after: Tensor


class Episodes(Protocol):
    """P x B running episodes; where one ends, the next begins in the same step (or none, see `start`)."""

    @property
    def observation(self) -> Tensor:
        """(P, B, inputs) float32, of the episodes that run now."""
        ...

    def step(self, action: Tensor) -> Turn:
        """Advance every episode by one step.

        Args:
            action: (P, B) int64 for CONTROL, (P, B, A) floats for CONTINUOUS; a row that is not finite must
                leave the other rows as they are.
        """
        ...


class ControlTask(Task, Protocol):
    """Episodes that a learner can run, and how a network's output acts in them."""

    @property
    def horizon(self) -> int:
        """Steps after which an episode is truncated."""
        ...

    @property
    def normalised(self) -> bool:
        """Whether networks see observations standardised by the mean and spread that training saw."""
        ...

    @property
    def threshold(self) -> float | None:
        """The mean return from which the environment counts as solved, where it declares one."""
        ...

    def start(
        self, keys: Sequence[Key], copies: int, device: torch.device, *, again: bool = True
    ) -> Episodes:
        """Return B = copies running episodes a row.

        Args:
            keys: one a row, the source of every random number of that row.
            copies: B.
            device: where the tensors are.
            again: whether another episode follows one that ended; if not, its later turns mean nothing.
        """
        ...

    def act(self, output: Tensor) -> Tensor:
        """Return the environment's action for (P, B, outputs) raw network outputs.

        The largest output's index, (P, B) int64, for CONTROL; low + (high - low) (tanh(output) + 1) / 2,
        (P, B, outputs), for CONTINUOUS.
        """
        ...


@runtime_checkable
class Lasting(Protocol):
    """A control task that can be made longer."""

    def lasting(self, steps: int) -> ControlTask:
        """Return the same task with a horizon of so many steps; what happens before is as it was."""
        ...


class Step(NamedTuple):
    """One step of P x B environments of a `BatchedTask`.

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


@runtime_checkable
class BatchedTask(Protocol):
    """A batched torch environment, a pure function of (state, action); see `evogen.tasks.episodes`."""

    @property
    def draws(self) -> int:
        """Uniform numbers in [0, 1) that one reset consumes."""
        ...

    def reset(self, uniforms: Tensor) -> tuple[Tensor, Tensor]:
        """Return (state, observation) of new episodes from (P, B, draws) uniforms."""
        ...

    def step(self, state: Tensor, action: Tensor) -> Step:
        """Advance every environment by one step with such actions as `Episodes.step`; no automatic reset."""
        ...


class ClassificationTask(Task, Protocol):
    """Labelled examples: the learner sees the `train` fold, selection `validation`, the report `test`."""

    def examples(self, fold: str) -> tuple[Tensor, Tensor]:
        """Return (M, inputs) float32 features, scaled by statistics of `train`, and (M,) int64 labels."""
        ...

    def rate(self, output: Tensor, labels: Tensor) -> Tensor:
        """Return the (P,) scores of (P, M, outputs) outputs to examples with these (M,) labels."""
        ...


class Sequences(NamedTuple):
    """P x B sequences of T steps, and what a network should say in them.

    Attributes:
        inputs: (P, B, T, inputs) float32.
        targets: (P, B, T) int64 classes, or (P, B, T, outputs) float32 numbers.
        weight: (P, B, T) float32 >= 0, how much each step counts; 0 where nothing is asked. A row has some.
    """

    inputs: Tensor
    targets: Tensor
    weight: Tensor


class SequenceTask(Task, Protocol):
    """Sequences with targets: the learner sees the `train` fold, selection `validation`, the report `test`.

    A network starts anew with every sequence and lives through it step by step.
    """

    def sequences(self, keys: Sequence[Key], copies: int, fold: str) -> Sequences:
        """Draw B = copies sequences a row from a fold; another call with the same keys draws the same ones.

        Args:
            keys: one a row, all that the row depends on.
            copies: B.
            fold: `train`, `validation` or `test`.
        """
        ...

    def loss(self, output: Tensor, asked: Sequences) -> Tensor:
        """Return (P,), what learning makes small, of (P, B, T, outputs) outputs; differentiable."""
        ...

    def rate(self, output: Tensor, asked: Sequences) -> Tensor:
        """Return (P,) float64 scores of (P, B, T, outputs) outputs.

        NaN where an output that counts is not finite.
        """
        ...


class Stage(NamedTuple):
    """The labelled examples of one stage of a `ContinualTask`, of one fold.

    Attributes:
        inputs: (M, inputs) float32, what the network is told of the stage included; (P, M, inputs) if rows of
            P have examples of their own.
        labels: (M,) int64 output neurons, or (P, M).
        heads: (outputs,) bool, the outputs that may answer in this stage; all, unless it is known which
            stage an example is of. At least two. (P, 1, outputs) if rows of P have stages of their own.
    """

    inputs: Tensor
    labels: Tensor
    heads: Tensor


class ContinualTask(Task, Protocol):
    """Stages, one after another: the learner sees the `train` fold of the stage that it is in.

    Selection scores on `validation` and the report on `test`, each on all stages after the last one. What of
    a stage is known to a network, also when it is scored, is in its inputs and heads; nothing else is.
    """

    @property
    def stages(self) -> int:
        """How many follow each other, at least two."""
        ...

    @property
    def passes(self) -> int | None:
        """How often a learner may see each example of a stage; None: as often as it likes."""
        ...

    def stage(self, number: int, fold: str) -> Stage:
        """Return the examples of stage `number` (from 0); shared, do not write into them."""
        ...
