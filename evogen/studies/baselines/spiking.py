"""Blocks of leaky integrate-and-fire neurons, batched over P; membranes live on from step to step.

    v_b <- beta_b v_b + [b is the entry] x W + sum_a over edges (a, b) s_a U_ab + bias
    s = H(v - 1);   v <- v - s;   trace <- rho trace + (1 - rho) s

U takes the spikes of the step before, x those of this step. The readout hears the traces of the exit block.
beta = sigmoid(leak) and rho = sigmoid(fade), one of each a neuron, are learnt; rho starts spread out, from
0.27 to 0.95, so that the readout hears several time scales. Gradients go through the fast sigmoid of
`evogen.neurons.surrogate` and not through the reset.

Source of the block equation: textbook; its use, Liu et al. 2023 (https://arxiv.org/abs/2303.07830).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from evogen.neurons.surrogate import spike
from evogen.studies.baselines import Drawn, Said, State, Synapses, Values, zeros

LEAK = 2.2  # sigmoid(2.2) = 0.9: with steps of 2 ms a membrane of 20 ms
FADE = (-1.0, 3.0)
SLOPE = 5.0
INPUT = 0.5  # standard deviation of W: two or three input spikes together reach the threshold


@dataclass(frozen=True)
class Blocks:
    """Spiking blocks; block 0 is the entry and the exit.

    Attributes:
        sizes: neurons of each block.
        edges: (pre, post) blocks between which all neurons connect; (a, a) within a block.
    """

    sizes: tuple[int, ...]
    edges: tuple[tuple[int, int], ...]

    @property
    def hidden(self) -> int:
        """Neurons of the exit, which the readout hears."""
        return self.sizes[0]

    @property
    def neurons(self) -> int:
        """Neurons of all blocks."""
        return sum(self.sizes)

    def draw(self, rng: np.random.Generator, inputs: int) -> Drawn:
        """Return W ~ N(0, 0.25), U ~ N(0, 1 / synapses onto a neuron), bias 0, leak, and fade ~ U(-1, 3)."""
        pre, post = _synapses(self)
        fan_in = np.bincount(post, minlength=self.neurons)
        scale = 1 / np.sqrt(np.maximum(fan_in[post], 1))
        return {
            "W": INPUT * rng.standard_normal((inputs, self.hidden)),
            "U": scale * rng.standard_normal(len(pre)),
            "bias": np.zeros(self.neurons),
            "leak": np.full(self.neurons, LEAK),
            "fade": rng.uniform(*FADE, self.hidden),
        }

    def start(self, values: Values, batch: int) -> State:
        """Return v = s = trace = 0, and U as a matrix (P, neurons, neurons), which no step changes."""
        pre, post = _synapses(self)
        place = torch.from_numpy(pre * self.neurons + post)
        whole = values["U"].new_zeros(len(values["U"]), self.neurons**2)
        matrix = whole.index_copy(1, place, values["U"]).unflatten(1, (self.neurons, -1))  # type: ignore[no-untyped-call]
        nothing = zeros(values, batch, self.neurons)
        return nothing, nothing, zeros(values, batch, self.hidden), matrix

    def step(self, values: Values, seen: Tensor, state: State) -> Said:
        """Return the exit's trace."""
        v, before, trace, matrix = state
        entering = pad(torch.bmm(seen, values["W"]), (0, self.neurons - self.hidden))
        drive = torch.baddbmm(values["bias"].unsqueeze(1), before, matrix) + entering
        v = torch.sigmoid(values["leak"]).unsqueeze(1) * v + drive
        s = spike(v - 1.0, v.new_tensor(SLOPE))
        rho = torch.sigmoid(values["fade"]).unsqueeze(1)
        trace = rho * trace + (1 - rho) * s[..., : self.hidden]
        synapses = Synapses(values["W"], seen), Synapses(matrix, before)
        return Said(trace, (v - s.detach(), s, trace, matrix), synapses)

    def fan_out(self, outputs: int) -> np.ndarray:
        """Return the (neurons,) synapses that a spike of each reaches, with a readout of so many neurons."""
        pre, _ = _synapses(self)
        found: np.ndarray = np.bincount(pre, minlength=self.neurons)
        found[: self.hidden] += outputs
        return found

    @property
    def feedback(self) -> np.ndarray:
        """(E,) bool of the entries of U onto the exit that come from another block."""
        pre, post = _synapses(self)
        found: np.ndarray = (pre >= self.hidden) & (post < self.hidden)
        return found

    def without(self, *edges: tuple[int, int]) -> Blocks:
        """Return the same blocks without these edges."""
        return Blocks(self.sizes, tuple(edge for edge in self.edges if edge not in edges))


@lru_cache(maxsize=16)
def _synapses(cell: Blocks) -> tuple[np.ndarray, np.ndarray]:
    """Return the (E,) pre and post neurons of all synapses between neurons."""
    first = np.cumsum([0, *cell.sizes])
    parts = [
        np.meshgrid(np.arange(first[a], first[a + 1]), np.arange(first[b], first[b + 1]), indexing="ij")
        for a, b in cell.edges
    ]
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    pre, post = (np.concatenate([part[end].ravel() for part in parts]) for end in (0, 1))
    return pre, post
