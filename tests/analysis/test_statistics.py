from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from evogen.analysis import statistics
from evogen.analysis.statistics import (
    gap,
    holm,
    improvement,
    improvement_interval,
    interval,
    iqm,
    iqm_interval,
    profile,
    reached,
    sign_flip,
    standardised,
)
from evogen.keys import Key


def test_interval_holds_the_mean_as_often_as_it_says() -> None:
    # 300 samples of 10 from N(0, 1): BCa of so few covers about 90 %; below 84 % or above 98 % once in 1,000.
    rng = Key(1).generator()
    found = [interval(rng.standard_normal(10), Key(2).child(index)) for index in range(300)]
    assert 0.84 < np.mean([low <= 0 <= high for _, low, high in found]) < 0.98


def test_interval_of_equal_seeds_is_a_point() -> None:
    assert interval(np.full(5, 7.0), Key(1)) == (7.0, 7.0, 7.0)


def test_interval_is_finite_where_only_one_seed_differs() -> None:
    mean, low, high = interval(np.array([500.0, 500.0, 500.0, 499.0]), Key(1))
    assert mean == 499.75
    assert 499 <= low < mean <= high <= 500


def test_interval_leaves_out_what_is_not_finite() -> None:
    assert interval(np.array([1.0, np.nan, 3.0]), Key(1)) == interval(np.array([1.0, 3.0]), Key(1))
    assert all(math.isnan(value) for value in interval(np.array([np.nan, np.inf]), Key(1)))
    assert all(math.isnan(value) for value in interval(np.empty(0), Key(1)))


def test_interval_is_a_function_of_its_key() -> None:
    values = Key(3).generator().standard_normal(10)
    assert interval(values, Key(1)) == interval(values, Key(1)) != interval(values, Key(2))


def test_a_gap_is_held_as_often_as_it_says() -> None:
    # as above, of means that are 1 apart, of 10 seeds and of 7 with twice their spread
    rng, found = Key(1).generator(), []
    for index in range(200):
        first, second = 1 + rng.standard_normal(10), 2 * rng.standard_normal(7)
        found.append(gap(first, second, Key(2).child(index)))
        assert found[-1].mean == pytest.approx(first.mean() - second.mean())
    assert 0.82 < np.mean([low <= 1 <= high for _, low, high in found]) < 0.98


def test_a_gap_needs_two_seeds_of_each_arm_for_an_interval() -> None:
    assert gap(np.full(3, 7.0), np.full(2, 5.0), Key(1)) == (2.0, 2.0, 2.0)
    one = gap(np.array([1.0, np.nan]), np.array([3.0, 5.0]), Key(1))
    assert one.mean == -3.0
    assert math.isnan(one.low)
    assert math.isnan(gap(np.array([np.nan]), np.array([3.0]), Key(1)).mean)
    few = gap(np.array([4.0, 4.0]), np.array([3.0, 2.0]), Key(1))
    assert 1 <= few.low < few.mean < few.high <= 2


def test_sign_flip_is_exact_for_few_seeds() -> None:
    # 2 of the 2^10 sign patterns of ten positive differences are as far from 0 as theirs
    assert sign_flip(np.arange(1.0, 11.0), Key(1)) == pytest.approx(2 / 1024)
    assert sign_flip(np.zeros(6), Key(1)) == 1.0
    assert sign_flip(np.array([1.0, -1.0, 2.0, -2.0]), Key(1)) == 1.0
    assert math.isnan(sign_flip(np.array([1.0]), Key(1)))


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, math.nan])[:3] == pytest.approx([0.03, 0.06, 0.06])
    assert math.isnan(holm([0.01, math.nan])[1])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


# Scores of two arms on three tasks, and what rliable 1.2.0 says of them (50,000 and 2,000 resamples).
X = np.array(
    [
        [0.94, 0.68, 0.6, 0.72, 0.7, 0.31, 0.65, 0.63],
        [0.51, 0.44, 0.25, 0.47, 0.55, 0.71, 0.29, 0.52],
        [0.61, 0.6, 0.8, 0.57, 0.55, 0.62, 0.93, 1.01],
    ]
)
Y = np.array(
    [
        [0.49, 0.04, 0.35, 0.61, 0.26, 0.43, 0.61, 0.14],
        [0.21, 0.71, 0.71, 0.09, 0.79, 0.67, 0.35, 0.58],
        [0.42, 0.42, 0.17, 0.37, 0.85, 0.46, 0.16, 0.95],
    ]
)


def test_interquartile_mean_and_its_interval_are_those_of_rliable() -> None:
    assert iqm(list(X)) == pytest.approx(0.6066666666666668)
    assert iqm_interval(list(X), Key(1)) == pytest.approx((0.60666667, 0.55916667, 0.6625), abs=0.006)
    assert iqm_interval(list(Y), Key(1)) == pytest.approx((0.44583333, 0.32, 0.56), abs=0.01)


def test_probability_of_improvement_and_its_interval_are_those_of_rliable() -> None:
    assert improvement(list(X), list(Y)) == pytest.approx(0.6927083333333334)
    found = improvement_interval(list(X), list(Y), Key(1))
    assert found == pytest.approx((0.6927083333333334, 0.54427083, 0.83860677), abs=0.012)


