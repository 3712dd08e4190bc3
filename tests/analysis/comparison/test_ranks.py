from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from evogen.analysis.comparison.ranks import paired, rank_sum, signed_rank
from evogen.keys import Key

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("sizes", [(3, 4), (5, 5), (4, 9), (10, 10), (20, 20), (60, 60)])
def test_rank_sum_is_that_of_scipy_where_nothing_is_tied(sizes: tuple[int, int]) -> None:
    first, second = (RNG.normal(size=size) + 0.4 * at for at, size in enumerate(sizes))
    wanted = stats.mannwhitneyu(first, second, method="exact").pvalue
    assert rank_sum([first], [second], Key(0)).p == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("sizes", [(4, 5), (6, 6)])
def test_rank_sum_counts_ties_as_all_permutations_do(sizes: tuple[int, int]) -> None:
    first, second = (RNG.integers(0, 4, size) + float(at) for at, size in enumerate(sizes))

    def total(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
        ranks = stats.rankdata(np.concatenate([a, b], axis=axis), axis=axis)
        return ranks.take(range(a.shape[axis]), axis=axis).sum(axis)

    wanted = stats.permutation_test((first, second), total, vectorized=True, n_resamples=np.inf).pvalue
    assert rank_sum([first], [second], Key(0)).p == pytest.approx(wanted, rel=1e-9)


def test_rank_sum_of_several_tasks_is_that_of_all_permutations_inside_them() -> None:
    first, second = [np.array([3.0, 1.0]), np.array([5.0, 6.0])], [np.array([2.0, 0.0]), np.array([4.0, 4.0])]
    # sums of wins: task 1 has 3 of 4, task 2 has 4 of 4; of 6 * 6 ways, those with 7 wins or more
    ways = [(0, 1), (1, 1), (2, 2), (3, 1), (4, 1)]  # wins and ways, without ties
    tied = [(0, 1), (2, 4), (4, 1)]  # 4, 4, 5, 6: two that are equal
    many = sum(a * b for one, a in ways for other, b in tied if one + other >= 7)
    assert rank_sum(first, second, Key(0)).p == pytest.approx(2 * many / 36)


def test_rank_sum_names_the_better_arm() -> None:
    low, high = np.array([1.0, 2, 3, 4]), np.array([5.0, 6, 7, 8])
    assert rank_sum([high], [low], Key(0)) == pytest.approx((2 / 70, 1))
    assert rank_sum([low], [high], Key(0)) == pytest.approx((2 / 70, -1))
    assert rank_sum([low], [low], Key(0)).sign == 0
    assert rank_sum([np.ones(5)], [np.ones(5)], Key(0)) == (1.0, 0)


def test_a_failed_seed_is_worse_than_every_score() -> None:
    first, second = np.array([-np.inf, -np.inf, -np.inf, -np.inf]), np.array([-1e9, -1e8, -1e7, -1e6])
    assert rank_sum([first], [second], Key(0)) == pytest.approx((2 / 70, -1))


def test_rank_sum_of_very_many_seeds_is_sampled_near_scipys() -> None:
    first, second = RNG.normal(0.15, 1, 300), RNG.normal(0, 1, 300)
    wanted = stats.mannwhitneyu(first, second).pvalue
    assert rank_sum([first], [second], Key(0)).p == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize("size", [5, 12, 40])
def test_signed_rank_is_that_of_scipy(size: int) -> None:
    difference = RNG.normal(0.3, 1, size)
    wanted = stats.wilcoxon(difference, method="exact").pvalue
    assert signed_rank([difference]).p == pytest.approx(wanted, rel=1e-9)


def test_signed_rank_counts_ties_as_all_signs_do() -> None:
    difference = np.array([1.0, 1, -1, 2, 2, 3, 3, 3])
    ranks = stats.rankdata(np.abs(difference))
    sums = np.array([ranks[[bool(way >> at & 1) for at in range(8)]].sum() for way in range(256)])
    wanted = 2 * np.mean(sums >= ranks[difference > 0].sum())
    assert signed_rank([difference]) == pytest.approx((wanted, 1))


def test_equal_pairs_are_left_out_and_one_sided_failures_rank_highest() -> None:
    first, second = np.array([-np.inf, 1.0, -np.inf, 4.0]), np.array([-np.inf, -np.inf, 2.0, 4.0])
    difference = paired(first, second)
    assert difference.tolist() == [0.0, np.inf, -np.inf, 0.0]
    assert signed_rank([difference]) == (1.0, 0)
    assert signed_rank([np.zeros(6)]) == (1.0, 0)


def test_ranks_of_one_seed_are_added_up_before_names_are_exchanged() -> None:
    first, second = [RNG.normal(size=4) for _ in range(2)], [RNG.normal(1, 1, 3) for _ in range(2)]
    ranks = [stats.rankdata(np.concatenate(pair)) for pair in zip(first, second, strict=True)]
    every = sum(ranks)  # of 7 seeds with runs on both tasks
    sums = [sum(every[list(chosen)]) for chosen in combinations(range(7), 4)]
    own = sum(every[:4])
    wanted = min(1, 2 * min(np.mean(np.array(sums) <= own), np.mean(np.array(sums) >= own)))
    ids = [range(4)] * 2, [range(4, 7)] * 2
    assert rank_sum(first, second, Key(0), ids).p == pytest.approx(wanted)
    copied = rank_sum([first[0]] * 2, [second[0]] * 2, Key(0), ids)
    assert copied == pytest.approx(rank_sum(first[:1], second[:1], Key(0)))


def test_only_seeds_on_the_same_tasks_exchange_names() -> None:
    first, second = [np.array([3.0, 4]), np.array([5.0])], [np.array([1.0, 2]), np.array([0.0])]
    ids = [(1, 2), (1,)], [(1, 2), (2,)]  # a seed of each on both tasks, one on the first only: 2 * 2 ways
    assert rank_sum(first, second, Key(0), ids).p == pytest.approx(2 / 4)
    assert rank_sum(first[:1], [second[0][:1]], Key(0), ([(1, 2)], [(7,)])).p < 1
    nothing = [(1, 2), (1, 2)], [(3, 4), (5, 6)]
    assert rank_sum([first[0]] * 2, [second[0]] * 2, Key(0), nothing) == (1.0, 0)


def test_signs_of_one_seed_change_together() -> None:
    difference = RNG.normal(0.5, 1, 6)
    once = signed_rank([difference])
    assert signed_rank([difference] * 3, [range(6)] * 3) == pytest.approx(once)
    assert signed_rank([difference] * 3).p < once.p
