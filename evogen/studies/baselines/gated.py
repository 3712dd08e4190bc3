"""Elman, LSTM and GRU cells, batched over P; weights are [pre, post], gates side by side in torch's order.

    RNN    h' = tanh(x W + h U + b)
    LSTM   i, f, g, o = x W + h U + b;   c' = sigma(f) c + sigma(i) tanh(g);   h' = sigma(o) tanh(c')
    GRU    r, z = sigma(x W + h U + b);  n = tanh(x W_n + b_n + r (h U_n + d));   h' = (1 - z) n + z h

One bias where torch has two that only ever act as their sum; but for that they are torch.nn's cells, and a
test says so. Sources: Elman 1990; Hochreiter & Schmidhuber 1997, with forget gates (Gers et al. 2000); Cho et
al. 2014.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evogen.studies.baselines import Drawn, Said, State, Synapses, Values, uniform, zeros


@dataclass(frozen=True)
class RNN:
    """Elman's network."""

    hidden: int

    def draw(self, rng: np.random.Generator, inputs: int) -> Drawn:
        """Return W, U and b."""
        H = self.hidden
        return uniform(rng, H, W=(inputs, H), U=(H, H), b=(H,))

    def start(self, values: Values, batch: int) -> State:
        """Return h = 0."""
        return (zeros(values, batch, self.hidden),)

    def step(self, values: Values, seen: Tensor, state: State) -> Said:
        """Return h'."""
        (h,) = state
        new = torch.tanh(_drive(values, seen) + torch.bmm(h, values["U"]))
        return Said(new, (new,), _synapses(values, seen, h))


@dataclass(frozen=True)
class LSTM:
    """Long short-term memory."""

    hidden: int

    def draw(self, rng: np.random.Generator, inputs: int) -> Drawn:
        """Return W, U and b of the gates i, f, g, o."""
        H = self.hidden
        return uniform(rng, H, W=(inputs, 4 * H), U=(H, 4 * H), b=(4 * H,))

    def start(self, values: Values, batch: int) -> State:
        """Return h = c = 0."""
        nothing = zeros(values, batch, self.hidden)
        return nothing, nothing

    def step(self, values: Values, seen: Tensor, state: State) -> Said:
        """Return h', and c' beside it."""
        h, c = state
        i, f, g, o = (_drive(values, seen) + torch.bmm(h, values["U"])).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        new = torch.sigmoid(o) * torch.tanh(c)
        return Said(new, (new, c), _synapses(values, seen, h))


@dataclass(frozen=True)
class GRU:
    """Gated recurrent unit."""

    hidden: int

    def draw(self, rng: np.random.Generator, inputs: int) -> Drawn:
        """Return W, U and b of r, z, n, and the bias d inside the reset."""
        H = self.hidden
        return uniform(rng, H, W=(inputs, 3 * H), U=(H, 3 * H), b=(3 * H,), d=(H,))

    def start(self, values: Values, batch: int) -> State:
        """Return h = 0."""
        return (zeros(values, batch, self.hidden),)

    def step(self, values: Values, seen: Tensor, state: State) -> Said:
        """Return h'."""
        (h,) = state
        by_input = torch.split(_drive(values, seen), [2 * self.hidden, self.hidden], -1)
        by_state = torch.split(torch.bmm(h, values["U"]), [2 * self.hidden, self.hidden], -1)
        r, z = torch.sigmoid(by_input[0] + by_state[0]).chunk(2, -1)
        n = torch.tanh(by_input[1] + r * (by_state[1] + values["d"].unsqueeze(1)))
        new = (1 - z) * n + z * h
        return Said(new, (new,), _synapses(values, seen, h))


def _drive(values: Values, seen: Tensor) -> Tensor:
    return torch.baddbmm(values["b"].unsqueeze(1), seen, values["W"])  # (P, B, gates H)


def _synapses(values: Values, seen: Tensor, h: Tensor) -> tuple[Synapses, ...]:
    return Synapses(values["W"], seen), Synapses(values["U"], h)
