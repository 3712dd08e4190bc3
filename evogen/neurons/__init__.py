"""Neurons: from what reaches a neuron to the argument of its activation function, or to its spikes.

A neuron kind is a registered frozen dataclass whose fields are its per-neuron numbers, and whose `nature`
says what else it is: what it remembers from one step to the next, which numbers of its own the inner loop
trains like weights, and whether it has an activation function. All tensors carry the leading axes (P, B) and
end with N.

A kind with ticks (`spiking`) lives TICKS ticks within each step and starts each step at rest, so it remembers
nothing: its spikes are (P, T, B, N) with T = TICKS, and towards anything without ticks their mean over the
ticks, the firing rate. A kind that fires once a step at most (`lif-step`) is no such kind: its membrane lives
on, and the spike is what it says in that step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from torch import Tensor

TICKS = 16
"""Ticks of spiking neurons at each observation; one number for all kinds, since a batch is one program."""

Axis = int | Literal["neurons", "inputs", "sources"]
"""A length: a number, or that of the neurons of the level, of the task's inputs, or of all neurons that the
level hears, padded and in the order of its links."""

Shape = tuple[Axis, ...]
State = Mapping[str, Tensor]
Values = Mapping[str, Tensor]

NEURONS: Shape = ("neurons",)


class Own(NamedTuple):
    """A trainable number, or array, that each neuron of a kind has: born ~ N(mean, deviation^2 / fan).

    Attributes:
        shape: of what one neuron has, without the neurons; ("sources",): a number for each of its synapses.
        deviation, mean, fan: law of birth.
        pace: its share of the learning rate.
    """

    shape: Shape = ()
    deviation: float = 0.0
    mean: float = 0.0
    fan: Axis = 1
    pace: float = 1.0


@dataclass(frozen=True)
class Nature:
    """What a neuron kind is, beside its numbers.

    Attributes:
        remembers: what lives on from step to step: name to shape, without (P, B).
        owns: name to what each neuron trains. The names of fields and of these are different ones.
        speaks: whether the kind says itself what its neurons fire, without an activation function.
        spiking: whether it lives in ticks; it then speaks, and remembers nothing.
        synaptic: whether it weighs its inputs itself.
    """

    remembers: Mapping[str, Shape] = field(default_factory=dict)
    owns: Mapping[str, Own] = field(default_factory=dict)
    speaks: bool = False
    spiking: bool = False
    synaptic: bool = False


class Seen(NamedTuple):
    """What reaches the neurons of a level in a step.

    Attributes:
        drive: summed input and bias, (P, B, N).
        own: 1 where a neuron of the level is of this kind, (P, 1, N); 0 in padding.
        inputs: what the task's input neurons fire, (P, B, I).
    """

    drive: Tensor
    own: Tensor
    inputs: Tensor


class Contacts(NamedTuple):
    """What reaches a level whose neurons weigh their inputs themselves.

    Attributes:
        pre: activity of all M neurons that the level hears, (P, B, M), link after link.
        weight: (P, M, N); 0 where there is no synapse.
        bias: (P, 1, N).
        own: 1 where a neuron of the level is of this kind, (P, 1, N); 0 in padding.
    """

    pre: Tensor
    weight: Tensor
    bias: Tensor
    own: Tensor


class Neuron(Protocol):
    """One step of a neuron kind without ticks."""

    @property
    def nature(self) -> Nature:
        """What it is."""
        ...

    def step(self, seen: Seen, state: State, values: Values) -> tuple[Tensor, State]:
        """Return the argument of the activation function (P, B, N), and the new state.

        A kind that `speaks` returns what its neurons fire.

        Args:
            seen: what reaches the neurons.
            state: what the kind `remembers`, (P, B, ...); zeros at the start of a life.
            values: its numbers by field name, each (P, 1, N), and what it `owns`: (P, 1, N) for one number a
                neuron, (P, ..., N) for more.
        """
        ...


class SynapticNeuron(Protocol):
    """One step of a neuron kind that weighs its inputs itself."""

    @property
    def nature(self) -> Nature:
        """What it is."""
        ...

    def step(self, seen: Contacts, state: State, values: Values) -> tuple[Tensor, State]:
        """Return what a Neuron does; all else is as there."""
        ...


class SpikingNeuron(Protocol):
    """The ticks within one step of a neuron kind that speaks in spikes."""

    @property
    def nature(self) -> Nature:
        """What it is."""
        ...

    def spikes(self, current: Tensor, values: Values) -> Tensor:
        """Return the spikes of one step, (P, TICKS, B, N) of 0 and 1; NaN where a membrane is not finite.

        Args:
            current: summed input and bias at each tick, (P, TICKS, B, N), or (P, 1, B, N) if it is constant.
            values: this kind's numbers by field name, each (P, 1, N).
        """
        ...
