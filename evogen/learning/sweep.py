"""Sweeps: what every level of a network without memory says, and how steeply it would answer to more.

    u_l = b_l + sum_pre a_pre W        a_l = f(u_l)        slope_l = f'(u_l)

Lists of levels after the input begin with level 1, as a network's biases do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from evogen.phenotype import Network
from evogen.phenotype.firing import fire

Carriers = Sequence[Tensor]
"""(P, pre, post) for each link: the weights by which what a level after it knows comes back, transposed."""


class Sweep(NamedTuple):
    """One pass through a network.

    Attributes:
        activity: (P, B, N) of every level, from the input's.
        slope: (P, B, N) of every level after the input.
    """

    activity: list[Tensor]
    slope: list[Tensor]


def ahead(network: Network, observation: Tensor) -> Sweep:
    """Pass from the input (P, B, inputs) to the output."""
    activity, slope = [observation.to(network.dtype)], list[Tensor]()
    for at in range(1, len(network.layout.levels)):
        said, steep = answer(network, at, drive(network, at, activity))
        activity.append(said)
        slope.append(steep)
    return Sweep(activity, slope)


def drive(network: Network, at: int, activity: Sequence[Tensor]) -> Tensor:
    """Return the summed input and bias of a level (P, B, N) at these activities of all levels before it."""
    found = network.biases[at - 1].unsqueeze(1)
    for link, W in zip(network.layout.links, network.weights, strict=True):
        if link.post == at:
            found = torch.baddbmm(found, activity[link.pre], W)
    return found


def answer(network: Network, at: int, drive: Tensor) -> tuple[Tensor, Tensor]:
    """Return f(u) and f'(u) of a level, (P, B, N) both; 0 at padding, which is no neuron."""
    with torch.enable_grad():
        u = drive.detach().requires_grad_()
        said = fire(network.traits, at, u)
        (steep,) = torch.autograd.grad(said.sum(), u)
    own = network.traits.present(at, network.layout.levels[at])
    return said.detach() * own, steep * own


def back(network: Network, at: int, carriers: Carriers, later: Sequence[Tensor]) -> Tensor:
    """Return what comes back to a level (P, B, N) of what all later levels say, (P, B, N) each.

    It comes along synapses only: a layout has links, and places in them, where a candidate has none.
    """
    found = None
    for link, W, carrier in zip(network.layout.links, network.weights, carriers, strict=True):
        if link.pre == at:
            own = carrier * (W != 0)
            part = torch.bmm(later[link.post - 1], own.transpose(1, 2))
            found = part if found is None else found + part
    assert found is not None  # every level has a link to the output
    return found
