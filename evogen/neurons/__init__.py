"""Neurons: from the summed input of a neuron to the argument of its activation function.

A neuron kind is a registered frozen dataclass whose fields are its per-neuron numbers. All tensors carry the
leading axes (P, B, N); a kind without memory ignores its state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor


class Neuron(Protocol):
    """One step of a neuron kind."""

    @property
    def stateful(self) -> bool:
        """Whether a neuron remembers its last step."""
        ...

    def step(self, drive: Tensor, state: Tensor, values: Mapping[str, Tensor]) -> Tensor:
        """Return the new state (P, B, N), which is also the argument of the activation function.

        Args:
            drive: summed input and bias, (P, B, N).
            state: the state after the last step, (P, B, N); zero at the start of a life.
            values: this kind's numbers by field name, each (P, 1, N).
        """
        ...


def _sigmoid(x: Tensor) -> Tensor:
    return 0.5 + 0.5 * torch.tanh(0.5 * x)


def _identity(x: Tensor) -> Tensor:
    return x


ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "identity": _identity,
    "relu": torch.relu,
    "selu": torch.selu,
    "sigmoid": _sigmoid,
    "tanh": torch.tanh,
}
"""Activation functions by name; in levels padded to 64 each gives a number the same bits in any cohort."""
