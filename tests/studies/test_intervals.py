from __future__ import annotations

import math

import numpy as np
import pytest

from evogen.keys import Key
from evogen.studies.intervals import holm, interval, sign_flip
from evogen.studies.rows import per_seed


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


def test_mean_of_a_seed_is_over_the_agents_that_have_a_score() -> None:
    found = per_seed(np.array([[1.0, 3.0], [5.0, np.nan], [np.nan, np.nan]]))
    assert found[:2].tolist() == [2.0, 5.0]
    assert math.isnan(found[2])
