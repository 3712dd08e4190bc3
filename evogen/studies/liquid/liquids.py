"""Liquids: recurrent nets of leaky integrate-and-fire neurons that are not trained, and their readout.

    u_t = x_t W_in + s_{t-1} W        (v, s) <- `lif-step`(u_t)        r_t = r_{t-1} + (s_t - r_{t-1}) / tau_r

An image is shown row after row, each for some ticks; the liquid state is the trace r after the last one, and
ridge regression of it on the classes is all that learns. W_ij is not 0 where the graph connects i to j;
its size is |g N(0, 1)| / sqrt(N), its sign that of neuron i (Dale's law).

Source of the liquid: Maass, Natschlaeger, Markram 2002. The graph is Watts' and Strogatz' (1998): each neuron
connects to its nearest on a ring, and each connection goes elsewhere with the chance p. Sizes are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.neurons import Seen
from evogen.neurons.lif_step import LifStep
from evogen.registry import evolvable_fields
from evogen.tasks.digits import CLASSES, Digits, pixels

NEURON = LifStep(tau=3.0, theta=0.5)
ROWS, COLUMNS = 8, 8
TRACE = 8.0  # ticks, tau_r
RIDGE = 1.0
INHIBITORY = 0.2
HEARING, LOUDNESS = 0.3, 3.0  # share of neurons that a pixel reaches, and by how much
BRIGHTEST = 16
STILL = 1e-3  # added to the spread of a neuron's trace, for those that never fire


class Liquids(NamedTuple):
    """P liquids of N neurons.

    Attributes:
        graph: (P, N, N) bool, [pre, post].
        size: (P, N, N) of connections where the graph has them, >= 0.
        sign: (P, N, 1), 1 or -1.
        inlet: (P, columns, N).
        gain: (P,) that multiplies all sizes.
    """

    graph: Tensor
    size: Tensor
    sign: Tensor
    inlet: Tensor
    gain: Tensor

    @property
    def weights(self) -> Tensor:
        """W, (P, N, N)."""
        return self.gain[:, None, None] * self.sign * self.size * self.graph

    def pick(self, rows: Sequence[int]) -> Liquids:
        """Return some of them."""
        return Liquids(*(part[list(rows)] for part in self))


class Law(NamedTuple):
    """Ranges that a liquid is drawn from: degree (up to N / 2) uniform, rewiring p and gain log-uniform."""

    degree: tuple[int, int] = (4, 40)
    rewired: tuple[float, float] = (0.003, 1.0)
    gain: tuple[float, float] = (0.3, 10.0)


def born(law: Law, keys: Sequence[Key], neurons: int) -> Liquids:
    """Draw one liquid a key."""
    each = [_one(law, key, neurons) for key in keys]
    return Liquids(*(torch.from_numpy(np.stack(parts)) for parts in zip(*each, strict=True)))


def _one(law: Law, key: Key, n: int) -> tuple[np.ndarray, ...]:
    rng = key.generator()
    degree = int(rng.integers(law.degree[0], min(law.degree[1], n // 2) + 1))
    rewired, gain = (np.exp(rng.uniform(*np.log(ends))) for ends in (law.rewired, law.gain))
    graph = small_world(n, degree, rewired, rng)
    size = np.abs(rng.standard_normal((n, n)))  # |N(0, 1)|
    sign = np.where(rng.permutation(n) < INHIBITORY * n, -1.0, 1.0)[:, None]
    inlet = LOUDNESS * rng.standard_normal((COLUMNS, n)) * (rng.random((COLUMNS, n)) < HEARING)
    found = (graph, size / np.sqrt(n), sign, inlet / np.sqrt(COLUMNS))
    return (found[0], *(part.astype(np.float32) for part in found[1:]), np.array(gain, np.float32))


def small_world(n: int, degree: int, rewired: float, rng: np.random.Generator) -> np.ndarray:
    """Return (n, n) bool: each neuron to its `degree` nearest, each of these elsewhere with a chance."""
    graph = np.zeros((n, n), bool)
    steps = np.array([(1 + at // 2) * (-1) ** at for at in range(degree)])
    for pre in range(n):
        targets = (pre + steps) % n
        moved = rng.random(degree) < rewired
        graph[pre, targets[~moved]] = True
        free = np.flatnonzero(~graph[pre] & (np.arange(n) != pre))
        graph[pre, rng.choice(free, int(moved.sum()), replace=False)] = True
    return graph


@torch.no_grad()
def live(liquids: Liquids, drive: Tensor) -> Tensor:
    """Return the spikes (T, P, B, N) of lives that start at rest.

    Args:
        liquids: P of them.
        drive: (T, B, columns) shown to all, or (T, P, B, columns).
    """
    W, rows, n = liquids.weights, *liquids.sign.shape[:2]
    batch = drive.shape[-2]
    spikes = W.new_zeros(rows, batch, n)
    state = {"v": W.new_zeros(rows, batch, n)}
    numbers = {each.name: float(getattr(NEURON, each.name)) for each in evolvable_fields(LifStep)}
    values = {name: torch.tensor(value) for name, value in {**numbers, "stretch": 0.0}.items()}
    own, found = torch.ones(1, 1, n), []
    for x in drive:
        current = torch.matmul(x, liquids.inlet) + torch.bmm(spikes, W)
        spikes, state = NEURON.step(Seen(current, own, x), state, values)  # type: ignore[assignment]
        found.append(spikes)
    return torch.stack(found)


def traces(spikes: Tensor) -> Tensor:
    """Return the trace r (P, B, N) after the last of (T, P, B, N) spikes."""
    r = torch.zeros_like(spikes[0])
    for s in spikes:
        r = r + (s - r) / TRACE
    return r


def answers(liquids: Liquids, drive: Tensor) -> Tensor:
    """Return the liquid states (P, B, N) at the end of the images (T, B, columns)."""
    return traces(live(liquids, drive))


@cache
def shown(task: Digits, fold: str, ticks: int) -> tuple[Tensor, Tensor]:
    """Return the images (T, M, columns) of a fold row after row, 0 to 1, and the (M,) labels."""
    images, labels = pixels(task, fold)
    rows = (images / BRIGHTEST).reshape(-1, ROWS, COLUMNS).transpose(0, 1)
    return rows.repeat_interleave(ticks, 0).contiguous(), labels


class Readout(NamedTuple):
    """Ridge regression on the classes, of states standardised by what training saw; B (P, N + 1, classes)."""

    centre: Tensor
    spread: Tensor
    B: Tensor

    @classmethod
    def fitted(cls, states: Tensor, labels: Tensor) -> Readout:
        """Fit (P, M, N) states to (M,) labels."""
        centre, spread = states.mean(1, keepdim=True), states.std(1, keepdim=True) + STILL
        blank = cls(centre, spread, states)
        X = blank.scaled(states)
        Y = torch.nn.functional.one_hot(labels, CLASSES).double()
        gram = X.transpose(1, 2) @ X + RIDGE * torch.eye(X.shape[-1], dtype=torch.float64)
        return blank._replace(B=torch.linalg.solve(gram, X.transpose(1, 2) @ Y))

    def scaled(self, states: Tensor) -> Tensor:
        """Return (P, M, N + 1) float64, the last entry 1."""
        each = ((states - self.centre) / self.spread).double()
        return torch.cat([each, torch.ones_like(each[..., :1])], -1)

    def accuracy(self, states: Tensor, labels: Tensor) -> Tensor:
        """Return the (P,) shares of (P, M, N) states whose largest answer is right."""
        return ((self.scaled(states) @ self.B).argmax(-1) == labels).double().mean(-1)
