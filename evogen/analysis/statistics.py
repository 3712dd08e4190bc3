"""Statistics over seeds: one training seed is one observation; agents born of it are no independent evidence.

Means, interquartile means, chances to be better, their intervals, and p-values corrected for their number.
Several tasks are strata: resampling stays inside a task, and a seed is drawn with its runs on all tasks,
which have their beginnings in common. Where scores are asked for as `strata`, that is one (S,) array per
task, one number a seed, higher is better; `-inf` is a seed that failed. `seeds` are those of the scores; None
says that no seed has runs on two tasks.

The intervals of few seeds are too short, as bootstrapped ones are: of normal scores, those called 95 % hold
the interquartile mean in 91 %, 94 % and 95 % of the cases with 5, 10 and 20 seeds (see the tests).
That is why no claim rests on them, see `evogen.analysis.comparison.claims`.

Sources: Efron 1987 (BCa); Holm 1979; Hedges 1981; Agarwal et al. 2021, "Deep reinforcement learning at the
edge of the statistical precipice" (interquartile mean, performance profile, probability of improvement).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from evogen.keys import Key

Values = npt.NDArray[np.float64]
Strata = Sequence[Values]
Seeds = Sequence[Sequence[int]]
RESAMPLES = 9_999
CUT = 0.25  # of the scores that an interquartile mean leaves out at either end
_TAILS = (0.025, 0.975)
_RESAMPLED = 5_000_000  # numbers of a resampling that are in memory at once


class Interval(NamedTuple):
    """An estimate over training seeds and its 95 % interval; NaN where nothing is finite."""

    mean: float
    low: float
    high: float


def interval(values: Values, key: Key) -> Interval:
    """Return the mean of finite (S,) values, one a training seed, with its interval; others left out.

    Bootstrapped over seeds (BCa; the percentile kind where all seeds are equal but for some, which BCa cannot
    treat).
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return Interval(math.nan, math.nan, math.nan)
    mean = float(finite.mean())
    if np.ptp(finite) == 0:
        return Interval(mean, mean, mean)
    extremes = Interval(mean, float(finite.min()), float(finite.max()))
    return _bootstrapped((finite,), np.mean, key) or extremes


def gap(first: Values, second: Values, key: Key) -> Interval:
    """Return the difference of the means of finite (S,) values of two arms, with its interval.

    Bootstrapped over the seeds of each arm apart, as `interval`; the extremes where that fails. Where an arm
    has one value there is no interval: its ends are NaN.
    """
    one, other = (values[np.isfinite(values)] for values in (first, second))
    if not len(one) or not len(other):
        return Interval(math.nan, math.nan, math.nan)
    mean = float(one.mean() - other.mean())
    if min(len(one), len(other)) < 2:
        return Interval(mean, math.nan, math.nan)
    if np.ptp(one) == 0 and np.ptp(other) == 0:
        return Interval(mean, mean, mean)

    def apart(mine: Values, theirs: Values, axis: int = -1) -> Values:
        found: Values = np.mean(mine, axis=axis) - np.mean(theirs, axis=axis)
        return found

    least, most = float(one.min() - other.max()), float(one.max() - other.min())
    return _bootstrapped((one, other), apart, key) or Interval(mean, least, most)