def test_performance_profile_is_that_of_rliable() -> None:
    share, low, high = profile(list(X), np.array([0.2, 0.5, 0.8]), Key(1))
    assert share == pytest.approx([1.0, 0.79166667, 0.125])
    assert low == pytest.approx([1.0, 0.66666667, 0.0], abs=0.05)
    assert high == pytest.approx([1.0, 0.91666667, 0.25], abs=0.05)


def test_failures_are_above_no_level_and_beat_nobody() -> None:
    scores = [np.array([-np.inf, 1.0, 2.0])]
    assert profile(scores, np.array([-1e9, 1.5]), Key(1))[0] == pytest.approx([2 / 3, 1 / 3])
    assert improvement(scores, [np.array([0.0])]) == pytest.approx(2 / 3)
    assert improvement([np.array([-np.inf])], [np.array([-np.inf])]) == 0.5


@pytest.mark.parametrize(("seeds", "share"), [(5, 0.91), (10, 0.94), (20, 0.95)])
def test_interquartile_interval_covers_as_often_as_the_page_says(seeds: int, share: float) -> None:
    # 400 samples: the standard error of a share is 1.5 points at most
    rng = Key(4).child(seeds).generator()
    found = [iqm_interval([rng.standard_normal(seeds)], Key(index)) for index in range(400)]
    assert np.mean([low <= 0 <= high for _, low, high in found]) == pytest.approx(share, abs=0.045)


def test_hedges_g_by_hand() -> None:
    # means 5 and 3, both variances 2.5, d = 2 / sqrt(2.5); J is about 1 - 3 / (4 * 8 - 1)
    first, second = np.array([3.0, 4, 5, 6, 7]), np.array([1.0, 2, 3, 4, 5])
    assert standardised([first], [second]).mean == pytest.approx(2 / 2.5**0.5 * (1 - 3 / 31), rel=1e-3)
    back = standardised([second], [first])
    assert back == pytest.approx([-value for value in np.array(standardised([first], [second]))[[0, 2, 1]]])
    assert math.isnan(standardised([np.ones(3)], [np.ones(3)]).mean)


def test_interval_of_hedges_g_excludes_zero_where_the_t_test_rejects() -> None:
    rng = Key(5).generator()
    for _ in range(50):
        first, second = rng.normal(0.9, 1, 9), rng.normal(0, 1, 7)
        _, low, high = standardised([first], [second])
        assert (low > 0 or high < 0) == (stats.ttest_ind(first, second).pvalue < 0.05)


def test_runs_that_never_arrive_are_counted() -> None:
    found = reached(np.array([10.0, 30.0, 50.0, 50.0]), np.array([True, True, False, False]))
    assert (found.steps, found.arrived, found.runs, found.median) == ((10.0, 30.0), 2, 4, 30.0)
    assert found.shares == pytest.approx((0.25, 0.5))
    assert reached(np.array([5.0]), np.array([False])).median == math.inf


def test_runs_that_were_watched_for_less_are_weighed_as_kaplan_and_meier_do() -> None:
    # 1 of 4 at risk by 10; one is lost at 20; 1 of 2 that are left at 30: 1 - 3/4 * 1/2
    found = reached(np.array([10.0, 20.0, 30.0, 40.0]), np.array([True, False, True, False]))
    assert found.shares == pytest.approx((0.25, 0.625))


def test_few_scores_have_no_effect_size_and_one_seed_has_no_interval() -> None:
    one, two = [np.array([1.0])], [np.array([1.0, 2.0])]
    assert np.isnan(statistics.standardised(one, two)).all()
    assert statistics.iqm_interval(one, Key(0))[0] == 1
    assert np.isnan(statistics.iqm_interval(one, Key(0))[1:]).all()
    assert np.isnan(statistics.improvement_interval(one, two, Key(0))[1:]).all()


SCORES = np.random.default_rng(3).normal(size=16)


def test_a_seed_is_drawn_with_its_runs_on_all_tasks() -> None:
    scores, ids = SCORES, [range(len(SCORES))] * 3
    alone, copied = (statistics.iqm_interval([scores] * tasks, Key(0), ids[:tasks]) for tasks in (1, 3))
    apart = statistics.iqm_interval([scores] * 3, Key(0))
    assert copied.high - copied.low == pytest.approx(alone.high - alone.low, rel=0.15)
    assert apart.high - apart.low < 0.75 * (alone.high - alone.low)
    other = scores + 0.3
    one = statistics.improvement_interval([other], [scores], Key(0))
    same = statistics.improvement_interval([other] * 3, [scores] * 3, Key(0), (ids, ids))
    assert same == pytest.approx(one)
    wide = statistics.standardised([other] * 3, [scores] * 3, (ids, ids))
    assert wide.mean == pytest.approx(statistics.standardised([other], [scores]).mean, rel=0.1)
    assert wide.low < statistics.standardised([other] * 3, [scores] * 3).low
    levels = np.array([0.0])
    narrow = [
        high - low
        for _, (low,), (high,) in (
            statistics.profile([scores] * 3, levels, Key(0), seeds) for seeds in (None, ids)
        )
    ]
    assert narrow[0] < 0.75 * narrow[1]


def test_improvement_of_arms_that_do_not_overlap_has_no_interval():
    found = improvement_interval([np.array([4.0, 5, 6])], [np.array([1.0, 2, 3])], Key(0))
    assert found.mean == 1.0
    assert np.isnan([found.low, found.high]).all()
