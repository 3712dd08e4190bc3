"""Pace: how fast each parameter of each candidate learns, and by which method.

A parameter's share of the learning rate is that of its kind, which the wiring gives, times that of its gene,
which the gene's own sentence gives. Parameters of no gene (O, c) and of the interface take the kind's alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evogen.phenotype.layout import Body, Slot

OWN = -1.0
"""Stands for a momentum where the learner's own method is used."""


class Pace(NamedTuple):
    """Both (P, D); without a gene that asks for anything, views of one row.

    Attributes:
        share: of the learning rate; 0 freezes a parameter.
        momentum: of plain gradient descent, or OWN.
    """

    share: Tensor
    momentum: Tensor


def paces(slots: Sequence[Slot], bodies: Sequence[Body], like: Tensor) -> Pace:
    """Return the pace of every entry of (P, D) parameters `like`."""
    share = torch.ones_like(like[0])
    for slot in slots:
        share[slot.start : slot.start + slot.size] = slot.pace
    momentum = torch.full_like(like[0], OWN)
    if not any(body.plan.learning for body in bodies):
        return Pace(share.expand_as(like), momentum.expand_as(like))
    shares, momenta = (part.repeat(len(bodies), 1) for part in (share, momentum))
    for row, body in enumerate(bodies):
        if body.plan.learning:
            rate, method = by_genes(slots, body, like.shape[1])
            shares[row] *= torch.from_numpy(rate).to(like)
            momenta[row] = torch.from_numpy(method).to(like)
    return Pace(shares, momenta)


def by_genes(slots: Sequence[Slot], body: Body, entries: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what a candidate's genes say of each of D entries: (D,) shares of the rate, and momenta."""
    rates, momenta = np.ones(entries), np.full(entries, OWN)
    if not body.plan.learning:
        return rates, momenta
    at = {slot.name: slot for slot in slots}
    for place in body.places:
        learning = body.plan.learning.get(place.gene)
        if learning is None:
            continue
        slot = at[place.name]
        part = slice(slot.start, slot.start + slot.size)
        rates[part].reshape(slot.shape)[place.index] = learning.rate
        if learning.momentum is not None:
            momenta[part].reshape(slot.shape)[place.index] = learning.momentum
    return rates, momenta
