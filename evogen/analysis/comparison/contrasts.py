"""Contrasts: two arms at a time, with what is claimed, how large it is and what could be found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evogen.analysis import statistics
from evogen.analysis.comparison.arms import Arm
from evogen.analysis.comparison.claims import Test, Verdict, choose, judge, pairs_of
from evogen.analysis.comparison.power import Power, power
from evogen.analysis.comparison.ranks import gathered
from evogen.analysis.comparison.scales import Scale, scores_of
from evogen.analysis.statistics import Interval, Seeds
from evogen.keys import Key


@dataclass(frozen=True)
class Contrast:
    """Two arms.

    Attributes:
        verdict: test and claim.
        improvement: chance that a run of the first beats one of the second.
        effect: Hedges' g, failed runs as the lowest.
        power: of the test.
        reason: why this test.
    """

    verdict: Verdict
    improvement: Interval
    effect: Interval
    power: Power
    reason: str

    @property
    def delta(self) -> float:
        """Cliff's delta: chance to be better less chance to be worse."""
        return 2 * self.improvement.mean - 1


def contrasts(
    arms: Sequence[Arm], scales: Mapping[str, Scale], against: str | None, key: Key
) -> tuple[Contrast, ...]:
    """Compare all pairs of arms, or all others with one.

    Args:
        arms: with runs on all tasks.
        scales: by task.
        against: the name of the one; None is all pairs.
        key: of resampling.
    """
    by_name = {arm.name: arm for arm in arms}
    pairs = pairs_of(list(by_name), against)
    ranked = {name: [scores_of(arm)[task] for task in scales] for name, arm in by_name.items()}
    shown = {
        name: [
            scale.of(scale.filled(scores))
            for scores, scale in zip(ranked[name], scales.values(), strict=True)
        ]
        for name in by_name
    }
    seeds = {
        name: [[one.seed for one in arm.trials[task]] for task in scales] for name, arm in by_name.items()
    }
    tests, reasons = {}, {}
    for pair in pairs:
        tests[pair], reasons[pair] = _test(by_name[pair[0]], by_name[pair[1]], list(scales), len(pairs))
    found = []
    for verdict in judge(ranked, pairs, tests, key, seeds):
        a, b = pair = (verdict.first, verdict.second)
        found.append(
            Contrast(
                verdict,
                statistics.improvement_interval(
                    ranked[a], ranked[b], key.child("improvement", a, b), (seeds[a], seeds[b])
                ),
                statistics.standardised(shown[a], shown[b], (seeds[a], seeds[b])),
                _power(seeds[a], seeds[b], verdict.test, len(pairs)),
                reasons[pair],
            )
        )
    return tuple(found)


def _power(first: Seeds, second: Seeds, test: Test, comparisons: int) -> Power:
    mine, theirs = (
        gathered([np.zeros(len(own), dtype=np.int64) for own in each], each) for each in (first, second)
    )
    both = [tasks for tasks in mine if tasks in theirs]
    sizes = tuple((len(mine[tasks]), len(theirs[tasks])) for tasks in both)
    return power(sizes, test, comparisons, max(map(len, both), default=1))


def _test(first: Arm, second: Arm, tasks: Sequence[str], comparisons: int) -> tuple[Test, str]:
    pairs = [(first.trials[task], second.trials[task]) for task in tasks]
    if any([one.seed for one in a] != [one.seed for one in b] for a, b in pairs):
        return Test.RANK_SUM, "the arms have seeds of their own"
    every = [(one, other) for a, b in pairs for one, other in zip(a, b, strict=True)]
    if any(one.start != other.start or not one.start for one, other in every):
        return (
            Test.RANK_SUM,
            "runs of equal seed begin with other genomes, so that they share no random streams",
        )
    shared = "runs of equal seed begin with the same genomes and share their random streams"
    seeds = len({one.seed for one, _ in every})
    test = choose(shared=True, seeds=seeds, comparisons=comparisons)
    if test is Test.RANK_SUM:
        few = f"{seeds} pair{'s are' if seeds > 1 else ' is'} too few"
        return test, f"{shared}, but {few} for the paired test to make any claim"
    return test, shared
