from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evogen.cohort import Ref
from evogen.errors import SpecError
from evogen.genome import Genome, Rules, frozen
from evogen.keys import Key
from evogen.space import Integers, Log, RulesSpace, SearchSpace, Uniform
from evogen.variation.sample import sample
from evogen.variation.vector import UNIT, Flat, flat

from .spaces import PLASTICITY, SPACE

ROOT = Key(0)
MASKED = replace(SPACE, rules=RulesSpace(genes=6, transmitters=2, mask="random", density=0.3))
HELD = replace(SPACE, rules=RulesSpace(genes=6, transmitters=2, evolve=False))
PERIOD = 2 / UNIT


def rules_of(genome: Genome) -> Rules:
    assert genome.rules is not None
    return genome.rules


def vectors(view: Flat, count: int, *, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    return scale * np.random.default_rng(seed).normal(size=(count, view.dimension))


def test_coordinates_are_the_allowed_pairs_c_and_the_plasticity_genes() -> None:
    assert flat(SPACE, ROOT).dimension == 6 * 6 + 2 * 4 + 3
    masked = flat(MASKED, ROOT)
    allowed = rules_of(masked.template).mask
    assert allowed is not None
    assert 0 < allowed.sum() < 36
    assert masked.dimension == allowed.sum() + 2 * 4 + 3
    worm = replace(SPACE, rules=RulesSpace(genes=39, max_genes=39, mask="adhesion"))
    assert flat(worm, ROOT).dimension == 47 + 3 * 6 + 3
    assert flat(HELD, ROOT).dimension == flat(replace(SPACE, rules=None), ROOT).dimension == 3
    assert flat(replace(SPACE, plasticity={}), ROOT).dimension == 44


def test_zero_is_the_mean_of_the_initial_law() -> None:
    view = flat(SPACE, ROOT)
    genome = view.genome(np.zeros(view.dimension))
    assert not rules_of(genome).O.any()
    assert not rules_of(genome).c.any()
    middle = {"learner.learning_rate": 10**-2.5, "learner.steps": 5, "rule.abcd.A": 0.0}
    assert genome.plasticity == pytest.approx(middle)
    assert type(genome.plasticity["learner.steps"]) is int


def test_deviation_one_is_that_of_the_initial_law() -> None:
    view = flat(SPACE, ROOT)
    drawn = [rules_of(sample(SPACE, ROOT, Ref(0, row))) for row in range(200)]
    one = rules_of(view.genome(np.ones(view.dimension)))
    assert one.O[0, 0] == pytest.approx(np.std([rules.O for rules in drawn]), rel=0.05)  # 7200 draws
    assert one.c[0, 0] == pytest.approx(np.std([rules.c for rules in drawn]), rel=0.08)  # 1600 draws
    unit = PLASTICITY["rule.abcd.A"].unit(view.genome(np.ones(view.dimension)).plasticity["rule.abcd.A"])
    assert unit - 0.5 == pytest.approx(np.sqrt(1 / 12))  # of U[0, 1]


@settings(deadline=None)
@given(st.integers(0, 1000), st.sampled_from([1e-6, 1.0, 30.0]))
def test_a_drawn_vector_is_read_back_bit_for_bit(seed: int, scale: float) -> None:
    for space in (SPACE, MASKED, HELD):
        view = flat(space, ROOT)
        (x,) = vectors(view, 1, scale=scale, seed=seed)
        genome = view.genome(x)
        assert np.array_equal(view.vector(genome, x, 0 * x), x)
        assert 1e-4 <= float(genome.plasticity["learner.learning_rate"]) <= 1e-1
        assert genome.plasticity["learner.steps"] in range(1, 10)


@settings(deadline=None)
@given(st.integers(0, 1000), st.sampled_from([1e-6, 1.0, 30.0]))
def test_a_genome_read_from_afar_is_the_same_genome(seed: int, scale: float) -> None:
    view = flat(SPACE, ROOT)
    genome, (near,) = (
        view.genome(vectors(view, 1, seed=seed)[0]),
        vectors(view, 1, scale=scale, seed=seed + 1),
    )
    again = view.genome(view.vector(genome, near, near))
    assert np.array_equal(rules_of(again).O, rules_of(genome).O)
    assert np.array_equal(rules_of(again).c, rules_of(genome).c)
    assert again.plasticity == pytest.approx(genome.plasticity, rel=1e-12, abs=1e-12)
    assert again.plasticity["learner.steps"] == genome.plasticity["learner.steps"]


def test_bounds_mirror_and_the_nearest_image_is_read() -> None:
    view = flat(replace(SPACE, rules=None, plasticity={"a": Uniform(0.0, 1.0)}), ROOT)
    edge = 0.5 / UNIT  # of the unit interval

    def read(genome: Genome, mean: float) -> float:
        (x,) = view.vector(genome, np.array([0.0]), np.array([mean]))
        return float(x)

    for beyond in (0.1, 0.4):
        inside, outside = (view.genome(np.array([edge + x])) for x in (-beyond, beyond))
        assert inside.plasticity["a"] == pytest.approx(outside.plasticity["a"])
        assert read(inside, edge + 1) == pytest.approx(edge + beyond)
        assert read(inside, edge - 1) == pytest.approx(edge - beyond)
        assert read(inside, edge + 1 - 3 * PERIOD) == pytest.approx(edge + beyond - 3 * PERIOD)


def test_a_whole_number_is_read_where_it_was_drawn_or_in_the_middle_of_its_share() -> None:
    view = flat(replace(SPACE, rules=None, plasticity={"n": Integers(0, 3)}), ROOT)
    genome = view.genome(np.array([0.1]))
    assert genome.plasticity["n"] == 2
    zero = np.zeros(1)
    assert view.vector(genome, np.array([0.2]), zero) == 0.2
    assert view.vector(genome, np.array([-0.2]), zero) == pytest.approx((5 / 8 - 0.5) / UNIT)


def test_a_log_gene_moves_in_its_logarithm() -> None:
    view = flat(replace(SPACE, rules=None, plasticity={"a": Log(1e-4, 1.0)}), ROOT)
    a, b, c = (float(view.genome(np.array([x])).plasticity["a"]) for x in (-0.3, 0.0, 0.3))
    assert b / a == pytest.approx(c / b)
    assert c / b == pytest.approx(10 ** (4 * 0.3 * UNIT))


def test_everything_else_is_the_templates() -> None:
    view = flat(MASKED, ROOT)
    template, mask = view.template, rules_of(view.template).mask
    assert mask is not None
    for x in vectors(view, 5):
        genome = view.genome(x)
        assert genome.interface is template.interface
        assert genome.architecture is template.architecture
        assert np.array_equal(rules_of(genome).O[mask == 0], rules_of(template).O[mask == 0])
        assert (rules_of(genome).O[mask == 1] != rules_of(template).O[mask == 1]).all()
        assert replace(rules_of(genome), O=mask, c=mask).genes == rules_of(template).genes
    held = flat(HELD, ROOT)
    assert held.genome(np.ones(3)).rules is held.template.rules


def test_what_life_tuned_is_read() -> None:
    view = flat(SPACE, ROOT)
    (x,) = vectors(view, 1)
    genome = view.genome(x)
    O = rules_of(genome).O.copy()
    O[2, 3] = 0.25
    tuned = replace(genome, rules=replace(rules_of(genome), O=frozen(O)))
    moved = view.vector(tuned, x, 0 * x)
    assert moved[2 * 6 + 3] == 0.25 * 6
    assert np.array_equal(np.delete(moved, 15), np.delete(x, 15))


def test_one_search_has_one_template() -> None:
    assert flat(SPACE, ROOT).template == flat(SPACE, Key(0)).template
    assert flat(SPACE, ROOT).template != flat(SPACE, Key(1)).template
    drawn = sample(SPACE, ROOT.child("template"), Ref(0, 0))
    assert replace(drawn, plasticity={}) == flat(SPACE, ROOT).template


def test_a_space_without_numbers_is_refused() -> None:
    for rules in (None, RulesSpace(genes=6, evolve=False)):
        with pytest.raises(SpecError, match=r"none: let its rules evolve.*or use the strategy 'genetic'"):
            flat(SearchSpace(rules, SPACE.architecture), ROOT)
