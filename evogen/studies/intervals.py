"""Statistics over training seeds: born agents of one seed are no independent evidence about training.

Each training seed counts once, by the mean over its agents; intervals are bootstrapped over seeds (BCa; the
percentile kind where all seeds are equal but for some, which BCa cannot treat). Two arms begin each seed with
equal streams, so they are compared in pairs: a sign-flip permutation test of the mean difference (exact up to
13 seeds), with Holm's correction over the tests of a contrast.

Sources: Efron 1987 (BCa); Holm 1979; Agarwal et al. 2021, "Deep RL at the edge of the statistical precipice".
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from evogen.keys import Key

RESAMPLES = 9_999


class Interval(NamedTuple):
    """A mean over training seeds and its 95 % bootstrap interval; NaN where nothing is finite."""

    mean: float
    low: float
    high: float


def interval(values: np.ndarray, key: Key) -> Interval:
    """Return the mean of finite (S,) values, one a training seed, with its interval; others left out."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return Interval(math.nan, math.nan, math.nan)
    mean = float(finite.mean())
    if np.ptp(finite) == 0:
        return Interval(mean, mean, mean)
    for method in ("BCa", "percentile"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a degenerate BCa, which ends as NaN and is not used
            found = stats.bootstrap(
                (finite,), np.mean, n_resamples=RESAMPLES, method=method, random_state=key.generator()
            ).confidence_interval
        if np.isfinite([found.low, found.high]).all():
            return Interval(mean, float(found.low), float(found.high))
    return Interval(mean, float(finite.min()), float(finite.max()))


def sign_flip(difference: np.ndarray, key: Key) -> float:
    """Return the two-sided p of (S,) paired differences having mean 0; NaN if fewer than two are finite."""
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
