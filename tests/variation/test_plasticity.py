from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evogen.genome import Genome
from evogen.keys import Key
from evogen.space import Integers, Log, Uniform
from evogen.variation.plasticity import cross, perturb

from .spaces import PLASTICITY, draw


def at(units: dict[str, float]) -> Genome:
    return replace(draw(), plasticity={name: PLASTICITY[name].value(unit) for name, unit in units.items()})


def units(genome: Genome) -> list[float]:
    return [PLASTICITY[name].unit(genome.plasticity[name]) for name in sorted(PLASTICITY)]


UNITS = st.fixed_dictionaries({name: st.floats(0, 1) for name in PLASTICITY})


@settings(deadline=None)
@given(UNITS, st.integers(0, 1000), st.floats(0, 20))
def test_mutation_keeps_bounds_types_and_names(start: dict[str, float], seed: int, sigma: float) -> None:
    child = perturb(at(start), Key(seed), space=PLASTICITY, sigma=sigma)
    assert sorted(child.plasticity) == sorted(PLASTICITY)
    assert 1e-4 <= child.plasticity["learner.learning_rate"] <= 1e-1
    assert child.plasticity["learner.steps"] in range(1, 10)
    assert type(child.plasticity["learner.steps"]) is int
    assert -1 <= child.plasticity["rule.abcd.A"] <= 1


@settings(deadline=None)
@given(UNITS, UNITS, st.integers(0, 1000))
def test_blend_stays_near_the_parents_and_within_bounds(
    one: dict[str, float], other: dict[str, float], seed: int
) -> None:
    mother, father = at(one), at(other)
    child = cross(mother, father, Key(seed), space=PLASTICITY)
    for a, b, c in zip(units(mother), units(father), units(child), strict=True):
        reach = abs(a - b) / 2 + 1 / 9 + 1e-9  # half a segment, and one share of the integers
        assert max(min(a, b) - reach, 0) <= c <= min(max(a, b) + reach, 1)


def test_blend_of_equal_parents_is_the_parent() -> None:
    for seed in range(50):
        assert cross(draw(seed), draw(seed), Key(seed), space=PLASTICITY) == draw(seed)


def test_step_is_relative_to_the_range_and_to_the_logarithm_of_log_genes() -> None:
    # 1,000 mutations from the middle, half of which move a gene; limits are four standard errors
    start = at(dict.fromkeys(PLASTICITY, 0.5))
    children = [perturb(start, Key(i), space=PLASTICITY, sigma=0.05) for i in range(1000)]
    moves = np.array([units(child) for child in children]) - units(start)
    for column in (0, 2):
        moved = moves[moves[:, column] != 0, column]
        assert 430 < moved.size < 570
        assert moved.std() == pytest.approx(0.05, rel=4 / np.sqrt(2 * moved.size))
        assert abs(moved.mean()) < 4 * 0.05 / np.sqrt(moved.size)


def test_mutation_at_a_bound_comes_back_inside() -> None:
    edge = at(dict.fromkeys(PLASTICITY, 1.0))
    children = [perturb(edge, Key(i), space=PLASTICITY, sigma=0.1) for i in range(200)]
    rates = [child.plasticity["learner.learning_rate"] for child in children]
    assert sum(rate == 1e-1 for rate in rates) < 140  # only those that were not mutated: Binomial(200, 1/2)


def test_mutation_leaves_the_other_chromosomes() -> None:
    child = perturb(draw(), Key(1), space=PLASTICITY, sigma=0.2)
    assert child != draw()
    assert replace(child, plasticity=draw().plasticity) == draw()


def test_unmoved_genes_keep_their_exact_value() -> None:
    space = {"a": Uniform(0.1, 0.7), "b": Log(1e-5, 0.3), "c": Integers(0, 3)}
    genome = replace(draw(), plasticity={"a": 0.1 + 0.2, "b": 0.1 / 3, "c": 1})
    for seed in range(50):
        child = perturb(genome, Key(seed), space=space, sigma=0.0)
        assert child == genome
