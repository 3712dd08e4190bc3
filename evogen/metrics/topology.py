"""Topology and dynamics of a network as a graph: small-worldness, branching ratio, separation rank.

    small-worldness   S = (C / C_r) / (L / L_r)       C_r = k / (n - 1), L_r = (ln n - g) / ln k + 1/2
    branching ratio   m: <a(t+1) | a(t)> = m a(t) + h, the least-squares slope of activity on that before
    separation rank   rank of the (inputs, neurons) matrix of states

C is the mean local clustering and L the mean distance of the pairs that are connected, of the graph without
directions, loops and signs; n neurons, k their mean degree, g Euler's constant. A random graph of equal size
has S near 1. m = 1 is critical; input that is drawn anew each step goes into h.

Sources: S: Humphries, Gurney 2008, eq. 3, with the random graph's L of Fronczak et al. 2004, eq. 16; m:
Wilting, Priesemann 2018, eq. 1-2 (all neurons are seen, so that its estimate is the plain one); rank:
Legenstein, Maass 2007. The probe by which any network is measured, white noise, is ours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from evogen.metrics import Subject
from evogen.registry import register, setting
from evogen.tasks import TaskKind

EULER = 0.5772156649015329


def undirected(A: Tensor) -> Tensor:
    """Return the graph (P, N, N) of 0 and 1, float64, of connections in either direction; no loops."""
    joined = (A != 0) | (A != 0).transpose(1, 2)
    return (joined & ~torch.eye(A.shape[1], dtype=torch.bool, device=A.device)).double()


def clustering(G: Tensor, neurons: Tensor) -> Tensor:
    """Return the (P,) mean local clustering of undirected graphs; 0 for neurons of fewer than two neighbours.

    Args:
        G: (P, N, N) from `undirected`.
        neurons: (P,), how many of N there are, the others have no connections.
    """
    degree = G.sum(1)
    triangles = torch.einsum("pij,pij->pi", G @ G, G)  # twice those through i
    pairs = degree * (degree - 1)
    return torch.where(pairs > 0, triangles / pairs.clamp(min=1), 0.0).sum(1) / neurons


def distance(G: Tensor) -> Tensor:
    """Return the (P,) mean number of steps between two neurons that are connected; NaN if none are."""
    reached = torch.eye(G.shape[1], dtype=torch.bool, device=G.device).expand(G.shape).clone()
    total, pairs = G.new_zeros(len(G)), G.new_zeros(len(G))
    front = reached
    for steps in range(1, G.shape[1]):
        front = (torch.bmm(front.double(), G) > 0) & ~reached
        found = front.sum((1, 2)).double()
        if not bool(found.any()):
            break
        total, pairs = total + steps * found, pairs + found
        reached = reached | front
    return total / pairs


def small_world(A: Tensor, neurons: Tensor) -> Tensor:
    """Return the small-worldness S (P,) of directed graphs; NaN where a random graph's distance has no law.

    Args:
        A: (P, N, N), not 0 where pre [row] connects to post [column].
        neurons: (P,), how many of N there are.
    """
    G, n = undirected(A), neurons.double()
    k = G.sum((1, 2)) / n
    law = (n.log() - EULER) / k.log() + 0.5
    S = (clustering(G, n) / (k / (n - 1))) / (distance(G) / law)
    return torch.where(k > 1, S, math.nan)


def branching_ratio(activity: Tensor) -> Tensor:
    """Return m (P,) of the activity (P, B, T) of B runs: spikes, or whatever is summed over neurons.

    NaN where the activity never changes.
    """
    before, after = activity[..., :-1].double(), activity[..., 1:].double()
    before = before - before.mean((1, 2), keepdim=True)
    after = after - after.mean((1, 2), keepdim=True)
    return (before * after).sum((1, 2)) / before.square().sum((1, 2))


def separation_rank(states: Tensor) -> Tensor:
    """Return the (P,) numerical ranks of states (P, inputs, neurons); NaN where one is not finite."""
    broken = ~states.isfinite().all(2).all(1)
    rank = torch.linalg.matrix_rank(states.double().nan_to_num(0.0, 0.0, 0.0)).double()
    return torch.where(broken, math.nan, rank)


@register("metric", "topology")
@dataclass(frozen=True)
class Topology:
    """Small-worldness, branching ratio and separation rank of each candidate's average network."""

    threshold: float = setting(0.0, low=0.0, high=1.0, doc="connections: above this share of the largest")
    steps: int = setting(32, low=3, high=10_000, doc="of white noise that the neurons are probed by")
    inputs: int = setting(32, low=1, high=10_000, doc="streams of white noise")

    fits: ClassVar[frozenset[TaskKind]] = frozenset(TaskKind)
    measures: ClassVar[Mapping[str, str]] = {
        "small_world": "small-worldness of the graph of all neurons, 1 is a random graph's",
        "branching_ratio": "activity that one unit of hidden activity causes a step later, in noise",
        "separation_rank": "rank of the hidden states that streams of noise lead to",
    }

    def measure(self, subject: Subject) -> Mapping[str, Tensor]:
        """Return (P,) numbers."""
        A, neurons = self.graph(subject)
        states = self._probed(subject)  # (P, B, T, N)
        return {
            "small_world": small_world(A, neurons),
            "branching_ratio": branching_ratio(states.abs().sum(-1)),
            "separation_rank": separation_rank(states[:, :, -1]),
        }

    def graph(self, subject: Subject) -> tuple[Tensor, Tensor]:
        """Return which neurons connect, (P, N, N) over all levels, and (P,) how many there are."""
        phenotype, network = subject.phenotype, subject.average
        sizes = [level.size for level in phenotype.layout.levels]
        starts = np.cumsum([0, *sizes])
        A = network.weights[0].new_zeros(phenotype.rows, int(starts[-1]), int(starts[-1]))
        for link, W, mask in zip(phenotype.layout.links, network.weights, phenotype.masks, strict=True):
            size = (W * mask).abs()
            rows, columns = slice(*starts[link.pre : link.pre + 2]), slice(*starts[link.post : link.post + 2])
            A[:, rows, columns] = size
        largest = A.flatten(1).amax(1)[:, None, None]
        counts = [sum(body.sizes) for body in phenotype.bodies]
        return self.threshold * largest < A, torch.tensor(counts, device=A.device)

    def _probed(self, subject: Subject) -> Tensor:
        """Return what hidden neurons say to noise, (P, B, T, N); 0 where there is none."""
        network = subject.average
        shape = (self.steps, self.inputs, network.layout.levels[0].size)
        drawn = [key.generator().standard_normal(shape) for key in subject.keys]
        noise = torch.from_numpy(np.stack(drawn)).to(network.device, network.dtype)  # ~ N(0, 1)
        state, said = network.start(self.inputs), []
        for step in range(self.steps):
            seen, *hidden, _ = network.activity(noise[:, step], state)
            said.append(torch.cat([seen[..., :0], *hidden], -1))  # (P, B, N), N = 0 without hidden neurons
            state = network.live(noise[:, step], state)[1]
        mask = torch.from_numpy(self._own(subject)).to(network.device)[:, None, None]  # (P, 1, 1, N)
        return torch.where(mask, torch.stack(said, 2), 0.0)

    def _own(self, subject: Subject) -> np.ndarray:
        """Return which hidden neurons (P, N) are a candidate's own, and no padding."""
        levels = subject.phenotype.layout.levels
        hidden = range(1, len(levels) - 1)
        rows = [
            np.concatenate([[], *(np.arange(levels[at].size) < body.sizes[at] for at in hidden)])
            for body in subject.phenotype.bodies
        ]
        return np.stack(rows).astype(bool)
