"""Losses of many variants: intervals by hand, and p values against enumeration and by their false alarms."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from evogen.analysis.losses import losses
from evogen.keys import Key

KEY = Key(4)


def random(name: str) -> np.random.Generator:
    return KEY.child(name).generator()


def test_the_interval_is_students_on_paired_differences() -> None:
    rng = random("interval")
    intact, silenced = rng.normal(size=9), rng.normal(size=(3, 9))
    found = losses(intact, silenced, KEY)
    for row in range(3):
        test = stats.ttest_rel(intact, silenced[row])
        low, high = test.confidence_interval(0.95)
        assert found.mean[row] == pytest.approx((intact - silenced[row]).mean())
        assert (found.low[row], found.high[row]) == (pytest.approx(low), pytest.approx(high))


def test_p_is_the_share_of_all_sign_choices_whose_largest_t_is_as_large() -> None:
    d = random("flips").normal(size=(4, 7)) + np.array([[2.0], [0.5], [0.0], [0.0]])
    found = losses(np.zeros(7), -d, KEY)

    def largest(signs: np.ndarray) -> list[float]:
        return [abs(stats.ttest_1samp(row * signs, 0.0).statistic) for row in d]

    every = [max(largest(np.array(signs))) for signs in product((1.0, -1.0), repeat=7)]
    observed = largest(np.ones(7))
    wanted = [np.mean([most >= one * (1 - 1e-9) for most in every]) for one in observed]
    assert found.p == pytest.approx(wanted)


def test_a_variant_that_changes_nothing_has_no_p_below_one_and_hinders_no_other() -> None:
    rng = random("nothing")
    intact = rng.normal(size=8)
    one = intact - 3 + 0.1 * rng.normal(size=8)
    alone = losses(intact, one[None], KEY)
    found = losses(intact, np.stack([intact, one, intact]), KEY)
    assert found.p.tolist() == [1.0, alone.p[0], 1.0]
    assert alone.p[0] == 2 / 2**8
    assert (found.low[0], found.mean[0], found.high[0]) == (0.0, 0.0, 0.0)


def test_a_variant_with_a_score_that_is_not_finite_is_not_known_and_hinders_no_other() -> None:
    rng = random("nan")
    intact, silenced = rng.normal(size=8), rng.normal(size=(2, 8))
    broken = silenced.copy()
    broken[0, 3] = np.nan
    found = losses(intact, broken, KEY)
    assert np.isnan([found.mean[0], found.low[0], found.p[0]]).all()
    assert found.p[1] == losses(intact, silenced[1:], KEY).p[0]


@pytest.mark.parametrize(("agents", "screens", "most"), [(8, 300, 23), (16, 50, 7)])
def test_of_screens_without_any_effect_one_in_twenty_has_a_label_at_most(
    agents: int, screens: int, most: int
) -> None:
    """60 correlated variants; more alarms than `most` have a chance below 2 % where 5 % is true."""
    rng, alarms = random("alarms"), 0
    for number in range(screens):
        common, noise = rng.exponential(size=(1, agents)), rng.normal(size=(60, agents))
        found = losses(common[0], common + noise * common, KEY.child(number))
        alarms += bool((found.p <= 0.05).any())
    assert alarms <= most


def test_a_planted_loss_is_found_among_hundreds() -> None:
    rng = random("planted")
    intact = rng.normal(size=16)
    silenced = intact + rng.normal(size=(300, 16))
    silenced[17] -= 3
    assert np.flatnonzero(losses(intact, silenced, KEY).p <= 0.05).tolist() == [17]
