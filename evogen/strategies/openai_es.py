"""OpenAI-ES: Adam climbs the gradient of the expected rank under isotropic noise, from mirrored pairs.

Coordinates are those of `evogen.variation.vector`. With lambda candidates x_i = m + sigma e_i a generation:

    e_2j ~ N(0, I),  e_2j+1 = -e_2j              (rows 2j, 2j + 1 of a cohort; the last may be alone)
    r_i = (lambda - k_i) / (lambda - 1) - 1/2    (centred rank: 1/2 for the best, k = 1; -1/2 for the worst)
    g = 1 / (lambda sigma) sum_i r_i (x_i - m) / sigma
    m <- m + alpha Adam(g);    alpha and sigma are multiplied by `decay`

As the ranks sum to zero, m cancels out of the sum: a candidate drawn around an older mean counts for the
gradient there. Equal candidates share their ranks. A candidate whose numbers its life tuned counts, under
Lamarckian inheritance, where they ended; a guest's step is shortened to the length of a likely draw.

Sources: Salimans et al. 2017, "Evolution strategies as a scalable alternative to reinforcement learning",
algorithm 1 and section 2.1 (mirrored sampling, ranks, Adam; without their weight decay); Kingma and Ba 2015,
"Adam: a method for stochastic optimization", algorithm 1. Defaults of sigma and rate are our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from evogen.cohort import Individual, Ref
from evogen.keys import Key
from evogen.registry import register, setting
from evogen.strategies import Scene, State, Told
from evogen.strategies.generation import SIGMAS, Seen, by_rank, gather, noise, size_for, steps
from evogen.variation.vector import Flat, Vector, flat

BETAS = 0.9, 0.999
EPSILON = 1e-8


class _Climb(NamedTuple):
    """Where the search is: its mean, Adam's moments of the gradient, and the generations behind it."""

    mean: Vector
    first: Vector
    second: Vector
    generation: int


@register("strategy", "openai-es")
@dataclass(frozen=True)
class OpenAIES:
    """OpenAI's evolution strategy over O, c and the plasticity genes; the rest is held."""

    many: ClassVar[bool] = False
    population: int = setting(
        0, low=0, doc="candidates of a generation, even; 0: 4 + floor(3 ln d), made even"
    )
    sigma: float = setting(0.1, low=1e-9, high=1e3, doc="noise, in deviations of the initial law")
    rate: float = setting(0.05, low=0.0, high=1e3, doc="Adam's step, in deviations of the initial law")
    decay: float = setting(
        1.0, low=0.5, high=1.0, doc="what rate and sigma are multiplied by after a generation"
    )

    def __post_init__(self) -> None:
        if self.population % 2:
            raise ValueError(f"population {self.population}: wanted an even number, for mirrored pairs")

    def start(self) -> State:
        """Return no search yet, which stands for the initial one, and nobody waiting."""
        return {"climb": None, "waiting": []}

    def ask(self, state: State, cohort: int, size: int, *, scene: Scene) -> tuple[Individual, ...]:
        """Return `size` draws, a mirrored pair in every two rows."""
        view = flat(scene.space, scene.root)
        climb = _read(state["climb"], view)
        sigma = self._sigma(climb, view)
        draws = climb.mean + sigma * _mirrored(
            scene.key, [Ref(cohort, row) for row in range(size)], view.dimension
        )
        return tuple(Individual(view.genome(x), operator="openai-es") for x in draws)

    def tell(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:
        """Return the state after every generation that these results complete."""
        return self._learn(state, results, scene, guests=False)

    def welcome(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:
        """Return the state with candidates of other parts of the search as members of the next generation."""
        return self._learn(state, results, scene, guests=True)

    def _learn(self, state: State, results: Sequence[Told], scene: Scene, *, guests: bool) -> State:
        view = flat(scene.space, scene.root)
        size = self.population or size_for(view.dimension) + size_for(view.dimension) % 2
        generations, waiting = gather(state["waiting"], results, size, guests=guests)
        if not generations:
            return {**state, "waiting": waiting}
        climb = _read(state["climb"], view)
        for generation in generations:
            climb = self._update(generation, climb, view, scene)
        return {"climb": [part.tolist() for part in climb[:3]] + [climb.generation], "waiting": waiting}

    def _update(self, generation: Sequence[Seen], climb: _Climb, view: Flat, scene: Scene) -> _Climb:
        size, sigma = len(generation), self._sigma(climb, view)
        e = _mirrored(scene.key, [one.ref for one in generation], view.dimension)  # (lambda, d)
        _, y = steps(generation, e, climb.mean, sigma, view=view, stock=scene.stock)
        ranks = by_rank(generation, np.linspace(0.5, -0.5, size))
        g = ranks @ y / (size * sigma)
        t = climb.generation + 1
        (b1, b2) = BETAS
        first = b1 * climb.first + (1 - b1) * g
        second = b2 * climb.second + (1 - b2) * g**2
        step = first / (1 - b1**t) / (np.sqrt(second / (1 - b2**t)) + EPSILON)
        return _Climb(climb.mean + self.rate * self.decay**climb.generation * step, first, second, t)

    def _sigma(self, climb: _Climb, view: Flat) -> Vector:
        return np.full(view.dimension, max(self.sigma * self.decay**climb.generation, SIGMAS[0]))


def _read(climb: Any, view: Flat) -> _Climb:
    if climb is None:
        zeros = np.zeros(view.dimension)
        return _Climb(zeros, zeros, zeros, 0)
    mean, first, second, generation = climb
    return _Climb(np.array(mean), np.array(first), np.array(second), generation)


def _mirrored(key: Key, refs: Sequence[Ref], dimension: int) -> Vector:
    """Return e, (R, d)."""
    signs = np.array([1.0 - 2.0 * (row % 2) for _, row in refs])
    return signs[:, None] * noise(key, [Ref(cohort, row // 2) for cohort, row in refs], dimension)
