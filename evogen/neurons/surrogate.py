"""Spikes that can be learned: a step forward, the derivative of a fast sigmoid backward.

    s = H(x)        ds/dx = 1 / (1 + slope |x|)^2

(Zenke & Ganguli 2018; Neftci, Mostafa & Zenke 2019). H(0) = 0.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def spike(excess: Tensor, slope: Tensor) -> Tensor:
    """Return 1 where the excess over the threshold is above 0, else 0; NaN where it is not finite.

    Args:
        excess: (P, B, N).
        slope: steepness of the surrogate, (P, 1, N); it gets no gradient.
    """
    found: Tensor = _Spike.apply(excess, slope)  # type: ignore[no-untyped-call]
    return found


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, excess: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(excess, slope)
        return (excess > 0).to(excess.dtype) + 0.0 * excess  # a comparison hides NaN

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        excess, slope = ctx.saved_tensors
        return gradient / (1.0 + slope * excess.abs()).square(), None
