"""CMA-ES: a Gaussian with a full covariance matrix, by the library `cmaes`.

Coordinates are those of `evogen.variation.vector`; the search begins at mean 0 with the covariance sigma^2 I.
Generations, weights and rates are the library's (Hansen 2016, "The CMA evolution strategy: a tutorial").
With a lookahead of 1 and cohorts of `population` candidates the numbers are the library's own, bit for bit,
if it is seeded anew for every candidate.

A candidate that was not drawn from the distribution as it is now is told as an injected solution: its
Mahalanobis distance to the mean is shortened to that of a likely draw (Hansen 2011, "Injecting external
solutions into CMA-ES"). So are those of a longer lookahead or of smaller cohorts, which the distribution has
left behind; those whose numbers their life tuned, under Lamarckian inheritance; and guests. The library only
sorts by value, so it is told ranks; equals keep their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from cmaes import CMA

from evogen.cohort import Individual, Ref
from evogen.errors import SpecError
from evogen.keys import Key
from evogen.registry import register, setting
from evogen.strategies import Scene, State, Told
from evogen.strategies.generation import SIGMAS, Seen, gather, shortened, size_for
from evogen.variation.vector import Flat, Vector, flat

MOST = 1000  # coordinates: d^2 / 2 numbers of state, d^3 operations a candidate


@register("strategy", "cmaes")
@dataclass(frozen=True)
class CMAES:
    """Covariance matrix adaptation over O, c and the plasticity genes; the rest is held."""

    many: ClassVar[bool] = False
    population: int = setting(0, low=0, doc="candidates of a generation, 4 at least; 0: 4 + floor(3 ln d)")
    sigma: float = setting(1.0, low=1e-9, high=1e3, doc="deviation at the start, in those of the initial law")

    def __post_init__(self) -> None:
        if 0 < self.population < 4:
            raise ValueError(f"population {self.population}: wanted 4 or more, or 0 for 4 + floor(3 ln d)")

    def start(self) -> State:
        """Return no distribution yet, which stands for the initial one, and nobody waiting."""
        return {"distribution": None, "waiting": []}

    def ask(self, state: State, cohort: int, size: int, *, scene: Scene) -> tuple[Individual, ...]:
        """Return `size` draws."""
        view = _flat(scene)
        optimizer = self._optimizer(state, view)
        draws = [_draw(optimizer, scene.key, Ref(cohort, row)) for row in range(size)]
        return tuple(Individual(view.genome(x), operator="cmaes") for x in draws)

    def tell(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:
        """Return the state after every generation that these results complete."""
        return self._learn(state, results, scene, guests=False)

    def welcome(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:
        """Return the state with candidates of other parts of the search as members of the next generation."""
        return self._learn(state, results, scene, guests=True)

    def _learn(self, state: State, results: Sequence[Told], scene: Scene, *, guests: bool) -> State:
        view = _flat(scene)
        size = self.population or size_for(view.dimension)
        generations, waiting = gather(state["waiting"], results, size, guests=guests)
        if not generations:
            return {**state, "waiting": waiting}
        distribution = state["distribution"]
        for generation in generations:
            optimizer = self._optimizer({"distribution": distribution}, view)
            standings = [one.standing for one in generation]
            ranked = sorted(range(size), key=standings.__getitem__, reverse=True)
            with np.errstate(divide="ignore", invalid="ignore"):  # by no width, long after all became one
                solutions = [_solution(optimizer, one, view, scene) for one in generation]
                optimizer.tell([(solutions[row], float(rank)) for rank, row in enumerate(ranked)])
            moved = _written(optimizer)
            if all(np.isfinite(part).all() for part in moved.values()):
                distribution = moved
        return {"distribution": distribution, "waiting": waiting}

    def _optimizer(self, state: State, view: Flat) -> CMA:
        d = view.dimension
        optimizer = CMA(
            mean=np.zeros(d), sigma=self.sigma, population_size=self.population or size_for(d), seed=0
        )
        if state["distribution"] is not None:
            optimizer.__setstate__({**optimizer.__getstate__(), **_read(state["distribution"])})
        return optimizer


def _flat(scene: Scene) -> Flat:
    view = flat(scene.space, scene.root)
    if view.dimension > MOST:
        raise SpecError(
            f"the strategy 'cmaes' wants at most {MOST} numbers to tune, and this search space has "
            f"{view.dimension}, for a covariance matrix of their square: use 'snes', or fewer genes"
        )
    return view


def _draw(optimizer: CMA, key: Key, ref: Ref) -> Vector:
    optimizer.reseed_rng(key.child("noise", *ref).integer() % 2**32)
    return np.asarray(optimizer.ask())


def _solution(optimizer: CMA, one: Seen, view: Flat, scene: Scene) -> Vector:
    """Return the (d,) point to be told."""
    drawn = optimizer.mean if one.guest else _draw(optimizer, scene.key, one.ref)
    x = view.vector(scene.stock(one.ref), drawn, optimizer.mean)
    if not one.guest and np.array_equal(x, drawn):
        return x
    B, D = optimizer._eigen_decomposition()
    z = B.T @ (x - optimizer.mean) / (D * optimizer._sigma)
    return np.asarray(optimizer.mean + optimizer._sigma * (B @ (D * shortened(z))))


def _written(optimizer: CMA) -> dict[str, Any]:
    """Return what tells a distribution from the initial one; C as its upper triangle, row by row.

    The library makes C symmetric before it decomposes it; done here, before one half is dropped, it gives the
    same bits.
    """
    C = (optimizer._C + optimizer._C.T) / 2
    return {
        "mean": optimizer.mean.tolist(),
        "sigma": float(np.clip(optimizer._sigma, *SIGMAS)),
        "C": C[np.triu_indices(optimizer.dim)].tolist(),
        "p_sigma": optimizer._p_sigma.tolist(),
        "p_c": optimizer._pc.tolist(),
        "generation": optimizer.generation,
    }


def _read(written: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of the library's object, as its own pickles hold them."""
    return {
        "_mean": np.array(written["mean"]),
        "_sigma": written["sigma"],
        "_c_1d": np.array(written["C"]),
        "_p_sigma": np.array(written["p_sigma"]),
        "_pc": np.array(written["p_c"]),
        "_g": written["generation"],
    }
