"""Activation functions: what a neuron says at its potential.

The fixed ones of Jagtap & Karniadakis (2022), survey of activation functions, and four of CPPNs (Stanley
2007). The adaptive ones, whose slope is trained, are neuron kinds: `adaptive` and `rowdy`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional


def _sigmoid(x: Tensor) -> Tensor:
    return 0.5 + 0.5 * torch.tanh(0.5 * x)


def _identity(x: Tensor) -> Tensor:
    return x


def _square(x: Tensor) -> Tensor:
    return x * x


def _gauss(x: Tensor) -> Tensor:
    return torch.exp(-x * x)


def _swish(x: Tensor) -> Tensor:
    return x * _sigmoid(x)


def _clip01(x: Tensor) -> Tensor:
    """clip(x, 0, 1), as the worm swimmer's neurons have it; its gradient is 0 outside."""
    return x.clamp(0.0, 1.0)


ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "abs": torch.abs,
    "elu": functional.elu,
    "gauss": _gauss,
    "gelu": functional.gelu,
    "hardclip01": _clip01,
    "hardtanh": functional.hardtanh,
    "identity": _identity,
    "leaky-relu": functional.leaky_relu,  # slope 0.01 below 0
    "mish": functional.mish,
    "relu": torch.relu,
    "selu": torch.selu,
    "sigmoid": _sigmoid,
    "sin": torch.sin,
    "softplus": functional.softplus,
    "square": _square,
    "swish": _swish,
    "tanh": torch.tanh,
}
"""Activation functions by name; in levels padded to 64 each gives a number the same bits in any cohort."""
