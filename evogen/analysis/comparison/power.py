"""Power: what the tests behind the claims find, and what is too small for them.

The share of repetitions in which a planted difference is found, of normal scores with equal spread, each
judged by the test itself at the level that Holm's correction may ask for (0.05 by the number of comparisons;
with several, the power is at least as high). A difference of d is d standard deviations of the scores of
one arm between seeds; of the paired test, d standard deviations of the differences. Where a seed has runs on
several tasks, these count as one task: so they would if they told the same, and with less in common the power
is higher.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evogen.analysis.comparison.claims import LEVEL, Test
from evogen.analysis.comparison.ranks import rank_sums, signed_sums, two_sided
from evogen.keys import Key

SHOWN = (0.5, 1.0, 1.5, 2.0, 3.0)
WANTED = 0.8
Seeds = tuple[tuple[int, int], ...]
Share = Callable[[float, float], float]  # of repetitions that find a difference, at a level
_MOST = 100  # seeds an arm: with more, the power is that of so many, or better
_NUMBERS = 20_000_000  # in memory
_REPETITIONS = 10_000
_LARGEST = 20.0
_KEY = Key(0).child("power")


class Power(NamedTuple):
    """What a comparison finds.

    Attributes:
        seeds: of the two arms, per set of tasks that they have runs on.
        tasks: that a seed has runs on, at most.
        test: that is made.
        comparisons: that the level is shared by.
        detectable: the smallest difference that is found with a power of 0.8; infinite where no claim is
            possible at all.
        found: power by difference.
    """

    seeds: Seeds
    tasks: int
    test: Test
    comparisons: int
    detectable: float
    found: tuple[tuple[float, float], ...]


@lru_cache(maxsize=64)
def power(seeds: Seeds, test: Test, comparisons: int, tasks: int = 1) -> Power:
    """Return the power of a test with so many seeds of two arms on each task, or set of `tasks` tasks."""
    if not seeds:  # none of the one arm has runs on the tasks of one of the other
        return Power(seeds, tasks, test, comparisons, math.inf, tuple((d, 0.0) for d in SHOWN))
    capped = tuple((min(one, _MOST), min(other, _MOST)) for one, other in seeds)
    share = _rank_sum(capped) if test is Test.RANK_SUM else _signed_rank(capped)
    level = LEVEL / comparisons
    detectable = math.inf
    if share(_LARGEST, level) >= WANTED:
        low, detectable = 0.0, _LARGEST
        while detectable - low > 0.005:
            middle = (low + detectable) / 2
            low, detectable = (low, middle) if share(middle, level) >= WANTED else (middle, detectable)
    return Power(seeds, tasks, test, comparisons, detectable, tuple((d, share(d, level)) for d in SHOWN))


def _rank_sum(seeds: Seeds) -> Share:
    least = sum(one * (one - 1) // 2 for one, _ in seeds)  # sum of the lowest ranks, counted from 0
    p = two_sided(rank_sums(tuple((tuple(range(one + other)), one) for one, other in seeds)))
    repetitions = min(_REPETITIONS, _NUMBERS // sum(one * other for one, other in seeds))
    rng = _KEY.child("rank-sum").generator()
    gaps = [
        (_normal(rng, repetitions, other)[:, None, :] - _normal(rng, repetitions, one)[:, :, None])
        for one, other in seeds
    ]

    def share(d: float, level: float) -> float:
        wins = np.sum([(gap < d).sum((1, 2)) for gap in gaps], axis=0)
        return float((p[least + wins] < level).mean())

    return share


def _signed_rank(seeds: Seeds) -> Share:
    p = two_sided(signed_sums(tuple(sorted(rank for one, _ in seeds for rank in range(1, one + 1)))))
    rng = _KEY.child("signed-rank").generator()
    noise = [_normal(rng, _REPETITIONS, one) for one, _ in seeds]

    def share(d: float, level: float) -> float:
        sums = np.zeros(_REPETITIONS, dtype=np.int64)
        for each in noise:
            ranks = np.abs(each + d).argsort(1).argsort(1) + 1
            sums += np.where(each + d > 0, ranks, 0).sum(1)
        return float((p[sums] < level).mean())

    return share


def _normal(rng: np.random.Generator, *shape: int) -> npt.NDArray[np.float32]:
    return rng.standard_normal(shape, dtype=np.float32)  # ~ N(0, 1)
