"""What may be claimed of arms: one rule, fixed before the scores are seen.

An arm is claimed to be better than another if the exact rank test of their fresh scores, two-sided, has
p < 0.05 after Holm's correction over all comparisons that are made. Nothing else makes a claim: no interval,
no profile, no effect size. If all arms are equal, one comparison or more is claimed with a probability of 5 %
at most, with any number of seeds and arms and any distribution of scores. One seed is one observation, on
however many tasks it has runs.

The test is `rank_sum`, of arms with seeds of their own. It is `signed_rank`, of seed with seed, where runs of
equal seed share random streams in both arms and enough seeds are there for that test to make a claim at all;
what the scores are plays no part in this choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import combinations
from typing import NamedTuple

from evogen.analysis.comparison.ranks import Tested, paired, rank_sum, signed_rank
from evogen.analysis.statistics import Seeds, Strata, holm
from evogen.keys import Key

LEVEL = 0.05
Pair = tuple[str, str]


class Test(StrEnum):
    """A primary test."""

    __test__ = False  # nothing for pytest to collect

    RANK_SUM = "rank-sum"
    SIGNED_RANK = "signed-rank"

    @property
    def sentence(self) -> str:
        """What it compares, for people."""
        return _SENTENCES[self]


_SENTENCES = {
    Test.RANK_SUM: "exact Mann-Whitney rank-sum test, seeds of one arm against those of the other",
    Test.SIGNED_RANK: "exact Wilcoxon signed-rank test, each seed of one arm against that seed of the other",
}


class Verdict(NamedTuple):
    """What is claimed of two arms.

    Attributes:
        first, second: the arms.
        test: that was made.
        p: of that test, two-sided.
        adjusted: by Holm, for the number of comparisons.
        better: the arm that is claimed to be better; None is no claim.
    """

    first: str
    second: str
    test: Test
    p: float
    adjusted: float
    better: str | None


def judge(
    arms: Mapping[str, Strata],
    comparisons: Sequence[Pair],
    tests: Mapping[Pair, Test],
    key: Key,
    seeds: Mapping[str, Seeds] | None = None,
) -> tuple[Verdict, ...]:
    """Test every comparison and say which arms are claimed to be better.

    Args:
        arms: scores by arm, one (S,) array per task in the same order; a failed seed is `-inf`. Where the
            test is the paired one, place s is the same seed in both arms.
        comparisons: pairs of arms.
        tests: which one for each pair, see `choose`.
        key: of the draws of tests with too many seeds to be counted out.
        seeds: by arm, of its scores; None: no seed has runs on two tasks.
    """
    found = [
        _tested(
            (arms[a], arms[b]),
            tests[a, b],
            key.child("test", a, b),
            None if seeds is None else (seeds[a], seeds[b]),
        )
        for a, b in comparisons
    ]
    adjusted = holm([one.p for one in found])
    return tuple(
        Verdict(a, b, tests[a, b], one.p, p, _better(a, b, one.sign) if p < LEVEL else None)
        for (a, b), one, p in zip(comparisons, found, adjusted, strict=True)
    )


def choose(*, shared: bool, seeds: int, comparisons: int) -> Test:
    """Return the test of a pair of arms.

    Args:
        shared: whether runs of equal seed share random streams in both arms, and all seeds are in both.
        seeds: in each arm, each counted once on however many tasks it has runs.
        comparisons: that are made.
    """
    least = 2.0 ** (1 - seeds)  # p, if every seed prefers the same arm
    return Test.SIGNED_RANK if shared and least * comparisons < LEVEL else Test.RANK_SUM


def pairs_of(arms: Sequence[str], against: str | None = None) -> list[Pair]:
    """Return all pairs of arms, or every other arm with the one that they are compared against."""
    if against is None:
        return list(combinations(arms, 2))
    return [(arm, against) for arm in arms if arm != against]


def _tested(arms: tuple[Strata, Strata], test: Test, key: Key, seeds: tuple[Seeds, Seeds] | None) -> Tested:
    if test is Test.RANK_SUM:
        return rank_sum(*arms, key, seeds)
    return signed_rank(
        [paired(*pair) for pair in zip(*arms, strict=True)], None if seeds is None else seeds[0]
    )


def _better(first: str, second: str, sign: int) -> str | None:
    return {1: first, -1: second}.get(sign)
