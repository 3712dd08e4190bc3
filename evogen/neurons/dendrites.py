"""Active dendrites: the strongest of a neuron's dendritic segments, which see the context, scales its input.

    y = kWTA( u * sigmoid(d_j*) )        d_j = u_j . c        j* = argmax_j |d_j|

(Iyer et al. 2022, as in their published code). The context c is the last so many of the task's inputs, or all
of them; the segments are trained like weights. Which neurons speak is decided by `winners`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from evogen.neurons import Nature, Own, Seen, State, Values
from evogen.neurons.winners import winners
from evogen.registry import evolvable, register

SEGMENTS = 16
"""Segments that there is room for."""


@register("neuron", "dendrites")
@dataclass(frozen=True)
class Dendrites:
    """A unit whose dendrites tell it in which context to speak."""

    segments: float = evolvable(10.0, low=1.0, high=float(SEGMENTS), doc="dendritic segments, rounded")
    context: float = evolvable(0.0, low=0.0, high=1e6, doc="last inputs that they see, rounded; 0: all")
    share: float = evolvable(0.1, low=0.0, high=1.0, doc="part of its level that may speak")
    nature: ClassVar[Nature] = Nature(
        owns={"u": Own((SEGMENTS, "inputs"), deviation=1.0, fan="inputs")},
    )

    def step(self, seen: Seen, state: State, values: Values) -> tuple[Tensor, State]:
        """Return y."""
        count = seen.inputs.shape[-1]
        places = torch.arange(count, device=seen.inputs.device)
        reach = values["context"].round()  # (P, 1, N)
        sees = (reach == 0) | (places.view(-1, 1) >= count - reach)  # (P, I, N)
        activity = responses(seen.inputs, values["u"] * sees.unsqueeze(1))
        potential = seen.drive * gate(activity, values["segments"].round())
        return winners(potential, values["share"], seen.own), state


def responses(context: Tensor, segments: Tensor) -> Tensor:
    """Return d, (P, B, S, N).

    Args:
        context: (P, B, I).
        segments: (P, S, I, N).
    """
    rows, count, inputs, neurons = segments.shape
    flat = segments.transpose(1, 2).reshape(rows, inputs, count * neurons)
    return torch.bmm(context, flat).view(rows, -1, count, neurons)


def gate(activity: Tensor, segments: Tensor) -> Tensor:
    """Return the sigmoid of the strongest of the first so many segments, (P, B, N).

    Args:
        activity: d, (P, B, S, N).
        segments: how many there are, (P, 1, N).
    """
    numbers = torch.arange(activity.shape[2], device=activity.device).view(-1, 1)
    there = numbers < segments.unsqueeze(1)  # (P, 1, S, N)
    strength = torch.where(there, activity.detach().abs(), -1.0)
    strongest = strength.argmax(2, keepdim=True)
    return 0.5 + 0.5 * torch.tanh(0.5 * activity.gather(2, strongest).squeeze(2))
