"""k-winners: of a level's neurons of this kind, those with the largest potential speak, the others are 0.

    y_i = u_i if u_i is among the k largest, else 0        k = share of them, at least 1

(Ahmad & Scheinkman 2019, without boosting: nothing is done for neurons that rarely win). Gradients reach the
winners only. Groups of one level compete together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from evogen.neurons import Nature, Seen, State, Values
from evogen.registry import evolvable, register


@register("neuron", "winners")
@dataclass(frozen=True)
class Winners:
    """A unit that speaks only if few of its level are more active."""

    share: float = evolvable(0.1, low=0.0, high=1.0, doc="part of its level that may speak")
    nature: ClassVar[Nature] = Nature()

    def step(self, seen: Seen, state: State, values: Values) -> tuple[Tensor, State]:
        """Return u of the winners."""
        return winners(seen.drive, values["share"], seen.own), state


def winners(potential: Tensor, share: Tensor, own: Tensor) -> Tensor:
    """Return the potentials of the winners, 0 for all others; of those equal to the last winner all win.

    Args:
        potential: (P, B, N).
        share: part that may win, (P, 1, N); each neuron goes by its own.
        own: 1 where a neuron takes part, (P, 1, N).
    """
    taking = torch.where(own > 0, potential.detach(), -torch.inf)
    allowed = (share * own.sum(-1, keepdim=True)).round().clamp(min=1)
    ranked = taking.sort(dim=-1, descending=True).values
    last = ranked.gather(-1, (allowed - 1).long().expand_as(ranked))
    return potential * ((potential >= last) & (own > 0))  # a product: NaN stays NaN
