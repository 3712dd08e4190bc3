from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import pytest

from evogen.cohort import Ref
from evogen.genetics.adhesion import adhesion_mask
from evogen.grammar import derive
from evogen.keys import Key
from evogen.variation.sample import BLOCK, innovations, sample

from .spaces import GRAMMAR, PLASTICITY, SPACE, draw


def test_a_genome_depends_on_key_and_place_only() -> None:
    assert sample(SPACE, Key(0), Ref(2, 3)) == sample(SPACE, Key(0), Ref(2, 3))
    others = [sample(SPACE, Key(s), Ref(c, r)).id for s in (0, 1) for c in (0, 1) for r in (0, 1)]
    assert len(set(others)) == 8


def test_order_of_the_plasticity_section_does_not_matter() -> None:
    turned = replace(SPACE, plasticity=dict(reversed(PLASTICITY.items())))
    assert draw(space=turned) == draw()


def test_rules_have_their_initial_law() -> None:
    # O: 200 x 36 draws of std 1/6; c: 200 x 8 of std 1/(sqrt(2) 2). Limits are four standard errors.
    drawn = [draw(row).rules for row in range(200)]
    O = np.concatenate([rules.O.ravel() for rules in drawn if rules])
    c = np.concatenate([rules.c.ravel() for rules in drawn if rules])
    for values, std in ((O, 1 / 6), (c, 1 / np.sqrt(8))):
        assert values.std() == pytest.approx(std, rel=4 / np.sqrt(2 * values.size))
        assert abs(values.mean()) < 4 * std / np.sqrt(values.size)


def masks(rows: int, **changes: Any) -> list[np.ndarray]:
    assert SPACE.rules is not None
    space = replace(SPACE, rules=replace(SPACE.rules, **changes))
    rules = [draw(row, space=space).rules for row in range(rows)]
    return [each.mask for each in rules if each is not None and each.mask is not None]


def test_a_random_mask_allows_each_pair_with_its_density() -> None:
    drawn = np.stack(masks(200, mask="random", density=0.3))
    assert drawn.shape == (200, 6, 6)
    assert set(np.unique(drawn)) == {0.0, 1.0}
    assert drawn.mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / drawn.size))
    # each pair: Binomial(200, 0.3); 5 standard errors of 0.032, of 36 pairs
    assert np.abs(drawn.mean(0) - 0.3).max() < 0.17
    assert masks(1, mask="random", density=1.0)[0].all()


def test_a_mask_that_would_forbid_every_pair_allows_any_one() -> None:
    drawn = np.stack(masks(200, mask="random", density=1e-6))
    assert (drawn.sum((1, 2)) == 1).all()
    assert np.count_nonzero(drawn.sum(0)) > 25  # of 36 pairs; 35.9 expected


def test_the_adhesion_mask_is_the_worms() -> None:
    drawn = masks(2, mask="adhesion", genes=39, max_genes=39)
    assert all(np.array_equal(mask, adhesion_mask()[1]) for mask in drawn)
    assert drawn[0].sum() == 47


def test_a_mask_leaves_the_draws_of_strengths() -> None:
    assert SPACE.rules is not None
    plain, with_mask = (
        draw(space=replace(SPACE, rules=replace(SPACE.rules, mask=mask))).rules for mask in ("none", "random")
    )
    assert plain is not None
    assert with_mask is not None
    assert plain.mask is None
    assert np.array_equal(plain.O, with_mask.O)
    assert np.array_equal(plain.c, with_mask.c)


def test_plasticity_genes_are_uniform_in_the_unit_interval_and_independent() -> None:
    # 400 draws: Kolmogorov-Smirnov distance > 0.1 has probability 7e-4, |r| > 0.2 has 6e-5
    units = np.array(
        [[PLASTICITY[name].unit(value) for name, value in draw(i).plasticity.items()] for i in range(400)]
    )
    for name, column in zip(sorted(PLASTICITY), units.T, strict=True):
        if name != "learner.steps":
            assert np.abs(np.sort(column) - (np.arange(400) + 0.5) / 400).max() < 0.1
    assert np.abs(np.corrcoef(units.T) - np.eye(3)).max() < 0.2


def test_modules_are_grown_and_their_number_is_within_the_bounds() -> None:
    counts = [len(draw(row).architecture) for row in range(60)]
    assert set(counts) == {1, 2, 3}
    for gene in draw().architecture:
        assert derive(GRAMMAR, "module", gene.codons).used == len(gene.codons)


def test_the_interface_gene_has_no_codons_and_its_own_identity() -> None:
    genome = draw()
    identities = [gene.innovation for gene in genome.genes()]
    assert genome.interface.codons == ()
    assert len(set(identities)) == len(identities)


def test_without_genetic_rules_there_is_no_rules_chromosome() -> None:
    assert draw(space=replace(SPACE, rules=None)).rules is None


def test_a_held_chromosome_is_the_same_in_the_whole_search() -> None:
    assert SPACE.rules is not None
    space = replace(
        SPACE,
        rules=replace(SPACE.rules, evolve=False),
        architecture=replace(SPACE.architecture, evolve=False),
    )
    genomes = [sample(space, Key(0), Ref(cohort, row)) for cohort in (0, 5) for row in (0, 5)]
    same = [replace(genome, plasticity={}) for genome in genomes]
    assert len(set(same)) == 1
    assert len(set(genomes)) == 4
    assert replace(sample(space, Key(1), Ref(0, 0)), plasticity={}) != same[0]


def test_holding_one_chromosome_leaves_the_draws_of_the_others() -> None:
    held = draw(3, space=replace(SPACE, architecture=replace(SPACE.architecture, evolve=False)))
    free = draw(3)
    assert held.rules is not None
    assert free.rules is not None
    assert np.array_equal(held.rules.O, free.rules.O)
    assert held.plasticity == free.plasticity


def test_identities_of_different_places_never_meet() -> None:
    places = [Ref(c, r) for c in (0, 1, 2, 1000) for r in (0, 1, 255, 256, 2**16 - 1)]
    blocks = [list(innovations(place)) for place in places]
    everything = list(chain.from_iterable(blocks))
    assert len(set(everything)) == len(everything) == len(places) * BLOCK
    assert min(everything) >= BLOCK
