from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from deap import tools
from hypothesis import given, settings
from hypothesis import strategies as st
from ribs.emitters.operators import IsoLineOperator

from evogen.genome import Genome
from evogen.keys import Key
from evogen.space import Distribution, Integers, Log, Uniform
from evogen.variation.plasticity import cross, cross_binary, cross_iso_line, mutate_polynomial, perturb
from evogen.variation.scoped import scoped

from .spaces import PLASTICITY, draw


def at(units: dict[str, float]) -> Genome:
    return replace(draw(), plasticity={name: PLASTICITY[name].value(unit) for name, unit in units.items()})


def units(genome: Genome) -> list[float]:
    return [PLASTICITY[name].unit(genome.plasticity[name]) for name in sorted(PLASTICITY)]


Law = Callable[[Genome, Genome, Key, Mapping[str, Distribution]], Genome]
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


REALS = {name: Uniform(0, 1) for name in "abcdefgh"}
KEYS = [Key(seed).child("law") for seed in range(40)]
LAWS: list[Law] = [
    lambda one, _, key, space: mutate_polynomial(one, key, space=space, eta=20.0),
    lambda one, other, key, space: cross_binary(one, other, key, space=space, eta=20.0),
    lambda one, other, key, space: cross_iso_line(one, other, key, space=space),
]


def reals(seed: int) -> Genome:
    values = Key(seed).child("reals").generator().random(len(REALS)).tolist()
    return replace(draw(), plasticity=dict(zip(REALS, values, strict=True)))


def values(genome: Genome) -> list[float]:
    return [float(value) for value in genome.plasticity.values()]


@settings(deadline=None)
@given(UNITS, UNITS, st.integers(0, 1000), st.sampled_from(LAWS))
def test_every_law_keeps_bounds_types_names_and_the_other_chromosomes(
    one: dict[str, float], other: dict[str, float], seed: int, law: Law
) -> None:
    child = law(at(one), at(other), Key(seed), PLASTICITY)
    assert 1e-4 <= child.plasticity["learner.learning_rate"] <= 1e-1
    assert child.plasticity["learner.steps"] in range(1, 10)
    assert type(child.plasticity["learner.steps"]) is int
    assert -1 <= child.plasticity["rule.abcd.A"] <= 1
    assert replace(child, plasticity=draw().plasticity) == draw()
    assert law(at(one), at(other), Key(seed), PLASTICITY) == child


@pytest.mark.parametrize("eta", [2.0, 20.0])
def test_the_polynomial_law_is_deaps_from_the_same_stream(eta: float) -> None:
    bounds = {"eta": eta, "low": 0.0, "up": 1.0}
    for row, key in enumerate(KEYS):
        mother, father = reals(row), reals(row + 1)
        with scoped(key):
            child, _ = tools.cxSimulatedBinaryBounded(values(mother), values(father), **bounds)
        assert values(cross_binary(mother, father, key, space=REALS, eta=eta)) == child
        with scoped(key):
            (child,) = tools.mutPolynomialBounded(values(mother), indpb=1 / len(REALS), **bounds)
        assert values(mutate_polynomial(mother, key, space=REALS, eta=eta)) == child


def test_the_iso_line_law_is_that_of_ribs_from_the_same_stream() -> None:
    for row, key in enumerate(KEYS):
        mother, father = reals(row), reals(row + 1)
        law = IsoLineOperator(iso_sigma=0.01, line_sigma=0.2, seed=key.generator())
        child = law.ask(np.array([values(mother), values(father)])[:, None])[0]
        ours = cross_iso_line(mother, father, key, space=REALS)
        assert values(ours) == pytest.approx(np.clip(child, 0, 1), rel=1e-15)


def test_polynomial_steps_have_the_moments_of_their_law() -> None:
    # from the middle P(|step| > t) = (1 - t)^(eta + 1) but where t = 1/2 cuts 2^-21 off: therefore
    # E |step| = 1 / (eta + 2) and E step^2 = 2 / ((eta + 2) (eta + 3)); limits are four standard errors
    eta, runs = 20.0, 2000
    start = replace(draw(), plasticity=dict.fromkeys(REALS, 0.5))
    children = [mutate_polynomial(start, Key(i), space=REALS, eta=eta) for i in range(runs)]
    moves = np.array([values(child) for child in children]).ravel() - 0.5
    moved = moves[moves != 0]
    share = 1 / len(REALS)
    assert abs(moved.size - runs) < 4 * np.sqrt(runs * (1 - share))
    square = 2 / ((eta + 2) * (eta + 3))
    assert abs(moved.mean()) < 4 * np.sqrt(square / moved.size)
    spread = np.sqrt(square - 1 / (eta + 2) ** 2)
    assert abs(np.abs(moved).mean() - 1 / (eta + 2)) < 4 * spread / np.sqrt(moved.size)


def test_iso_line_children_have_the_moments_of_their_law() -> None:
    # covariance 0.01^2 I + 0.2^2 d d^T around the mother; limits are four standard errors
    runs, d = 2000, np.linspace(-0.2, 0.2, len(REALS))
    mother, father = (
        replace(draw(), plasticity=dict(zip(REALS, (0.5 + shift * d).tolist(), strict=True)))
        for shift in (0, 1)
    )
    children = [cross_iso_line(mother, father, Key(i), space=REALS) for i in range(runs)]
    moves = np.array([values(child) for child in children]) - 0.5
    law = 0.01**2 * np.eye(d.size) + 0.2**2 * np.outer(d, d)
    error = np.sqrt((law**2 + np.outer(law.diagonal(), law.diagonal())) / runs)
    assert np.all(np.abs(moves.T @ moves / runs - law) < 4 * error)
    assert np.all(np.abs(moves.mean(0)) < 4 * np.sqrt(law.diagonal() / runs))


@pytest.mark.parametrize("count", [3, 10, 100])
@pytest.mark.parametrize("law", LAWS)
def test_small_steps_move_whole_numbers_as_far_as_their_share_allows(law: Law, count: int) -> None:
    # the mean of |step| over the width of a share, were there no bounds; an equal father gives no direction
    space = {"a": Integers(1, count)}
    parent = replace(draw(), plasticity={"a": 1 + count // 2})
    numbers = [law(parent, parent, Key(i), space).plasticity["a"] for i in range(1500)]
    moved = sum(number != parent.plasticity["a"] for number in numbers)
    if law is LAWS[1]:
        assert moved == 0
    else:
        step = 1 / 22 if law is LAWS[0] else 0.01 * np.sqrt(2 / np.pi)
        assert moved > 1500 * min(step * count, 0.5) / 4


def test_polynomial_crossover_of_equal_parents_is_the_parent() -> None:
    for seed, key in enumerate(KEYS):
        assert cross_binary(draw(seed), draw(seed), key, space=PLASTICITY, eta=20.0) == draw(seed)
