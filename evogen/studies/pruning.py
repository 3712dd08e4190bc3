"""Iterative magnitude pruning: train, drop the weights nearest to zero, go back to the start, train again.

    m <- m and |w_trained| among the largest (1 - p) of those left;   w <- m w_start;   repeated

Masks are a row's own, over all its weights together; biases stay. The control drops as many by lot.

Source: Frankle, Carbin 2019 (https://arxiv.org/abs/1803.03635), global pruning with rewinding to the start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning.stages import Respond

Train = Callable[[Respond, Tensor, int], Tensor]
"""(networks, (P, D) start, number of the round) -> (P, D) trained."""


def masked(respond: Respond, mask: Tensor) -> Respond:
    """Return networks whose dropped parameters are 0, whatever they are set to."""

    def answer(flat: Tensor, inputs: Tensor) -> Tensor:
        return respond(flat * mask, inputs)

    return answer


def by_magnitude(mask: Tensor, trained: Tensor, weights: Tensor, share: float) -> Tensor:
    """Return the mask without the share of each row's remaining weights that is nearest to zero.

    Args:
        mask: (P, D) of 0 and 1.
        trained: (P, D) parameters.
        weights: (D,) bool, which of them may be dropped.
        share: p.
    """
    size = torch.where((mask > 0) & weights, trained.abs(), torch.inf)
    return _without(mask, size, weights, share)


def by_lot(mask: Tensor, keys: Sequence[Key], weights: Tensor, share: float) -> Tensor:
    """Return the mask without as large a share of each row's remaining weights, whichever they are."""
    lots = np.stack([key.generator().random(mask.shape[1]) for key in keys])  # ~ U[0, 1)
    size = torch.where((mask > 0) & weights, torch.from_numpy(lots).to(mask), torch.inf)
    return _without(mask, size, weights, share)


def pruned(
    respond: Respond,
    start: Tensor,
    weights: Tensor,
    train: Train,
    *,
    drop: Callable[[Tensor, Tensor, int], Tensor],
    rounds: int,
) -> tuple[Tensor, Tensor]:
    """Return the trained parameters after the last round, dropped ones 0, and the mask, (P, D) both.

    Args:
        respond: the networks.
        start: (P, D) first weights.
        weights: (D,) bool, which may be dropped.
        train: one training from a start.
        drop: (mask, trained, number of the round) -> the next mask.
        rounds: of dropping; there is one more training.
    """
    mask = torch.ones_like(start)
    trained = train(respond, start, 0)
    for number in range(rounds):
        mask = torch.where(weights, drop(mask, trained, number), 1.0)
        trained = train(masked(respond, mask), start * mask, number + 1) * mask
    return trained, mask


def _without(mask: Tensor, size: Tensor, weights: Tensor, share: float) -> Tensor:
    """Return the mask without a share of the weights left in each row, the smallest first."""
    left = ((mask > 0) & weights).sum(1)
    rank = size.argsort(dim=1, stable=True).argsort(dim=1, stable=True)
    kept: Tensor = mask * (rank >= (share * left).round().unsqueeze(1))
    return kept
