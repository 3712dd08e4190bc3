"""Running mean and standard deviation of what every candidate observes in training, for its input neurons.

    mean <- mean + (mean' - mean) m / (n + m)
    M2   <- M2 + M2' + (mean' - mean)^2 n m / (n + m)        n <- n + m          (m new ones, mean' and M2')

Learners set it after the updates of every rollout, the last one too: what is scored sees through what all of
training saw, a little other than what the last update was made with. What was inherited serves until the
first rollout is over, then what this life saw.

Source: Chan, Golub, LeVeque 1979, the parallel form of Welford's update. In float64.
"""

from __future__ import annotations

import torch
from torch import Tensor

from evogen.phenotype import Phenotype
from evogen.phenotype.network import Lens
from evogen.phenotype.rows import rowwise

SMALLEST = 1e-4  # of a standard deviation: a constant observation is centred, not blown up


@rowwise(shared=["_slots"])
class Statistics:
    """What P candidates saw so far; does nothing for a phenotype without a lens."""

    def __init__(self, phenotype: Phenotype) -> None:
        """Begin with nothing seen."""
        self._slots = {slot.name: slot for slot in phenotype.slots if slot.name in ("0.m", "0.s")}
        self._count = 0
        self._mean = self._squares = self._deviation = torch.zeros(())

    def view(self, observation: Tensor) -> Tensor:
        """Return (P, M, inputs) observations as the input neurons see them now."""
        if not self._count:
            return observation
        mean, deviation = (part.to(observation) for part in (self._mean, self._deviation))
        return Lens(mean, deviation).view(observation)

    @torch.no_grad()
    def see(self, observation: Tensor, flat: Tensor) -> None:
        """Add (P, M, inputs) observations and write mean and deviation into (P, D) parameters, in place."""
        if not self._slots:
            return
        seen = observation.double()
        count, mean = seen.shape[1], seen.mean(1)
        squares = (seen - mean.unsqueeze(1)).square().sum(1)
        if self._count:
            apart, total = mean - self._mean, self._count + count
            squares = self._squares + squares + apart.square() * (self._count * count / total)
            mean = self._mean + apart * (count / total)
        self._mean, self._squares, self._count = mean, squares, self._count + count
        self._deviation = (squares / self._count).sqrt().clamp_min(SMALLEST)
        for name, values in (("0.m", mean), ("0.s", self._deviation)):
            slot = self._slots[name]
            flat[:, slot.start : slot.start + slot.size] = values.to(flat)