def _bootstrapped(samples: tuple[Values, ...], statistic: Callable[..., Any], key: Key) -> Interval | None:
    """Return a statistic of samples with its BCa interval, else the percentile kind, else None."""
    for method in ("BCa", "percentile"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a degenerate BCa, which ends as NaN and is not used
            found = stats.bootstrap(
                samples, statistic, n_resamples=RESAMPLES, method=method, random_state=key.generator()
            ).confidence_interval
        if np.isfinite([found.low, found.high]).all():
            return Interval(float(statistic(*samples)), float(found.low), float(found.high))
    return None


def iqm(strata: Strata) -> float:
    """Return the mean of the middle half of all scores together; NaN without scores."""
    every = np.concatenate([*strata, np.empty(0)])
    return float(stats.trim_mean(every, CUT)) if len(every) else math.nan


def iqm_interval(strata: Strata, key: Key, seeds: Seeds | None = None) -> Interval:
    """Return the interquartile mean of finite scores, with its stratified percentile bootstrap interval.

    Of one seed alone there is no interval: its ends are NaN.
    """
    total = sum(map(len, strata))
    if not total:
        return Interval(math.nan, math.nan, math.nan)
    cut = int(CUT * total)
    rng, found = key.generator(), []
    blocks = _blocks(strata, seeds)
    if all(len(block) == 1 for block in blocks):
        return Interval(iqm(strata), math.nan, math.nan)
    for size in _batches(total):
        drawn = [
            block[rng.integers(len(block), size=(size, len(block)))].reshape(size, -1) for block in blocks
        ]
        found.append(np.sort(np.concatenate(drawn, axis=1), axis=1)[:, cut : total - cut].mean(1))
    low, high = np.quantile(np.concatenate(found), _TAILS)
    return Interval(iqm(strata), float(low), float(high))


def wins(first: Values, second: Values) -> Values:
    """Return (S1, S2): 1 where a seed of the first is better, 0.5 where both are equal, 0 else."""
    one, other = first[:, None], second[None, :]
    return np.where(one == other, 0.5, (one > other).astype(np.float64))


def improvement(first: Strata, second: Strata) -> float:
    """Return the chance that a seed of the first beats one of the second on the same task, ties half.

    Every pair of seeds on a task counts once. Of one task this is Vargha and Delaney's A; 2 A - 1 is Cliff's
    delta.
    """
    every = [wins(*pair) for pair in zip(first, second, strict=True)]
    pairs = sum(one.size for one in every)
    return float(sum(one.sum() for one in every) / pairs) if pairs else math.nan


def improvement_interval(
    first: Strata, second: Strata, key: Key, seeds: tuple[Seeds, Seeds] | None = None
) -> Interval:
    """Return `improvement` with its stratified percentile bootstrap interval, arms resampled apart.

    Where an arm is one seed, or all of one arm are better than all of the other, resampling tells nothing of
    an interval: its ends are NaN.
    """
    every = [wins(*pair) for pair in zip(first, second, strict=True)]
    pairs = sum(one.size for one in every)
    if not pairs:
        return Interval(math.nan, math.nan, math.nan)
    rng, total = key.generator(), np.zeros(RESAMPLES)
    own = seeds or (None, None)
    arms = list(zip((first, second), own, strict=True))
    if any(all(len(block) == 1 for block in _blocks(*arm)) for arm in arms):
        return Interval(improvement(first, second), math.nan, math.nan)
    drawn = [_counts(*arm, rng) for arm in arms]
    for one, mine, theirs in zip(every, *drawn, strict=True):
        total += ((mine @ one) * theirs).sum(1)
    if np.ptp(total) == 0:
        return Interval(improvement(first, second), math.nan, math.nan)
    low, high = np.quantile(total / pairs, _TAILS)
    return Interval(improvement(first, second), float(low), float(high))


def standardised(first: Strata, second: Strata, seeds: tuple[Seeds, Seeds] | None = None) -> Interval:
    """Return Hedges' g of finite scores, the mean difference in standard deviations inside arm and task.

    Of several tasks, the mean over tasks of the difference, by the standard deviation that is common to all.
    The interval is that of normal scores with equal spread (noncentral t); NaN where nothing varies, and of
    three scores or fewer. Of seeds with runs on several tasks it is that of tasks which tell the same, the
    widest there is.
    """
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if len(a) and len(b)]
    freedom = sum(len(a) + len(b) - 2 for a, b in pairs)
    within = sum(float(((one - one.mean()) ** 2).sum()) for pair in pairs for one in pair)
    if freedom < 2 or within <= 0:  # Hedges' J is not defined for one degree of freedom
        return Interval(math.nan, math.nan, math.nan)
    gap = float(np.mean([a.mean() - b.mean() for a, b in pairs])) / math.sqrt(within / freedom)
    small = _bias(freedom)
    parts = [1 / len(a) + 1 / len(b) for a, b in pairs]
    if seeds is not None and any(_shared(each) for each in seeds):
        root = sum(map(math.sqrt, parts)) / len(pairs)
        freedom = max(1, min(len(a) + len(b) - 2 for a, b in pairs))
    else:
        root = math.sqrt(sum(parts)) / len(pairs)  # of var(gap) / var(score)
    side = math.copysign(1.0, gap)
    ends = [side * small * root * _noncentrality(abs(gap) / root, freedom, tail) for tail in _TAILS]
    return Interval(small * gap, min(ends), max(ends))


def profile(
    strata: Strata, levels: Values, key: Key, seeds: Seeds | None = None
) -> tuple[Values, Values, Values]:
    """Return the share of runs above each of (L,) levels and the ends of its pointwise 95 % interval."""
    total = sum(map(len, strata))
    above = [(block[:, :, None] > levels).sum(1) for block in _blocks(strata, seeds)]  # (S, L)
    rng, found = key.generator(), np.zeros((RESAMPLES, len(levels)))
    for one in above:
        counts = rng.multinomial(len(one), np.full(len(one), 1 / len(one)), RESAMPLES)
        found += counts @ one
    low, high = np.quantile(found / total, _TAILS, axis=0)
    return np.concatenate(above).sum(0) / total, low, high


class Reached(NamedTuple):
    """Share of runs that reached a level by each amount of steps (Kaplan-Meier: 1 - survival).

    Attributes:
        steps: where the share rises, in order.
        shares: after each rise.
        arrived, runs: runs that reached it, and all runs.
        median: steps by which half of the runs reached it; infinite where fewer ever did.
    """

    steps: tuple[float, ...]
    shares: tuple[float, ...]
    arrived: int
    runs: int
    median: float


