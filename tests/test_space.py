import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evogen.genetics.adhesion import adhesion_mask
from evogen.space import ADHESION, Distribution, Integers, Log, RulesSpace, Uniform

UNITS = st.floats(0, 1)
ANY = st.sampled_from([Uniform(-2.0, 3.0), Log(1e-4, 0.5), Integers(-1, 4), Uniform(0.1, 0.3), Log(0.1, 0.3)])


@settings(deadline=None)
@given(ANY, UNITS)
def test_values_stay_inside_the_bounds(distribution: Distribution, unit: float) -> None:
    assert distribution.low <= distribution.value(unit) <= distribution.high


@settings(deadline=None)
@given(ANY, UNITS)
def test_value_of_unit_of_value_is_the_value(distribution: Distribution, unit: float) -> None:
    value = distribution.value(unit)
    assert distribution.value(distribution.unit(value)) == pytest.approx(value, rel=1e-9)


@settings(deadline=None)
@given(ANY, UNITS, UNITS)
def test_values_grow_with_the_unit(distribution: Distribution, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert distribution.value(low) <= distribution.value(high)


@settings(deadline=None)
@given(ANY, st.floats(0.001, 100))
def test_unit_clips_values_beyond_the_bounds(distribution: Distribution, far: float) -> None:
    assert 0.5 < distribution.unit(distribution.high + far) <= 1
    assert distribution.unit(distribution.value(0)) < 0.5


@pytest.mark.parametrize("distribution", [Uniform(-2.0, 3.0), Log(1e-4, 0.5), Integers(-1, 4)])
def test_ends_of_the_unit_interval_are_the_bounds(distribution: Distribution) -> None:
    assert (distribution.value(0.0), distribution.value(1.0)) == (distribution.low, distribution.high)


def test_middle_of_log_is_the_geometric_mean() -> None:
    assert Log(1e-4, 1e-2).value(0.5) == pytest.approx(1e-3)
    assert Log(1e-4, 1e-2).unit(1e-3) == pytest.approx(0.5)


def test_log_takes_equal_steps_in_the_logarithm() -> None:
    log = Log(1e-5, 1e-1)
    ratios = [log.value((i + 1) / 8) / log.value(i / 8) for i in range(8)]
    assert ratios == pytest.approx([math.sqrt(10)] * 8)


def test_integers_share_the_unit_interval_equally() -> None:
    values = [Integers(2, 5).value((i + 0.5) / 1000) for i in range(1000)]
    assert [values.count(i) for i in range(2, 6)] == [250] * 4
    assert all(type(value) is int for value in values)


def test_a_density_is_for_random_masks_only() -> None:
    assert RulesSpace(mask="random", density=0.5).density == 0.5
    with pytest.raises(ValueError, match=r"density 0\.5: wanted only with mask: random, found mask: none"):
        RulesSpace(density=0.5)
    with pytest.raises(ValueError, match="found mask: adhesion"):
        RulesSpace(mask="adhesion", genes=39, max_genes=39, density=0.5)


def test_adhesion_rules_are_among_their_own_genes() -> None:
    assert len(adhesion_mask()[0]) == ADHESION
    assert RulesSpace(mask="adhesion", genes=39, max_genes=39).genes == ADHESION
    with pytest.raises(ValueError, match="genes 16: wanted 39 with mask: adhesion"):
        RulesSpace(mask="adhesion")
