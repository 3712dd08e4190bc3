"""diff(a, b), applied to a, gives b: every bit, every order, every identity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evogen.diff import Difference, What, apply, diff
from evogen.errors import GenomeError
from evogen.genome import Gene, Genome, Rules, frozen

from .genomes import families, genomes

RULES = Rules((1, 2, 3), frozen(np.arange(9.0).reshape(3, 3)), frozen(np.ones((2, 4))))
MODULE = Gene(7, (3, 4, 5), {"l0.X": frozen(np.arange(6.0).reshape(2, 3))})
GENOME = Genome(RULES, Gene(6, (), {"in.X": frozen(np.ones((4, 3)))}), (MODULE, Gene(8, (9,))), {"lr": 0.5})


def without_gene(genome: Genome, at: int) -> Genome:
    """The genome without its rule gene at this place, expression included."""
    rules = genome.rules
    assert rules is not None
    kept = [i for i in range(len(rules.genes)) if i != at]
    fewer = replace(rules, genes=tuple(rules.genes[i] for i in kept), O=frozen(rules.O[np.ix_(kept, kept)]))

    def cut(gene: Gene) -> Gene:
        arrays = {name: frozen(array[:, kept]) for name, array in gene.expression.items()}
        return replace(gene, expression=arrays)

    modules = tuple(cut(gene) for gene in genome.architecture)
    return replace(genome, rules=fewer, interface=cut(genome.interface), architecture=modules)


@settings(deadline=None, max_examples=150)
@given(genomes(), genomes())
def test_what_differs_applied_to_one_genome_gives_the_other(a: Genome, b: Genome) -> None:
    found = diff(a, b)
    assert apply(found, a).id == b.id
    assert apply([each.inverse() for each in found], b).id == a.id


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 2**32))
def test_it_does_so_between_all_relatives(seed: int) -> None:
    for pool in families(seed):
        for a in pool[::2]:
            for b in pool[1::2]:
                assert apply(diff(a, b), a).id == b.id


@settings(deadline=None, max_examples=40)
@given(genomes(), genomes(), st.randoms())
def test_the_order_of_differences_does_not_matter(a: Genome, b: Genome, random: object) -> None:
    found = list(diff(a, b))
    random.shuffle(found)  # type: ignore[attr-defined]
    assert apply(found, a).id == b.id


@settings(deadline=None, max_examples=40)
@given(genomes(), genomes())
def test_undoing_a_difference_and_doing_it_again_changes_nothing(a: Genome, b: Genome) -> None:
    for each in diff(a, b):
        if each.what is not What.RULES:
            undone = apply([each.inverse()], b)
            again = diff(undone, b)
            assert apply(again, undone).id == b.id
            assert len(again) >= 1 or undone.id == b.id


def test_nothing_applied_changes_nothing() -> None:
    assert apply((), GENOME).id == GENOME.id


def test_one_difference_undone_leaves_all_others() -> None:
    O = RULES.O.copy()
    O[0, 2], O[2, 1] = 9.0, 8.0
    b = replace(GENOME, rules=replace(RULES, O=frozen(O)), plasticity={"lr": 0.25})
    found = {each.path: each for each in diff(GENOME, b)}
    assert sorted(found) == ["O[1,:]", "O[3,:]", "lr"]
    undone = apply([found["O[1,:]"].inverse()], b)
    assert undone.rules is not None
    assert undone.rules.O[0].tolist() == RULES.O[0].tolist()
    assert undone.rules.O[2].tolist() == O[2].tolist()
    assert undone.plasticity == {"lr": 0.25}


def test_a_rule_gene_comes_back_at_its_place_with_all_that_expresses_it() -> None:
    fewer = without_gene(GENOME, 1)
    (lost,) = diff(GENOME, fewer)
    assert apply([lost.inverse()], fewer).id == GENOME.id


def test_genes_that_never_met_have_no_rule_and_no_expression() -> None:
    first, last = without_gene(GENOME, 0), without_gene(GENOME, 2)
    (lost,) = (each for each in diff(first, last) if each.gene == 3)
    both = apply([lost.inverse()], last)
    assert both.rules is not None
    assert both.rules.genes == (1, 2, 3)
    assert both.rules.O.tolist() == [[0, 1, 0], [3, 4, 5], [0, 7, 8]]
    assert both.architecture[0].expression["l0.X"].tolist() == MODULE.expression["l0.X"].tolist()


def test_a_module_moves_to_a_genome_of_other_rule_genes() -> None:
    fewer = without_gene(GENOME, 1)
    target = replace(fewer, architecture=fewer.architecture[1:])
    (module,) = (each for each in diff(replace(GENOME, architecture=()), GENOME) if each.gene == 7)
    assert apply([module], target).architecture[0].expression["l0.X"].tolist() == [[0, 2], [3, 5]]


def test_parts_that_are_not_there_or_there_already_are_refused() -> None:
    other = replace(GENOME, architecture=(Gene(9, ()),))
    added = next(each for each in diff(GENOME, other) if each.gene == 9)
    with pytest.raises(GenomeError, match="9 cannot be added: the genome has it"):
        apply([added], other)
    with pytest.raises(GenomeError, match=r"9\.codons cannot be changed: the genome has no gene 9"):
        apply([Difference(What.CODONS, 9, "", (), (1,))], GENOME)
    with pytest.raises(GenomeError, match="noise cannot be lost"):
        apply([Difference(What.VALUE, 0, "noise", 1.0, None)], GENOME)
    with pytest.raises(GenomeError, match="the genome has no rules"):
        apply([Difference(What.TEMPERATURE, 0, "", 0.1, 0.2)], replace(GENOME, rules=None))
    with pytest.raises(GenomeError, match=r"7\.l0\.T cannot be lost"):
        apply([Difference(What.EXPRESSION, 7, "l0.T", None, None)], GENOME)
