from dataclasses import replace
from itertools import count

import numpy as np
import numpy.typing as npt
import pytest

from evogen.genome import Gene, Genome, Rules, frozen
from evogen.keys import Key
from evogen.space import RulesSpace
from evogen.variation.rules import cross, delete, duplicate, flip, perturb, realign

from .spaces import draw, tuned

WITHIN = RulesSpace(min_genes=4, max_genes=8)


def of(genome: Genome) -> Rules:
    assert genome.rules is not None
    return genome.rules


def mean_count(genome: Genome) -> npt.NDArray[np.float64]:
    """Return Bbar = X^2 P (Y^2)^T from the input to the first module."""
    rules = of(genome)
    P = 1 / (1 + np.exp(-rules.O.astype(np.float64) / rules.temperature))
    X = genome.interface.expression["in.X"].astype(np.float64)
    Y = genome.architecture[0].expression["l0.X"].astype(np.float64)
    return np.asarray(X**2 @ P @ (Y**2).T)


def masked(genome: Genome) -> Genome:
    return replace(genome, rules=replace(of(genome), mask=frozen(np.eye(6))))


def test_perturbation_moves_about_one_row_by_a_step_relative_to_the_initial_law() -> None:
    # 300 x 36 entries: about 1,800 move, by N(0, (0.5 / 6)^2); limits are four standard errors
    genome = draw()
    moves = np.stack([of(perturb(genome, Key(i), sigma=0.5)).O - of(genome).O for i in range(300)])
    moved = moves[moves != 0]
    assert moved.size / moves.size == pytest.approx(1 / 6, abs=4 * np.sqrt(5 / 36 / moves.size))
    assert moved.std() == pytest.approx(0.5 / 6, rel=4 / np.sqrt(2 * moved.size))


def test_perturbation_moves_conductances_and_nothing_else() -> None:
    genome = tuned(draw())
    child = perturb(genome, Key(0), sigma=0.5)
    assert not np.array_equal(of(child).c, of(genome).c)
    back = replace(child, rules=replace(of(child), O=of(genome).O, c=of(genome).c))
    assert back == genome


def test_flip_changes_mask_bits_only_where_there_is_a_mask() -> None:
    assert flip(draw(), Key(0)) == draw()
    genome = masked(draw())
    masks = [of(flip(genome, Key(i))).mask for i in range(50)]
    flips = [int(np.sum(mask != np.eye(6))) for mask in masks if mask is not None]
    assert len(flips) == 50
    assert 0.4 < np.mean(flips) < 1.8  # Binomial(36, 1/36): mean 1, four standard errors of 0.14 and more
    assert all(set(np.unique(mask)) <= {0.0, 1.0} for mask in masks if mask is not None)


@pytest.mark.parametrize("seed", range(8))
def test_duplication_preserves_the_mean_synapse_counts(seed: int) -> None:
    genome = tuned(draw())
    child = duplicate(genome, Key(seed), space=WITHIN, ids=count(1000))
    assert of(child).genes == (*of(genome).genes, 1000)
    np.testing.assert_allclose(mean_count(child), mean_count(genome), rtol=1e-6)


def test_duplication_copies_row_column_and_mask_of_one_gene() -> None:
    rules = of(duplicate(masked(draw()), Key(0), space=WITHIN, ids=count(1000)))
    assert rules.mask is not None
    twins = [i for i in range(6) if np.array_equal(rules.O[i], rules.O[6])]
    assert len(twins) == 1
    assert np.array_equal(rules.O[:, twins[0]], rules.O[:, 6])
    assert np.array_equal(rules.mask[:, twins[0]], rules.mask[:, 6])
    assert rules.mask.shape == (7, 7)


def test_deletion_drops_row_column_and_expression_of_one_gene() -> None:
    genome = tuned(masked(draw()))
    child = delete(genome, Key(0), space=WITHIN)
    kept = [of(genome).genes.index(gene) for gene in of(child).genes]
    assert len(kept) == 5
    assert np.array_equal(of(child).O, of(genome).O[np.ix_(kept, kept)])
    for before, after in zip(genome.genes(), child.genes(), strict=True):
        for name, array in before.expression.items():
            wanted = array[:, kept] if name.endswith(".X") else array
            assert np.array_equal(after.expression[name], wanted)


def test_gene_count_stays_within_its_bounds() -> None:
    genome = draw()
    assert delete(genome, Key(0), space=replace(WITHIN, min_genes=6)) == genome
    assert duplicate(genome, Key(0), space=replace(WITHIN, max_genes=6), ids=count(1)) == genome


