"""Plasticity: local rules that add a fast part to the born weights W during one life.

A rule is a registered frozen dataclass: its settings choose what it computes, its evolvable fields are its
coefficients. It says what it remembers and where, always a `fast` part of every synapse, and sees the two
ends of its synapses, their weights, and what is said to it (a modulator, an error); nothing else. What it
remembers is zero at the start of a life. Every life in the batch has its own: axes (P, B, pre, post), with
one entry on `pre` or `post` for what belongs to neurons.

A rule that lets a learner tune its coefficients, that has a learned modulator, or that follows errors, also
has what `Tunable`, `Modulated` or `Taught` names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Literal, Protocol, runtime_checkable

from torch import Tensor

FAST = "fast"
"""Name of the memory that every rule has: the part that is added to the born weights."""

State = Mapping[str, Tensor]
"""What a rule remembers of one link, by name, of the extents that it declares."""

Values = Mapping[str, Tensor]
"""Coefficients by field name, each broadcastable to (P, B, pre, post)."""


class Extent(StrEnum):
    """What one number of a memory belongs to, and so its shape."""

    SYNAPSE = "synapse"  # (P, B, pre, post)
    PRE = "pre"  # (P, B, pre, 1)
    POST = "post"  # (P, B, 1, post)


class Granularity(StrEnum):
    """Who has a tuned coefficient of its own; each neuron is the postsynaptic one."""

    GLOBAL = "global"
    LAYER = "layer"
    NEURON = "neuron"
    SYNAPSE = "synapse"


@dataclass(frozen=True, eq=False)
class Seen:
    """What a rule sees of one link in one step.

    Attributes:
        pre: presynaptic activity, (P, B, pre, 1).
        post: postsynaptic activity, (P, B, 1, post).
        born: born weights W of the synapses that follow the rule, (P, 1, pre, post), 0 elsewhere.
        weigh: makes the effective weight; ask for `weight`.
        modulator: (P, B, 1, 1); None: not modulated, as 1.
        error: of the postsynaptic neurons, (P, B, 1, post); None: nobody says one.
        spent: whether nobody needs the old state any more, so that it may be written over.
    """

    pre: Tensor
    post: Tensor
    born: Tensor
    weigh: Callable[[], Tensor]
    modulator: Tensor | None = None
    error: Tensor | None = None
    spent: bool = False

    @cached_property
    def weight(self) -> Tensor:
        """Effective weight at the start of the step, (P, B, pre, post); costs nothing unless asked for."""
        return self.weigh()


class Rule(Protocol):
    """A local plasticity rule."""

    @property
    def memory(self) -> Mapping[str, Extent]:
        """What is remembered, `FAST` among it, by name."""
        ...

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Names of the evolvable fields that `step` and `added` use with these settings."""
        ...

    def step(self, state: State, seen: Seen, values: Values) -> State:
        """Return what is remembered after one step; the old state is left as it is unless `seen.spent`."""
        ...

    def added(self, state: State, born: Tensor, values: Values) -> Tensor:
        """Return what is added to the born weights (P, 1, pre, post) of those who follow this rule."""
        ...


@runtime_checkable
class Tunable(Protocol):
    """A rule with coefficients that are parameters of the phenotype."""

    @property
    def tuned(self) -> Mapping[str, float]:
        """Coefficients that learners reach, and the standard deviation with which they are drawn."""
        ...

    @property
    def granularity(self) -> str:
        """Who has one of its own: the value of a `Granularity`."""
        ...


@runtime_checkable
class Taught(Protocol):
    """A rule that may follow errors."""

    @property
    def taught(self) -> bool:
        """Whether it does: without a teacher such a rule learns nothing."""
        ...


@runtime_checkable
class Modulated(Protocol):
    """A rule that may follow a modulator."""

    @property
    def modulator(self) -> Literal["none", "layer", "global", "input"]:
        """What is said as `Seen.modulator`.

        `layer` and `global` are learned, m = tanh(w . a) with w a parameter, over what the postsynaptic level
        says, or over the input and all hidden levels; `input` is what the last input neuron says, as it is.
        """
        ...
