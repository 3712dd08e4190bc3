"""Liquids that evolve, by what they score or by what they look like, and a random search beside them.

A genome is a liquid's graph, sizes, signs and gain. A child takes every neuron, with all that it sends, from
one of two parents (each the better of two drawn); then each connection to be or not to be is flipped with a
small chance and the gain changed. The best liquid so far always stays. ELSM flips bits of the graph too; all
laws of draws are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.studies.liquid.liquids import Law, Liquids, born

FLIPS = 20.0  # connections that change in a child, on average
STEP = 0.2  # ~ N(0, 0.2^2) is added to the log of the gain

Fitness = Callable[[Liquids], Tensor]
"""(P,) numbers of liquids, higher is better; (P, K) numbers count by the sum of their ranks."""


class Budget(NamedTuple):
    """Liquids that are looked at: so many at a time, so often."""

    population: int
    generations: int

    @property
    def liquids(self) -> int:
        """All of them."""
        return self.population * self.generations


def drawn(law: Law, key: Key, count: int, neurons: int) -> Liquids:
    """Return `count` random liquids; the first of them are the same whatever the count."""
    return born(law, [key.child("liquid", number) for number in range(count)], neurons)


def evolved(fitness: Fitness, law: Law, key: Key, budget: Budget, neurons: int) -> Liquids:
    """Return the best liquid that evolution found, as one row; its first generation is `drawn`."""
    parents = drawn(law, key, budget.population, neurons)
    scores = fitness(parents)
    for generation in range(1, budget.generations):
        rng = key.child("generation", generation).generator()
        every = together(parents, bred(parents, ranked(scores), rng, budget.population))
        scores = torch.cat([scores, fitness(every.pick(range(len(parents.gain), len(every.gain))))])
        kept = torch.argsort(ranked(scores), descending=True, stable=True)[: budget.population].tolist()
        parents, scores = every.pick(kept), scores[kept]
    return parents.pick([int(ranked(scores).argmax())])


def ranked(scores: Tensor) -> Tensor:
    """Return (P,) scores as they are, of (P, K) the sum of ranks, in which the lower is the worse."""
    return scores if scores.ndim == 1 else scores.argsort(0).argsort(0).sum(1).double()


def bred(parents: Liquids, merit: Tensor, rng: np.random.Generator, count: int) -> Liquids:
    """Return `count` children."""
    return together(*(_child(parents, merit, rng) for _ in range(count)))


def _child(parents: Liquids, merit: Tensor, rng: np.random.Generator) -> Liquids:
    pairs = rng.integers(len(merit), size=(2, 2))
    one, other = (parents.pick([int(pair[merit[torch.from_numpy(pair)].argmax()])]) for pair in pairs)
    n = one.graph.shape[1]
    mine = torch.from_numpy(rng.random(n) < 0.5)
    rows = mine[None, :, None]
    flips = torch.from_numpy(rng.random((1, n, n)) < FLIPS / n**2) & ~torch.eye(n, dtype=torch.bool)
    gain = one.gain if rng.random() < 0.5 else other.gain
    return Liquids(
        torch.where(rows, one.graph, other.graph) ^ flips,
        torch.where(rows, one.size, other.size),
        torch.where(rows, one.sign, other.sign),
        torch.where(mine, one.inlet, other.inlet),
        (gain * float(np.exp(rng.normal(0, STEP)))).to(gain.dtype),
    )


def together(*each: Liquids) -> Liquids:
    """Return the rows of all."""
    return Liquids(*(torch.cat(parts) for parts in zip(*each, strict=True)))
