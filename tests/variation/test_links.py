from dataclasses import replace

import numpy as np

from evogen.genome import Gene, Genome, frozen
from evogen.keys import Key
from evogen.variation.architecture import cross
from evogen.variation.links import settled, whole

GENES = (
    Gene(5, (1, 2), {"n.b": frozen([3.0])}),
    Gene(7, (), module=1, link=5),
    Gene(9, (), module=2, link=5),
)
GENOME = Genome(None, Gene(1, ()), GENES)


def test_a_gene_without_a_link_is_whole_and_a_link_takes_what_it_names() -> None:
    assert whole(GENES[0], GENOME) is GENES[0]
    made = whole(GENES[1], GENOME)
    assert (made.innovation, made.codons, made.module, made.link) == (7, (1, 2), 1, 0)
    assert np.array_equal(made.expression["n.b"], [3.0])


def test_links_that_find_their_gene_stay() -> None:
    assert settled([(gene, GENOME) for gene in GENES]) == GENES


def test_links_to_a_gene_that_is_gone_name_its_heir() -> None:
    heir, other = settled([(gene, GENOME) for gene in GENES[1:]])
    assert (heir.codons, heir.link, other.codons, other.link) == ((1, 2), 0, (), 7)


def test_heirs_of_one_gene_in_two_genomes_stay_apart() -> None:
    father = Genome(None, Gene(2, ()), (replace(GENES[0], codons=(8,)), *GENES[1:]))
    ours, his = settled([(GENES[1], GENOME), (GENES[2], father)])
    assert (ours.codons, his.codons, ours.link, his.link) == ((1, 2), (8,), 0, 0)


def test_links_in_a_circle_are_broken() -> None:
    # 7 is the father's gene there, which became a link to 9 when his 5 was lost
    father = Genome(None, Gene(2, ()), (Gene(9, (4,)), Gene(7, (), link=9)))
    mother = Genome(None, Gene(1, ()), (Gene(7, (6,)), Gene(9, (), link=7)))
    found = settled([(father.architecture[1], father), (mother.architecture[1], mother)])
    assert [(gene.innovation, gene.codons, gene.link) for gene in found] == [(7, (4,), 0), (9, (), 7)]


def test_crossover_leaves_no_link_without_its_gene() -> None:
    father = Genome(None, Gene(1, ()), (Gene(7, (), module=1, link=6), Gene(6, (9,))))
    for seed in range(20):
        child = cross(GENOME, father, Key(seed))
        own = {gene.innovation for gene in child.architecture if not gene.link}
        assert [gene.innovation for gene in child.architecture] == [5, 7, 9]
        assert all(gene.link in own for gene in child.architecture if gene.link)
        assert child.architecture[1].codons in ((), (9,))