def reached(steps: Values, observed: npt.NDArray[np.bool_]) -> Reached:
    """Return when runs reached a level.

    Args:
        steps: (S,) when each reached it, or when the one that did not was last seen.
        observed: (S,) whether it reached it; the others are censored, and count.
    """
    if not observed.any():
        return Reached((), (), 0, len(steps), math.inf)
    data = stats.CensoredData(uncensored=steps[observed], right=steps[~observed])
    found = stats.ecdf(data).cdf
    rises = np.flatnonzero(np.diff(found.probabilities, prepend=0.0) > 0)
    at, shares = found.quantiles[rises], found.probabilities[rises]
    half = np.flatnonzero(shares >= 0.5 - 1e-12)
    median = float(at[half[0]]) if len(half) else math.inf
    return Reached(tuple(map(float, at)), tuple(map(float, shares)), int(observed.sum()), len(steps), median)


def sign_flip(difference: Values, key: Key) -> float:
    """Return the two-sided p of (S,) paired differences having mean 0; NaN if fewer than two are finite.

    Exact up to 13 seeds.
    """
    finite = difference[np.isfinite(difference)]
    if len(finite) < 2:
        return math.nan
    test = stats.permutation_test(
        (finite,),
        np.mean,
        permutation_type="samples",
        n_resamples=RESAMPLES,
        vectorized=True,
        random_state=key.generator(),
    )
    return float(test.pvalue)


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values adjusted for their number, step down; NaN stays and does not count."""
    adjusted, largest = [math.nan] * len(p), 0.0
    order = sorted((value, index) for index, value in enumerate(p) if not math.isnan(value))
    for rank, (value, index) in enumerate(order):
        largest = max(largest, min(1.0, value * (len(order) - rank)))
        adjusted[index] = largest
    return adjusted


def _blocks(strata: Strata, seeds: Seeds | None) -> list[Values]:
    """Return (S, T) scores of the seeds with runs on the same T tasks; one block per set of tasks."""
    if seeds is None:
        return [scores[:, None] for scores in strata if len(scores)]
    own = _own(strata, seeds)
    tasks = {seed: tuple(task for task, _ in each) for seed, each in own.items()}
    return [
        np.array([[value for _, value in own[seed]] for seed in own if tasks[seed] == each])
        for each in dict.fromkeys(tasks.values())
    ]


def _counts(strata: Strata, seeds: Seeds | None, rng: np.random.Generator) -> list[Values]:
    """Return (RESAMPLES, S) per task: how often each run is drawn, a seed with all of its runs."""
    places = [np.arange(len(scores)) for scores in strata]
    drawn = [np.zeros((RESAMPLES, len(scores))) for scores in strata]
    if seeds is None:
        ends = np.cumsum([0, *map(len, strata)]).tolist()
        seeds = [range(begin, end) for begin, end in pairwise(ends)]
    own = _own(places, seeds)
    tasks = {seed: tuple(task for task, _ in each) for seed, each in own.items()}
    for each in dict.fromkeys(tasks.values()):
        members = [seed for seed in own if tasks[seed] == each]
        counts = rng.multinomial(len(members), np.full(len(members), 1 / len(members)), RESAMPLES)
        for at, seed in enumerate(members):
            for task, place in own[seed]:
                drawn[task][:, int(place)] = counts[:, at]
    return drawn


def _own(strata: Sequence[npt.NDArray[Any]], seeds: Seeds) -> dict[int, list[tuple[int, float]]]:
    """Return the task and the value of every run of each seed."""
    found: dict[int, list[tuple[int, float]]] = {}
    for task, pair in enumerate(zip(strata, seeds, strict=True)):
        for value, seed in zip(*pair, strict=True):
            found.setdefault(seed, []).append((task, float(value)))
    return found


def _shared(seeds: Seeds) -> bool:
    return len({seed for each in seeds for seed in each}) < sum(map(len, seeds))


def _batches(width: int) -> list[int]:
    most = max(1, _RESAMPLED // width)
    return [min(most, RESAMPLES - done) for done in range(0, RESAMPLES, most)]


def _bias(freedom: int) -> float:
    """Return Hedges' J, which makes d an unbiased estimate."""
    return math.exp(math.lgamma(freedom / 2) - math.lgamma((freedom - 1) / 2)) / math.sqrt(freedom / 2)


def _noncentrality(t: float, freedom: int, tail: float) -> float:
    """Return the noncentrality at which a share `tail` of all t lies below this t, which is >= 0."""

    def excess(value: float) -> float:
        return float(stats.nct.cdf(t, freedom, value)) - tail

    low, high = -3.0, t + 2 * math.sqrt(1 + t**2 / (2 * freedom))  # P(T < t) is over 0.99 at -3
    while excess(high) > 0:
        high = 2 * high - t
    return float(optimize.brentq(excess, low, high, xtol=1e-6))
