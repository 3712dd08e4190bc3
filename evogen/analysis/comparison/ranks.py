"""Exact rank tests: the chance of the ranks that were found, if the names of the arms meant nothing.

Both tests count every way in which the ranks could have fallen, ties included, so that they claim too often
by no assumption about the scores: of all equal arms, at most the share `level` has p <= `level`, with any
number of seeds, any distribution, any ties. They are conditional on the ranks (Lehmann 1975). Several tasks
are strata: ranks are those within a task, and their sums are added up. Runs of one seed on several tasks
begin with the same genomes and draw from the same streams, so that they are one observation: their ranks are
added up first, and it is these sums whose names are exchanged, among seeds that have runs on the same tasks.

rank_sum: two arms with seeds of their own (Wilcoxon 1945; Mann and Whitney 1947; van Elteren 1960).
signed_rank: seed s of the one with seed s of the other (Wilcoxon 1945); pairs that are equal are left out.

A failed seed is `-inf`: worse than every score, equal to every other failure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache, reduce
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from evogen.analysis.statistics import Seeds
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


def rank_sum(
    first: Sequence[Values], second: Sequence[Values], key: Key, seeds: tuple[Seeds, Seeds] | None = None
) -> Tested:
    """Test whether two arms are equal on every task.

    Args:
        first: one (S,) array of scores per task.
        second: likewise, of seeds of its own.
        key: of the draws where there are too many ways to count (more than about 130 seeds an arm).
        seeds: of the scores of the first and of the second; None: no seed has runs on two tasks.
    """
    one, other = seeds or (_apart(first), _apart(second))
    tied = [_doubled(np.concatenate(pair)) for pair in zip(first, second, strict=True)]
    mine = gathered([ranks[: len(scores)] for ranks, scores in zip(tied, first, strict=True)], one)
    theirs = gathered([ranks[len(scores) :] for ranks, scores in zip(tied, first, strict=True)], other)
    both = [tasks for tasks in mine if tasks in theirs]
    sums = [np.array([*mine[tasks], *theirs[tasks]], dtype=np.int64) for tasks in both]
    raised = [ranks - ranks.min() for ranks in sums]
    step = math.gcd(*(int(rank) for ranks in raised for rank in ranks))
    if step == 0:
        return _NOTHING
    shifted = [ranks // step for ranks in raised]
    sizes = [len(mine[tasks]) for tasks in both]
    observed = sum(int(ranks[:size].sum()) for ranks, size in zip(shifted, sizes, strict=True))
    strata = tuple((tuple(sorted(map(int, ranks))), size) for ranks, size in zip(shifted, sizes, strict=True))
    if sum(_work(*stratum) for stratum in strata) > _WORK:
        return _sampled(shifted, sizes, observed, key)
    return _tested(rank_sums(strata), observed)


def signed_rank(differences: Sequence[Values], seeds: Seeds | None = None) -> Tested:
    """Test whether paired differences are symmetric about 0 on every task.

    Args:
        differences: one (S,) array per task; not finite where one of a pair failed, see `paired`.
        seeds: of them; None: no seed has runs on two tasks.
    """
    ranks = [np.zeros(len(each), dtype=np.int64) for each in differences]
    for own, each in zip(ranks, differences, strict=True):
        if (kept := each != 0).any():
            own[kept] = _doubled(np.abs(each[kept])) * np.sign(each[kept]).astype(np.int64)
    sums = [total for each in gathered(ranks, seeds or _apart(differences)).values() for total in each]
    step = math.gcd(*sums)
    if step == 0:
        return _NOTHING
    observed = sum(total // step for total in sums if total > 0)
    return _tested(signed_sums(tuple(sorted(abs(total) // step for total in sums if total))), observed)


def gathered(values: Sequence[Counts], seeds: Seeds) -> dict[Whole, list[int]]:
    """Return the sum of each seed's values over tasks, by the tasks (numbers) that it has runs on.

    Args:
        values: one (S,) array per task.
        seeds: of each of these values.
    """
    sums: dict[int, int] = {}
    tasks: dict[int, Whole] = {}
    for task, pair in enumerate(zip(values, seeds, strict=True)):
        for value, seed in zip(*pair, strict=True):
            sums[seed] = sums.get(seed, 0) + int(value)
            tasks[seed] = (*tasks.get(seed, ()), task)
    return {
        each: [sums[seed] for seed in sums if tasks[seed] == each] for each in dict.fromkeys(tasks.values())
    }


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


def _apart(scores: Sequence[Values]) -> Seeds:
    """Return numbers for seeds of which none has runs on two tasks."""
    ends = list(accumulate(map(len, scores), initial=0))
    return [range(*pair) for pair in pairwise(ends)]


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
