"""Cells whose weights change within a sequence: fast weights, and short-term plastic neurons (STPN).

    fast weights   A <- lambda A + eta h h^T;   p = x W + h U + b;   g_0 = relu(p)
                   g_s = relu(LN(p + g_{s-1} A));   h' = g_S
    STPN           z = [x, h];   G = W + F;   n_j = |G_j|, over all that neuron j hears
                   h' = tanh(z G / n + b);    F <- Lambda F / n + Gamma z h'

A and F are 0 at the start of a life; LN is the layer norm, with gain and bias. STPN's Lambda and Gamma, one
a synapse, are learnt like weights; one for all of them is its ablation (`SharedSTPN`), and Gamma = 0 leaves a
recurrent network with normalised weights (`Normalised`).

Sources: Ba, Hinton, Mnih, Leibo, Ionescu 2016, equations 1 and 2 (lambda 0.9, eta 0.5, one inner step, U
starts as 0.05 I); Garcia Rodriguez, Guo, Moraitis 2022, "Short-term plasticity neurons learning to learn and
forget", the recurrent form, with the norm taken before the update as in its retrieval task.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import layer_norm

from evogen.studies.baselines import Drawn, Said, State, Synapses, Values, uniform, zeros

TINY = 1e-12


@dataclass(frozen=True)
class FastWeights:
    """A recurrent network with a decaying associative memory."""

    hidden: int
    decay: float = 0.9
    rate: float = 0.5
    inner: int = 1

    def draw(self, rng: np.random.Generator, inputs: int) -> Drawn:
        """Return W, U = 0.05 I, b, and the gain and bias of the layer norm."""
        H = self.hidden
        found = uniform(rng, H, W=(inputs, H), b=(H,))
        return found | {"U": 0.05 * np.eye(H), "gain": np.ones(H), "shift": np.zeros(H)}

    def start(self, values: Values, batch: int) -> State:
        """Return h = 0, A = 0."""
        return zeros(values, batch, self.hidden), zeros(values, batch, self.hidden, self.hidden)

    def step(self, values: Values, seen: Tensor, state: State) -> Said:
        """Return h', after the inner steps."""
        before, memory = state
        memory = self.decay * memory + self.rate * before.unsqueeze(-1) * before.unsqueeze(-2)
        fixed = torch.baddbmm(values["b"].unsqueeze(1), seen, values["W"]) + torch.bmm(before, values["U"])
        synapses = [Synapses(values["W"], seen), Synapses(values["U"], before)]
        h = torch.relu(fixed)
        for _ in range(self.inner):
            synapses.append(Synapses(memory, h))
            summed = fixed + torch.einsum("pbi,pbij->pbj", h, memory)
            scaled = layer_norm(summed, summed.shape[-1:])
            h = torch.relu(scaled * values["gain"].unsqueeze(1) + values["shift"].unsqueeze(1))
        return Said(h, (h, memory), tuple(synapses))


@dataclass(frozen=True)
class STPN:
    """Neurons whose synapses have a short-term part of their own, all normalised together."""

    hidden: int

    def draw(self, rng: np.random.Generator, inputs: int) -> Drawn:
        """Return W and b, Lambda ~ U(0, 1) and Gamma ~ U(-0.001, 0.001) / sqrt(H)."""
        H = self.hidden
        found = uniform(rng, H, W=(inputs + H, H), b=(H,))
        decay, gain = rng.random((inputs + H, H)), rng.uniform(-1e-3, 1e-3, (inputs + H, H)) * H**-0.5
        return found | {"decay": decay, "gain": gain}

    def start(self, values: Values, batch: int) -> State:
        """Return h = 0, F = 0."""
        return _nothing(values, batch)

    def step(self, values: Values, seen: Tensor, state: State) -> Said:
        """Return h', and F beside it."""
        return _plastic(values, seen, state, values["decay"], values["gain"])


@dataclass(frozen=True)
class SharedSTPN:
    """The ablation: one Lambda and one Gamma for all synapses, started at the means of STPN's, 0.5 and 0."""

    hidden: int

    def draw(self, rng: np.random.Generator, inputs: int) -> Drawn:
        """Return W, b, Lambda and Gamma."""
        H = self.hidden
        found = uniform(rng, H, W=(inputs + H, H), b=(H,))
        return found | {"decay": np.full((1, 1), 0.5), "gain": rng.uniform(-1e-3, 1e-3, (1, 1)) * H**-0.5}

    def start(self, values: Values, batch: int) -> State:
        """Return h = 0, F = 0."""
        return _nothing(values, batch)

    def step(self, values: Values, seen: Tensor, state: State) -> Said:
        """Return h', and F beside it."""
        return _plastic(values, seen, state, values["decay"], values["gain"])


@dataclass(frozen=True)
class Normalised:
    """STPN without its plasticity: a recurrent network with normalised weights."""

    hidden: int

    def draw(self, rng: np.random.Generator, inputs: int) -> Drawn:
        """Return W and b."""
        H = self.hidden
        return uniform(rng, H, W=(inputs + H, H), b=(H,))

    def start(self, values: Values, batch: int) -> State:
        """Return h = 0."""
        return (zeros(values, batch, self.hidden),)

    def step(self, values: Values, seen: Tensor, state: State) -> Said:
        """Return h'."""
        z = torch.cat([seen, state[0]], -1)
        weights = values["W"] / (values["W"].square().sum(1, keepdim=True) + TINY).sqrt()
        h = torch.tanh(torch.baddbmm(values["b"].unsqueeze(1), z, weights))
        return Said(h, (h,), (Synapses(weights, z),))


def _nothing(values: Values, batch: int) -> State:
    pre, post = values["W"].shape[1:]
    return zeros(values, batch, post), zeros(values, batch, pre, post)


def _plastic(values: Values, seen: Tensor, state: State, decay: Tensor, gain: Tensor) -> Said:
    h, fast = state
    z = torch.cat([seen, h], -1)  # (P, B, pre)
    total = values["W"].unsqueeze(1) + fast  # (P, B, pre, post)
    scale = (total.square().sum(2, keepdim=True) + TINY).rsqrt()  # (P, B, 1, post)
    summed = torch.bmm(z.flatten(0, 1).unsqueeze(1), total.flatten(0, 1)).view_as(h)
    h = torch.tanh(summed * scale.squeeze(2) + values["b"].unsqueeze(1))
    fast = decay.unsqueeze(1) * (fast * scale) + gain.unsqueeze(1) * (z.unsqueeze(-1) * h.unsqueeze(-2))
    return Said(h, (h, fast), (Synapses(total * scale, z),))
