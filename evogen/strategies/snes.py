"""SNES: a Gaussian with one standard deviation a coordinate follows the ranks of its candidates.

Coordinates are those of `evogen.variation.vector`. With lambda candidates x_i = mu + sigma z_i a generation:

    z_i ~ N(0, I)
    u_k = max(0, ln(lambda / 2 + 1) - ln k) / sum_j max(0, ...) - 1 / lambda            (utility of rank k)
    mu    <- mu + eta_mu sigma (sum_i u_i z_i + sum_i w_i (y_i - z_i)),     w_i = u_i + 1 / lambda
    sigma <- sigma exp(eta_sigma / 2 sum_i u_i (z_i^2 - 1))

y_i = (x_i - mu) / sigma is where the candidate lies as seen from now. It equals z_i if x_i was drawn from mu
and sigma as they are, and the update is then the published one: so with a lookahead of 1 and cohorts of
lambda. If mu has moved since (a longer lookahead, smaller cohorts), the second sum leads it to the better
candidates instead of repeating the step that led past them; without it a lookahead of 4 oscillates. A
candidate whose numbers its life tuned counts, under Lamarckian inheritance, where they ended. A guest has
z_i = y_i, shortened to the length of a likely draw.

Sources: Wierstra et al. 2014, "Natural evolution strategies", table 1 and algorithm 6; Schaul, Glasmachers,
Schmidhuber 2011, "High dimensions and heavy tails for natural evolution strategies". Equal candidates share
their utilities, so that a plateau moves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from evogen.cohort import Individual, Ref
from evogen.registry import register, setting
from evogen.strategies import Scene, State, Told
from evogen.strategies.generation import SIGMAS, Seen, by_rank, gather, noise, size_for, steps
from evogen.variation.vector import Flat, Vector, flat


@register("strategy", "snes")
@dataclass(frozen=True)
class SNES:
    """Separable natural evolution strategy over O, c and the plasticity genes; the rest is held."""

    many: ClassVar[bool] = False
    population: int = setting(0, low=0, doc="candidates of a generation, 4 at least; 0: 4 + floor(3 ln d)")
    sigma: float = setting(
        1.0, low=1e-9, high=1e3, doc="deviations at the start, in those of the initial law"
    )
    mean_rate: float = setting(1.0, low=0.0, high=10.0, doc="learning rate of the mean")
    sigma_rate: float = setting(
        1.0, low=0.0, high=10.0, doc="learning rate of the deviations, in units of (3 + ln d) / (5 sqrt d)"
    )

    def __post_init__(self) -> None:
        if 0 < self.population < 4:
            raise ValueError(f"population {self.population}: wanted 4 or more, or 0 for 4 + floor(3 ln d)")

    def start(self) -> State:
        """Return no distribution yet, which stands for the initial one, and nobody waiting."""
        return {"mean": None, "sigma": None, "waiting": []}

    def ask(self, state: State, cohort: int, size: int, *, scene: Scene) -> tuple[Individual, ...]:
        """Return `size` draws."""
        view = flat(scene.space, scene.root)
        mean, sigma = self._distribution(state, view)
        draws = mean + sigma * noise(scene.key, [Ref(cohort, row) for row in range(size)], mean.size)
        return tuple(Individual(view.genome(x), operator="snes") for x in draws)

    def tell(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:
        """Return the state after every generation that these results complete."""
        return self._learn(state, results, scene, guests=False)

    def welcome(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:
        """Return the state with candidates of other parts of the search as members of the next generation."""
        return self._learn(state, results, scene, guests=True)

    def _learn(self, state: State, results: Sequence[Told], scene: Scene, *, guests: bool) -> State:
        view = flat(scene.space, scene.root)
        mean, sigma = self._distribution(state, view)
        size = self.population or size_for(view.dimension)
        generations, waiting = gather(state["waiting"], results, size, guests=guests)
        if not generations:
            return {**state, "waiting": waiting}
        for generation in generations:
            mean, sigma = self._update(generation, mean, sigma, view, scene)
        return {"mean": mean.tolist(), "sigma": sigma.tolist(), "waiting": waiting}

    def _update(
        self, generation: Sequence[Seen], mean: Vector, sigma: Vector, view: Flat, scene: Scene
    ) -> tuple[Vector, Vector]:
        d, size = mean.size, len(generation)
        z = noise(scene.key, [one.ref for one in generation], d)  # (lambda, d)
        z, y = steps(generation, z, mean, sigma, view=view, stock=scene.stock)
        u = by_rank(generation, utilities(size))
        eta_sigma = self.sigma_rate * (3 + math.log(d)) / (5 * math.sqrt(d))
        mean = mean + self.mean_rate * sigma * (u @ z + (u + 1 / size) @ (y - z))
        return mean, np.clip(sigma * np.exp(eta_sigma / 2 * (u @ (z**2 - 1))), *SIGMAS)

    def _distribution(self, state: State, view: Flat) -> tuple[Vector, Vector]:
        if state["mean"] is None:
            return np.zeros(view.dimension), np.full(view.dimension, self.sigma)
        return np.array(state["mean"]), np.array(state["sigma"])


def utilities(size: int) -> Vector:
    """Return (size,) utilities, best rank first; their sum is 0."""
    raw = np.maximum(0.0, math.log(size / 2 + 1) - np.log(np.arange(1, size + 1)))
    return np.asarray(raw / raw.sum() - 1 / size)
