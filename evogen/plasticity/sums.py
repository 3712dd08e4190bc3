"""Sums over every synapse of every life, which cost little but the memory that they go through.

A total here is the caller's own: without gradients it is written over. Both ways have equal bits. What is not
the caller's own yet begins by `begun` or `faded`.
"""

from __future__ import annotations

import torch
from torch import Tensor

TINY = 1e-20  # keeps quotients, and the gradient of a square root, finite at zero


def begun(total: Tensor, one: Tensor, other: Tensor, *, own: bool) -> Tensor:
    """Return total + one * other, written over it where it is the caller's own."""
    return plus(total, one, other) if own else torch.addcmul(total, one, other)


def faded(total: Tensor, factor: Tensor, *, own: bool) -> Tensor:
    """Return total * factor, written over it where it is the caller's own."""
    return total.mul_(factor) if own and not torch.is_grad_enabled() else total * factor


def plus(total: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """Return total + one * other, which are broadcast to it."""
    if torch.is_grad_enabled():
        return torch.addcmul(total, one, other)
    return total.addcmul_(one, other)


def raised(total: Tensor, part: Tensor) -> Tensor:
    """Return total + part, which is broadcast to it."""
    return total + part if torch.is_grad_enabled() else total.add_(part)


def within(total: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Return the total between two bounds, which are broadcast to it."""
    if torch.is_grad_enabled():
        return torch.minimum(torch.maximum(total, low), high)
    torch.maximum(total, low, out=total)
    return torch.minimum(total, high, out=total)


def longest(weight: Tensor) -> Tensor:
    """Return the largest magnitude of a link's weights (P, B, pre, post), (P, B, 1, 1)."""
    found: Tensor = torch.linalg.vector_norm(weight, torch.inf, (2, 3), keepdim=True)
    return found.clamp_min(TINY)


def length(weight: Tensor) -> Tensor:
    """Return the Euclidean length of each neuron's weights (P, B, pre, post), (P, B, 1, post)."""
    found: Tensor = torch.linalg.vector_norm(weight, 2, 2, keepdim=True)
    return found.clamp_min(TINY)


def divided(total: Tensor, born: Tensor, longest: Tensor) -> Tensor:
    """Return what is left of (born + total) / longest beside the born weights, given born + total."""
    return total / longest - born if torch.is_grad_enabled() else total.div_(longest).sub_(born)


def of_pre(value: Tensor) -> Tensor:
    """Return a coefficient of presynaptic neurons, (P, 1, pre or 1, 1): the largest of its synapses'."""
    return _largest(value, 3)


def of_post(value: Tensor) -> Tensor:
    """Return a coefficient of postsynaptic neurons, (P, 1, 1, post or 1): the largest of its synapses'."""
    return _largest(value, 2)


def _largest(value: Tensor, axis: int) -> Tensor:
    if value.shape[axis] == 1:
        return value
    return value.gather(axis, value.abs().argmax(axis, keepdim=True))
