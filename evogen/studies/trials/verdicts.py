"""Verdicts: what the numbers say of each contrast that a claim implies.

Primary test: exact Mann-Whitney rank sum of the seeds of two arms; Wilcoxon's signed rank where seeds are
paired and enough, or where the other side is a number. "same" is two one-sided tests of those ranks, shifted
by the margin (Schuirmann 1987); its contradiction is a difference tested to be beyond the margin. Holm's
correction is over all contrasts of the trial, also those of ours, so that at most 5 % of trials claim a
difference between equal arms, or that arms are the same that differ by the margin.
A failed seed ranks below every other, where the measure has a better side; else it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from evogen.analysis.comparison.claims import LEVEL, Test, choose
from evogen.analysis.comparison.ranks import Tested, paired, rank_sum, signed_rank
from evogen.analysis.statistics import Interval, Values, gap, holm, improvement, interval
from evogen.keys import Key
from evogen.studies.trials.declared import Contrast, Measure

Numbers = Mapping[tuple[str, str, str], Values]


class Verdict(StrEnum):
    """What is said of a contrast."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    UNDECIDED = "undecided"


class Decision(NamedTuple):
    """What is said of a contrast at 5 %, by which test, with p before and after Holm's correction."""

    test: Test
    p: float
    adjusted: float
    verdict: Verdict


class Judged(NamedTuple):
    """A contrast and what was found.

    Attributes:
        contrast: as declared.
        difference: of the means of seeds that did not fail, arm less against.
        wins: chance that a seed of the arm has more than one of the other, ties half.
        decision: what is said of it.
    """

    contrast: Contrast
    difference: Interval
    wins: float
    decision: Decision


def judge(
    contrasts: Sequence[Contrast],
    measures: Mapping[str, Measure],
    numbers: Numbers,
) -> list[Judged]:
    """Judge the contrasts.

    Args:
        contrasts: whose cells are all there.
        measures: by name.
        numbers: (S,) by task, arm and measure; NaN where a seed failed.
    """
    found = []
    for contrast, decision in zip(contrasts, decide(contrasts, measures, numbers), strict=True):
        first, second = _sides(contrast, numbers)
        finite = [values[np.isfinite(values)] for values in (first, second)]
        difference = _difference(contrast, first, second, Key(0).child("trial", contrast.name))
        found.append(Judged(contrast, difference, improvement(finite[:1], finite[1:]), decision))
    return found


def decide(
    contrasts: Sequence[Contrast], measures: Mapping[str, Measure], numbers: Numbers
) -> list[Decision]:
    """Return what is said of each contrast; arguments as of `judge`."""
    found = [
        _tested(each, measures[each.measure], *_sides(each, numbers), len(contrasts)) for each in contrasts
    ]
    adjusted = holm([p for _, p, _ in found])
    return [
        Decision(test, p, after, towards if after < LEVEL else Verdict.UNDECIDED)
        for (test, p, towards), after in zip(found, adjusted, strict=True)
    ]


def _sides(contrast: Contrast, numbers: Numbers) -> tuple[Values, Values]:
    """Return the (S,) numbers of the arm, and those that it stands against: (S,), or one number."""
    first = numbers[contrast.task, contrast.arm, contrast.measure]
    if isinstance(contrast.against, str):
        return first, numbers[contrast.task, contrast.against, contrast.measure]
    return first, np.array([contrast.against], dtype=np.float64)


def _tested(
    contrast: Contrast, measure: Measure, first: Values, second: Values, comparisons: int
) -> tuple[Test, float, Verdict]:
    """Return the test, its p, and what it says if that is small enough."""
    worst = {"more": -np.inf, "less": np.inf, "": np.nan}[measure.better]
    one, other = (np.where(np.isfinite(values), values, worst) for values in (first, second))
    constant = not isinstance(contrast.against, str)
    test = Test.SIGNED_RANK
    if not constant:
        test = choose(shared=contrast.paired, seeds=len(one), comparisons=comparisons)

    def shifted(by: float) -> Tested:
        """Test the arm less `by` against the other."""
        if test is Test.SIGNED_RANK:
            difference = _pairs(one - by, np.broadcast_to(other, one.shape))
            return signed_rank([difference[~np.isnan(difference)]])
        own = [values[~np.isnan(values)] for values in (one - by, other)]
        if not all(map(len, own)):
            return Tested(1.0, 0)
        return rank_sum(own[:1], own[1:], Key(0).child("trial", contrast.name, "test"))

    if contrast.expected == "same":
        return test, *_equivalent(shifted(-contrast.margin), shifted(contrast.margin))
    found = shifted(0.0)
    wanted = 1 if contrast.expected == "more" else -1
    return test, found.p, Verdict.SUPPORTED if found.sign == wanted else Verdict.CONTRADICTED


def _equivalent(low: Tested, high: Tested) -> tuple[float, Verdict]:
    """Return the p of a difference inside the margin, or of one outside, whichever is smaller.

    Args:
        low: of the difference against -margin.
        high: of the difference against +margin.
    """
    inside = max(_one_sided(low, 1), _one_sided(high, -1))
    outside = min(low.p if low.sign < 0 else 1.0, high.p if high.sign > 0 else 1.0)
    return (inside, Verdict.SUPPORTED) if inside <= outside else (outside, Verdict.CONTRADICTED)


def _one_sided(found: Tested, sign: int) -> float:
    return found.p / 2 if found.sign == sign else 1.0


def _pairs(first: Values, second: Values) -> Values:
    """Return (S,) differences; 0 where both failed, infinite where one did."""
    lost = np.isposinf(first) & np.isposinf(second)  # failures of a measure of which less is better
    return np.where(lost, 0.0, paired(np.where(lost, 0.0, first), np.where(lost, 0.0, second)))


def _difference(contrast: Contrast, first: Values, second: Values, key: Key) -> Interval:
    if contrast.paired or not isinstance(contrast.against, str):
        return interval(first - second, key)
    return gap(first, second, key)