def relatives() -> tuple[Genome, Genome]:
    """Return two genomes with four common genes in different orders; every entry tells its owner."""
    mother, father = draw(0), draw(1)
    hers = replace(of(mother), genes=(1, 2, 3, 4, 5, 6), O=np.full((6, 6), 1.0), c=np.full((2, 4), 1.0))
    his = replace(of(father), genes=(9, 4, 3, 2, 1), O=np.arange(25.0).reshape(5, 5), c=np.full((2, 4), 2.0))
    return replace(mother, rules=hers), replace(father, rules=his)


@pytest.mark.parametrize("seed", range(20))
def test_crossover_takes_whole_rows_and_columns_by_gene_identity(seed: int) -> None:
    mother, father = relatives()
    child = of(cross(mother, father, Key(seed)))
    place = {gene: i for i, gene in enumerate(of(father).genes)}
    assert child.genes == of(mother).genes
    taken = {gene for gene in (1, 2, 3, 4) if child.O[gene - 1, gene - 1] != 1.0}
    for i, pre in enumerate(child.genes):
        for j, post in enumerate(child.genes):
            his = {pre, post} <= place.keys() and taken & {pre, post}
            assert child.O[i, j] == (of(father).O[place[pre], place[post]] if his else 1.0)


def test_crossover_takes_each_common_gene_and_c_from_either_parent() -> None:
    mother, father = relatives()
    children = [of(cross(mother, father, Key(seed))) for seed in range(200)]
    for i in range(4):
        assert 60 < sum(child.O[i, i] != 1.0 for child in children) < 140  # Binomial(200, 1/2): 5.6 sigma
    assert {float(child.c[0, 0]) for child in children} == {1.0, 2.0}
    assert all(np.ptp(child.c) == 0 for child in children)


def with_ones(genome: Genome, *pairs: tuple[int, int]) -> Genome:
    """Return the genome with a mask that allows these pairs of gene identities."""
    rules = of(genome)
    mask = np.zeros(rules.O.shape)
    for pre, post in pairs:
        mask[rules.genes.index(pre), rules.genes.index(post)] = 1
    return replace(genome, rules=replace(rules, mask=frozen(mask)))


@pytest.mark.parametrize("seed", range(20))
def test_crossover_takes_a_pairs_mask_from_whom_its_strength_is(seed: int) -> None:
    mother, father = relatives()
    his = [(pre, post) for pre in (1, 2, 3, 4) for post in (1, 2, 3, 4)]
    child = of(cross(with_ones(mother, (5, 1), (6, 6)), with_ones(father, *his, (9, 1)), Key(seed)))
    assert child.mask is not None
    for i, pre in enumerate(child.genes):
        for j, post in enumerate(child.genes):
            hers = child.O[i, j] == 1.0
            assert child.mask[i, j] == (float((pre, post) in {(5, 1), (6, 6)}) if hers else 1.0)


def test_crossover_with_a_parent_without_mask_keeps_the_mothers() -> None:
    mother, father = relatives()
    with_mask = with_ones(mother, (1, 1))
    assert np.array_equal(of(cross(with_mask, father, Key(0))).mask, of(with_mask).mask)
    assert of(cross(mother, with_ones(father, (1, 1)), Key(0))).mask is None


def test_deletion_drops_the_masks_row_and_column() -> None:
    genome = masked(draw())
    rules = of(delete(genome, Key(0), space=WITHIN))
    assert np.array_equal(rules.mask, np.eye(5))


def test_rule_genes_of_new_genomes_are_homologous() -> None:
    mother, father = of(draw(0)), of(draw(1))
    assert mother.genes == father.genes
    assert not np.array_equal(mother.O, father.O)
    child = of(cross(draw(0), draw(1), Key(0))).O
    assert {bool(entry) for entry in ((child == mother.O) | (child == father.O)).ravel()} == {True}
    assert 0 < (child == father.O).sum() < child.size


def test_realignment_copies_columns_by_identity_and_draws_the_new_ones() -> None:
    X = frozen(np.arange(20_000.0).reshape(10_000, 2))
    gene = Gene(5, (1,), {"l0.X": X, "l0.T": frozen(np.ones((4, 2)))})
    moved = realign(gene, (1, 2), (7, 2, 8, 1), Key(0))
    after = moved.expression["l0.X"]
    assert np.array_equal(after[:, [3, 1]], X)
    assert after[:, [0, 2]].std() == pytest.approx(
        np.sqrt(2 / 4), rel=4 / np.sqrt(40_000)
    )  # four std. errors
    assert np.array_equal(moved.expression["l0.T"], gene.expression["l0.T"])
    assert (moved.innovation, moved.codons) == (5, (1,))


def test_realignment_to_the_same_genes_changes_nothing() -> None:
    genome = tuned(draw())
    genes = of(genome).genes
    assert realign(genome.interface, genes, genes, Key(0)) is genome.interface
