"""SYNTHETIC reaches: tell a movement's direction from a made-up population of cosine-tuned neurons.

    rate of unit i for direction theta: r_i = b_i + m_i cos(theta - p_i)     spikes in a bin ~ Poisson(r_i dt)

Nothing here was recorded: it stands in for motor cortex where no recording may be had. A population is drawn
once from `population_seed`: preferred directions p ~ U[0, 2 pi), baselines b ~ U[5, 15) Hz, modulations
m = b U[0, 1) Hz. The direction is one of `directions` at equal angles, uniform. `noise` adds to every unit
independent Poisson spikes of unsorted neighbours, which say nothing. Every step asks for the direction, so
that a score counts early decisions as much as late ones. Every fold is an endless stream of its own.

`ideal` is what nobody can beat: the direction that is most probable given all spikes so far and all rates.

Sources: Georgopoulos, Kalaska, Caminiti, Massey 1982 (cosine tuning); samples of 50 ms and noise of
neighbours as in Liu et al. 2023 (https://arxiv.org/abs/2303.07830); the numbers are ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.registry import register, setting
from evogen.tasks import Fold, Sequences, TaskKind
from evogen.tasks.sequences import cross_entropy, scored, share

Floats = NDArray[np.float64]


class Population(NamedTuple):
    """(N,) baselines and modulations in Hz, and preferred directions in radians."""

    baseline: Floats
    modulation: Floats
    preferred: Floats

    def rates(self, angles: Floats) -> Floats:
        """Return (..., N) rates in Hz for directions in radians."""
        return self.baseline + self.modulation * np.cos(np.asarray(angles)[..., None] - self.preferred)


@register("task", "synthetic-reach")
@dataclass(frozen=True)
class SyntheticReach:
    """Tell a direction from SYNTHETIC cosine-tuned spike trains."""

    units: int = setting(40, low=1, high=1000, doc="neurons of the synthetic population")
    directions: int = setting(4, low=2, high=64, doc="directions, at equal angles")
    bin: float = setting(2.0, low=0.1, high=100.0, doc="milliseconds of a step")
    steps: int = setting(25, low=1, high=1000, doc="steps of a sequence")
    noise: float = setting(0.0, low=0.0, high=1000.0, doc="spikes of neighbours, in Hz and unit")
    population_seed: int = setting(0, low=0, high=2**31 - 1, doc="seed of the population")
    asked: int = setting(256, low=1, high=100_000, doc="sequences behind each score")

    kind = TaskKind.SEQUENCE
    reported = "SYNTHETIC sequences of a stream that the search never saw"

    @property
    def inputs(self) -> int:
        """One input a neuron: its spikes in the bin."""
        return self.units

    @property
    def outputs(self) -> int:
        """One output a direction."""
        return self.directions

    @property
    def population(self) -> Population:
        """The neurons."""
        return _population(self.units, self.population_seed)

    @property
    def means(self) -> Floats:
        """(directions, N) spikes of a bin to be expected, with the neighbours' in them."""
        angles = np.arange(self.directions) * 2 * math.pi / self.directions
        found: Floats = (self.population.rates(angles) + self.noise) * self.bin / 1000
        return found

    def sequences(self, keys: Sequence[Key], copies: int, fold: str) -> Sequences:
        """Draw sequences of a fold's own stream."""
        means, inputs, labels = self.means, [], []
        for key in keys:
            rng = key.child(fold).generator()
            labels.append(rng.integers(0, self.directions, copies))
            counts = rng.poisson(means[labels[-1]][:, None], (copies, self.steps, self.units))
            inputs.append(counts.astype(np.float32))
        targets = torch.from_numpy(np.stack(labels)).unsqueeze(-1).expand(-1, -1, self.steps)
        return Sequences(torch.from_numpy(np.stack(inputs)), targets, torch.ones(targets.shape))

    def ideal(self, inputs: Tensor) -> Tensor:
        """Return (P, B, T) most probable directions, int64, given the spikes (P, B, T, N) up to each step."""
        means = torch.from_numpy(self.means)
        seen = inputs.double().cumsum(2)
        steps = torch.arange(1, inputs.shape[2] + 1, dtype=torch.float64)[:, None]
        # log Poisson likelihood, but for terms that all directions share
        return (seen @ means.log().T - steps * means.sum(1)).argmax(-1)

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) shares of right answers over all steps."""
        return scored(self, agents, keys, fold, copies=self.asked)

    def loss(self, output: Tensor, asked: Sequences) -> Tensor:
        """Return the (P,) cross-entropy of the answers."""
        return cross_entropy(output, asked)

    def rate(self, output: Tensor, asked: Sequences) -> Tensor:
        """Return the (P,) share of right answers over all steps."""
        return share(output, asked)


@cache
def _population(units: int, seed: int) -> Population:
    rng = Key(seed).child("synthetic-reach").generator()
    preferred = rng.uniform(0, 2 * math.pi, units)
    baseline = rng.uniform(5.0, 15.0, units)
    return Population(baseline, baseline * rng.random(units), preferred)
