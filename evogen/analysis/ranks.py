"""Exact rank tests: the chance of the ranks that were found, if the names of the arms meant nothing.

Both tests count every way in which the ranks could have fallen, ties included, so that they claim too often
by no assumption about the scores: of all equal arms, at most the share `level` has p <= `level`, with any
number of seeds, any distribution, any ties. They are conditional on the ranks (Lehmann 1975). Several tasks
are strata: ranks are those within a task, and their sums are added up.

rank_sum: two arms with seeds of their own (Wilcoxon 1945; Mann and Whitney 1947; van Elteren 1960).
signed_rank: seed s of the one with seed s of the other (Wilcoxon 1945); pairs that are equal are left out.

A failed seed is `-inf`: worse than every score, equal to every other failure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache, reduce
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from evogen.keys import Key

Values = npt.NDArray[np.float64]
Whole = tuple[int, ...]
Counts = npt.NDArray[np.int64]
_WORK = 2_000_000_000  # sums of a count by dynamic programming; what is larger is sampled
_SAMPLES = 99_999


class Tested(NamedTuple):
    """A two-sided p, and 1 if the first arm ranks higher, -1 if the second does, 0 if neither."""

    p: float
    sign: int


_NOTHING = Tested(1.0, 0)  # every score equals every other


def rank_sum(first: Sequence[Values], second: Sequence[Values], key: Key) -> Tested:
    """Test whether two arms are equal on every task.

    Args:
        first: one (S,) array of scores per task.
        second: likewise, of seeds of its own.
        key: of the draws where there are too many ways to count (more than about 130 seeds an arm).
    """
    tied = [_doubled(np.concatenate(pair)) for pair in zip(first, second, strict=True)]
    raised = [ranks - ranks.min() for ranks in tied]
    step = math.gcd(*(int(rank) for ranks in raised for rank in ranks))
    if step == 0:
        return _NOTHING
    shifted = [ranks // step for ranks in raised]
    sizes = [len(scores) for scores in first]
    observed = sum(int(ranks[:size].sum()) for ranks, size in zip(shifted, sizes, strict=True))
    strata = tuple((tuple(sorted(map(int, ranks))), size) for ranks, size in zip(shifted, sizes, strict=True))
    if sum(_work(*stratum) for stratum in strata) > _WORK:
        return _sampled(shifted, sizes, observed, key)
    return _tested(rank_sums(strata), observed)


def signed_rank(differences: Sequence[Values]) -> Tested:
    """Test whether paired differences are symmetric about 0 on every task.

    Args:
        differences: one (S,) array per task; not finite where one of a pair failed, see `paired`.
    """
    kept = [each[each != 0] for each in differences]
    doubled = [_doubled(np.abs(each)) for each in kept if len(each)]
    if not doubled:
        return _NOTHING
    signs = [each > 0 for each in kept if len(each)]
    observed = sum(int(ranks[up].sum()) for ranks, up in zip(doubled, signs, strict=True))
    every = np.concatenate(doubled)
    step = math.gcd(*map(int, every))
    return _tested(signed_sums(tuple(sorted(int(rank) // step for rank in every))), observed // step)


def paired(first: Values, second: Values) -> Values:
    """Return (S,) differences; 0 where both failed, infinite where one did."""
    both = np.isneginf(first) & np.isneginf(second)
    with np.errstate(invalid="ignore"):
        return np.where(both, 0.0, first - second)


def two_sided(chances: Values) -> Values:
    """Return the p of every value of a statistic: twice its smaller tail, itself included, at most 1."""
    p: Values = np.minimum(1.0, 2 * np.minimum(np.cumsum(chances), np.cumsum(chances[::-1])[::-1]))
    return p


@lru_cache(maxsize=1024)
def rank_sums(strata: tuple[tuple[Whole, int], ...]) -> Values:
    """Return the chance of each sum of ranks, of `size` ranks drawn in each stratum.

    Args:
        strata: (whole ranks from 0 on, in order; how many are drawn) of each task.
    """
    return reduce(np.convolve, (_drawn(*stratum) for stratum in strata))


@lru_cache(maxsize=1024)
def signed_sums(ranks: Whole) -> Values:
    """Return the chance of each sum of those ranks that a fair coin picks."""
    chances = np.zeros(sum(ranks) + 1)
    chances[0] = 1.0
    for rank in ranks:
        chances[rank:] = (chances[rank:] + chances[: len(chances) - rank]) / 2
        chances[:rank] /= 2
    return chances


def _tested(chances: Values, at: int) -> Tested:
    below, above = float(chances[: at + 1].sum()), float(chances[at:].sum())
    return _told(min(1.0, 2 * min(below, above)), below, above)


def _told(p: float, below: float, above: float) -> Tested:
    return Tested(p, 0 if math.isclose(below, above) else 1 if above < below else -1)


def _drawn(ranks: Whole, size: int) -> Values:
    """Count the subsets of this size by their sum."""
    top = sum(ranks[len(ranks) - size :])
    counts = np.zeros((size + 1, top + 1))
    counts[0, 0] = 1.0
    for number, rank in enumerate(ranks, 1):
        rows = min(number, size)  # more than were seen cannot be drawn
        counts[1 : rows + 1, rank:] += counts[:rows, : top + 1 - rank].copy()
    chances: Values = counts[size] / math.comb(len(ranks), size)
    return chances


def _doubled(values: Values) -> Counts:
    """Return the ranks times two, which are whole numbers though ties share theirs."""
    ranks: Counts = np.rint(2 * stats.rankdata(values)).astype(np.int64)
    return ranks


def _work(ranks: Whole, size: int) -> int:
    return len(ranks) * size * sum(ranks[len(ranks) - size :])


def _sampled(ranks: Sequence[Counts], sizes: Sequence[int], observed: int, key: Key) -> Tested:
    """Return the p of a random subset of all permutations, the one that was found included (Phipson 2010)."""
    rng = key.generator()
    below = above = 1
    for _ in range(_SAMPLES):
        found = sum(int(rng.permutation(one)[:size].sum()) for one, size in zip(ranks, sizes, strict=True))
        below += found <= observed
        above += found >= observed
    return _told(min(1.0, 2 * min(below, above) / (_SAMPLES + 1)), below, above)
