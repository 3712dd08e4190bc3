"""Neurons: from the summed input of a neuron to the argument of its activation function, or to its spikes.

A neuron kind is a registered frozen dataclass whose fields are its per-neuron numbers. All tensors carry the
leading axes (P, B, N); a kind without memory ignores its state.

A spiking kind lives TICKS ticks within each step and starts each step at rest, so it is not stateful. It has
no activation function: its activity is its spikes, (P, T, B, N) with T = TICKS, and towards anything that
does not spike their mean over the ticks, the firing rate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor

TICKS = 16
"""Ticks of spiking neurons at each observation; one number for all kinds, since a batch is one program."""


class Neuron(Protocol):
    """One step of a neuron kind."""

    @property
    def stateful(self) -> bool:
        """Whether a neuron remembers its last step."""
        ...

    @property
    def spiking(self) -> bool:
        """False; a kind with spikes is a `SpikingNeuron`."""
        ...

    def step(self, drive: Tensor, state: Tensor, values: Mapping[str, Tensor]) -> Tensor:
        """Return the new state (P, B, N), which is also the argument of the activation function.

        Args:
            drive: summed input and bias, (P, B, N).
            state: the state after the last step, (P, B, N); zero at the start of a life.
            values: this kind's numbers by field name, each (P, 1, N).
        """
        ...


class SpikingNeuron(Protocol):
    """The ticks within one step of a neuron kind that speaks in spikes."""

    @property
    def stateful(self) -> bool:
        """False: the membrane starts at rest at each step."""
        ...

    @property
    def spiking(self) -> bool:
        """True."""
        ...

    def spikes(self, current: Tensor, values: Mapping[str, Tensor]) -> Tensor:
        """Return the spikes of one step, (P, TICKS, B, N) of 0 and 1; NaN where a membrane is not finite.

        Args:
            current: summed input and bias at each tick, (P, TICKS, B, N), or (P, 1, B, N) if it is constant.
            values: this kind's numbers by field name, each (P, 1, N).
        """
        ...


def _sigmoid(x: Tensor) -> Tensor:
    return 0.5 + 0.5 * torch.tanh(0.5 * x)


def _identity(x: Tensor) -> Tensor:
    return x


def _square(x: Tensor) -> Tensor:
    return x * x


def _gauss(x: Tensor) -> Tensor:
    return torch.exp(-x * x)


ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "abs": torch.abs,
    "gauss": _gauss,
    "identity": _identity,
    "relu": torch.relu,
    "selu": torch.selu,
    "sigmoid": _sigmoid,
    "sin": torch.sin,
    "square": _square,
    "tanh": torch.tanh,
}
"""Activation functions by name; in levels padded to 64 each gives a number the same bits in any cohort."""
