"""Adam with a population axis: every row of (P, D) has its own moments, gradient norm and learning rate.

    g <- g min(1, c / |g|);  m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2
    x <- x - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)

Source: Kingma & Ba 2015, algorithm 1; the norm is clipped per row (Pascanu et al. 2013).
"""

from __future__ import annotations

import torch
from torch import Tensor

from evogen.phenotype.rows import rowwise

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


@rowwise(shared=["_pace"])
class Adam:
    """Moments of P optimisers over D parameters each; `step` updates the parameters in place."""

    def __init__(self, parameters: Tensor, pace: Tensor | None = None) -> None:
        """Start with zero moments for (P, D) parameters; `pace` (D,) multiplies the learning rate."""
        self._pace = pace
        self._m = torch.zeros_like(parameters)
        self._v = torch.zeros_like(parameters)
        self._t = 0

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
        norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)  # (P, 1)
        gradient = gradient * torch.clamp(clip / (norm + EPSILON), max=1.0)
        self._m.mul_(BETA1).add_(gradient, alpha=1 - BETA1)
        self._v.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
        scale = 1 / (1 - BETA2**self._t)
        denominator = (self._v * scale).sqrt_().add_(EPSILON)
        pace = rate / (1 - BETA1**self._t)
        step = self._m / denominator * pace[:, None]
        parameters.sub_(step if self._pace is None else step * self._pace)
