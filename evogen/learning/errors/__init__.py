"""Error sources: what the postsynaptic factor q of a local update is.

    dW = eta <a_pre q_post>        q_post = d_post f'(u_post), or the activity itself

An error source is a registered frozen dataclass. The error of the output, y - softmax(o), is the negative
gradient of the cross-entropy; the sources differ in what the neurons before the output know of it. What
travels backwards on weights of its own is fixed, drawn for every candidate from its key.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning.sweep import Sweep
from evogen.phenotype import Layout, Network


class Transport(StrEnum):
    """By which weights something comes back."""

    SYMMETRIC = "symmetric"  # the network's own, as they are now
    RANDOM = "random"  # others, which stay as they were drawn


class ErrorSource(Protocol):
    """The postsynaptic factors of one pass."""

    @property
    def locality(self) -> str:
        """What a synapse must know beside what its two neurons say, in words; empty: nothing."""
        ...

    def fixed(self, layout: Layout, keys: Sequence[Key], like: Tensor) -> tuple[Tensor, ...]:
        """Return the fixed weights that errors travel on, each (P, ...); empty if there are none."""
        ...

    def factors(
        self, network: Network, sweep: Sweep, target: Tensor, fixed: tuple[Tensor, ...]
    ) -> list[Tensor]:
        """Return q (P, B, N) of every level after the input.

        Args:
            network: without gradient history.
            sweep: one pass through it.
            target: (P, B, N) of the output level, 1 at an example's class and 0 elsewhere, padding too.
            fixed: from `fixed`.
        """
        ...


def shortfall(network: Network, output: Tensor, target: Tensor) -> Tensor:
    """Return y - softmax(o), (P, B, N) of the output level; 0 at padding."""
    share = torch.softmax(output[..., : network.layout.outputs], -1)
    return torch.nn.functional.pad(
        target[..., : network.layout.outputs] - share, (0, output.shape[-1] - share.shape[-1])
    )


def carriers(layout: Layout, keys: Sequence[Key], like: Tensor) -> tuple[Tensor, ...]:
    """Return fixed random weights (P, pre, post) for each link, ~ N(0, 1 / pre) pre with its padding."""
    shapes = [(layout.levels[link.pre].size, layout.levels[link.post].size) for link in layout.links]
    return drawn(shapes, keys, like)


def drawn(shapes: Sequence[tuple[int, int]], keys: Sequence[Key], like: Tensor) -> tuple[Tensor, ...]:
    """Return fixed weights (P, *shape) ~ N(0, 1 / shape[0]), each candidate's from its own key."""
    generators = [key.child("feedback").generator() for key in keys]
    return tuple(
        torch.from_numpy(
            np.stack([generator.standard_normal(shape) / math.sqrt(shape[0]) for generator in generators])
        ).to(like)
        for shape in shapes
    )
