"""Adam with a population axis: every row of (P, D) has its own moments, gradient norm and learning rate.

    g <- g min(1, c / |g|);  m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2
    x <- x - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)

A genome may give some parameters another share of lr, none (they keep their bits, and their gradient counts
in no norm), or plain gradient descent with momentum mu: m <- mu m + g;  x <- x - lr m.

Source: Kingma & Ba 2015, algorithm 1; the norm is clipped per row (Pascanu et al. 2013).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from evogen.phenotype.pace import Pace
from evogen.phenotype.rows import rowwise

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class _Asked(NamedTuple):
    """(P, D) bool of the parameters that are frozen, and that descend plainly; None where none is."""

    frozen: Tensor | None
    plain: Tensor | None


@rowwise(anew={"_asked": None})
class Adam:
    """Moments of P optimisers over D parameters each; `step` updates the parameters in place."""

    def __init__(self, parameters: Tensor, pace: Pace | None = None) -> None:
        """Start with zero moments for (P, D) parameters; None: all at the whole rate."""
        self._pace = pace
        self._m = torch.zeros_like(parameters)
        self._v = torch.zeros_like(parameters)
        self._t = 0
        self._asked: _Asked | None = None

    @torch.no_grad()
    def step(self, parameters: Tensor, gradient: Tensor, rate: Tensor, *, clip: float) -> None:
        """Update (P, D) parameters in place.

        Args:
            parameters: changed in place.
            gradient: (P, D).
            rate: (P,) learning rates; a row at rate 0 keeps its parameters to the last bit.
            clip: largest Euclidean norm of a row's gradient.
        """
        self._t += 1
        if self._asked is None:
            self._asked = _asked(self._pace)
        frozen, plain = self._asked
        if frozen is not None:
            gradient = gradient.masked_fill(frozen, 0.0)
        norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)  # (P, 1)
        gradient = gradient * torch.clamp(clip / (norm + EPSILON), max=1.0)
        before = None if plain is None else self._m.clone()
        self._m.mul_(BETA1).add_(gradient, alpha=1 - BETA1)
        self._v.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
        scale = 1 / (1 - BETA2**self._t)
        denominator = (self._v * scale).sqrt_().add_(EPSILON)
        pace = rate / (1 - BETA1**self._t)
        step = self._m / denominator * pace[:, None]
        if before is not None and plain is not None and self._pace is not None:
            self._m = torch.where(plain, self._pace.momentum * before + gradient, self._m)
            step = torch.where(plain, self._m * rate[:, None], step)
        if self._pace is not None:
            step = step * self._pace.share
        parameters.sub_(step if frozen is None else step.masked_fill(frozen, 0.0))


def _asked(pace: Pace | None) -> _Asked:
    if pace is None:
        return _Asked(None, None)
    frozen, plain = pace.share == 0, pace.momentum >= 0
    return _Asked(*(part if bool(part.any()) else None for part in (frozen, plain)))
