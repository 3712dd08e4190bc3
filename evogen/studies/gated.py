"""Two hidden layers of units that are dense, compete (k-winners) or have active dendrites; a row a seed.

    dense      a = max(0, u)            u = a_below W + b
    winners    a = kWTA(u)
    dendrites  a = kWTA(u sigmoid(d_j*)),   d_j = u_j . c,   j* = argmax_j |d_j|

The functions of the units are those of evogen's neuron kinds `winners` and `dendrites`; the network here has
no padding, and its segments see the context alone, which is an order of magnitude cheaper than a phenotype
with room for any segments (a test says that both say the same). The context is also among the inputs of every
arm, so that all arms are told the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.neurons.dendrites import gate, responses
from evogen.neurons.winners import winners

LAYERS = 2


@dataclass(frozen=True)
class Gated:
    """Sizes of a network.

    Attributes:
        inputs: with the context as the last of them.
        hidden: units of each hidden layer.
        outputs: units of the output layer.
        share: part of a hidden layer that may speak; 1 makes it dense, with rectified units.
        segments: dendritic segments of a unit; 0: none.
        context: inputs that they see.
    """

    inputs: int
    hidden: int
    outputs: int
    share: float = 1.0
    segments: int = 0
    context: int = 0

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Parameters by name: W [pre, post], b, and segments u (S, C, N)."""
        found: dict[str, tuple[int, ...]] = {}
        sizes = [self.inputs, *[self.hidden] * LAYERS, self.outputs]
        for at, (pre, post) in enumerate(pairwise(sizes), 1):
            found |= {f"{at}.W": (pre, post), f"{at}.b": (post,)}
            if self.segments and at <= LAYERS:
                found[f"{at}.u"] = (self.segments, self.context, post)
        return found

    @property
    def parameters(self) -> int:
        """How many numbers a network learns."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def start(self, keys: Sequence[Key]) -> Tensor:
        """Return (P, D): W ~ N(0, 1 / pre), b = 0, u ~ N(0, 1 / C); each array from a key of its own."""
        return torch.from_numpy(np.stack([self._row(key) for key in keys])).float()

    def _row(self, key: Key) -> np.ndarray:
        parts = []
        for name, shape in self.shapes.items():
            deviation = 0.0 if name.endswith(".b") else shape[-2] ** -0.5
            parts.append(deviation * key.child(name).generator().normal(size=math.prod(shape)))
        return np.concatenate(parts)

    def values(self, flat: Tensor) -> dict[str, Tensor]:
        """Return named views of (P, D) parameters."""
        shapes = self.shapes
        parts = torch.split(flat, [math.prod(shape) for shape in shapes.values()], 1)
        return {
            name: part.reshape(-1, *shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)
        }

    def respond(self, flat: Tensor, inputs: Tensor) -> Tensor:
        """Return (P, B, outputs) of (P, B, inputs); differentiable in the parameters."""
        values, a = self.values(flat), inputs
        context = inputs[..., self.inputs - self.context :]
        for at in range(1, LAYERS + 1):
            u = torch.baddbmm(values[f"{at}.b"].unsqueeze(1), a, values[f"{at}.W"])
            a = self._fire(u, context, values.get(f"{at}.u"))
        last = LAYERS + 1
        return torch.baddbmm(values[f"{last}.b"].unsqueeze(1), a, values[f"{last}.W"])

    def _fire(self, u: Tensor, context: Tensor, segments: Tensor | None) -> Tensor:
        if self.share == 1.0:
            return torch.relu(u)
        own = torch.ones_like(u[:, :1])
        if segments is not None:
            u = u * gate(responses(context, segments), torch.full_like(own, self.segments))
        return winners(u, self.share * own, own)
