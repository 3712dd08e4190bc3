from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from evogen.genome import Gene, Genome
from evogen.grammar import derive, parse
from evogen.keys import Key
from evogen.space import ArchitectureSpace
from evogen.variation import rules
from evogen.variation.architecture import add, cross, delete, duplicate, redraw

from .spaces import GRAMMAR, draw, tuned

WITHIN = ArchitectureSpace(GRAMMAR, min_modules=1, max_modules=4)


def with_modules(*codons: tuple[int, ...]) -> Genome:
    return replace(draw(), architecture=tuple(Gene(100 + i, own) for i, own in enumerate(codons)))


def names(genome: Genome) -> list[int]:
    return [gene.innovation for gene in genome.architecture]


def test_addition_inserts_a_grown_gene_anywhere_and_keeps_the_rest() -> None:
    genome = with_modules((1, 2, 3), (4,))
    children = [add(genome, Key(seed), space=WITHIN, ids=count(500)) for seed in range(40)]
    assert {tuple(names(child)) for child in children} == {(500, 100, 101), (100, 500, 101), (100, 101, 500)}
    for child in children:
        new = next(gene for gene in child.architecture if gene.innovation == 500)
        assert derive(GRAMMAR, "module", new.codons).used == len(new.codons) > 0
        assert [gene for gene in child.architecture if gene is not new] == list(genome.architecture)


def test_deletion_drops_any_one_gene() -> None:
    genome = with_modules((1,), (2,), (3,))
    children = [names(delete(genome, Key(seed), space=WITHIN)) for seed in range(40)]
    assert {tuple(child) for child in children} == {(101, 102), (100, 102), (100, 101)}


def test_duplication_copies_codons_and_expression_under_a_new_identity() -> None:
    genome = tuned(with_modules((1, 2, 3), (4,)))
    children = [duplicate(genome, Key(seed), space=WITHIN, ids=count(500)) for seed in range(40)]
    assert {tuple(names(child)) for child in children} == {(100, 500, 101), (100, 101, 500)}
    for child in children:
        at = names(child).index(500)
        original, copy = child.architecture[at - 1 : at + 1]
        assert copy.codons == original.codons
        assert copy.expression == original.expression


def test_number_of_modules_stays_within_its_bounds() -> None:
    one, four = with_modules((1,)), with_modules((1,), (2,), (3,), (4,))
    assert delete(one, Key(0), space=WITHIN) == one
    assert add(four, Key(0), space=WITHIN, ids=count()) == four
    assert duplicate(four, Key(0), space=WITHIN, ids=count()) == four
    none = with_modules()
    assert duplicate(none, Key(0), space=replace(WITHIN, min_modules=0), ids=count()) == none


@pytest.mark.parametrize("seed", range(20))
def test_redraw_changes_one_codon_of_one_module_and_keeps_expression(seed: int) -> None:
    genome = tuned(draw(2))
    child = redraw(genome, Key(seed), space=WITHIN)
    pairs = list(zip(genome.architecture, child.architecture, strict=True))
    changed = [(a, b) for a, b in pairs if a.codons != b.codons]
    assert len(changed) == 1
    assert all(a.innovation == b.innovation and a.expression == b.expression for a, b in pairs)
    before, after = changed[0][0].codons, changed[0][1].codons
    assert sum(a != b for a, b in zip(before, after, strict=False)) + abs(len(after) - len(before)) == 1
    assert 0 <= min(after) <= max(after) < 2**16
    assert derive(GRAMMAR, "module", before) != derive(GRAMMAR, "module", after)


def test_redraw_extends_a_gene_that_asks_for_more_codons() -> None:
    # 1: one more layer follows; its codons are missing, so that the second layer cannot vary but by extension
    genome = with_modules((1, 500, 0))
    children = {redraw(genome, Key(seed), space=WITHIN).architecture[0].codons for seed in range(60)}
    assert {len(codons) for codons in children} == {3, 4}


def test_redraw_leaves_a_module_that_the_grammar_fixes() -> None:
    fixed = parse("<module> @type(module) ::= layer:dense [width,int,1,3,3]")
    genome = with_modules((7,))
    assert redraw(genome, Key(0), space=ArchitectureSpace(fixed)) == genome


def test_crossover_swaps_whole_genes_by_innovation_id() -> None:
    mother, father = with_modules((1,), (2,), (3,)), with_modules((4,), (5,))
    father = replace(father, architecture=(*father.architecture, Gene(900, (6,))))
    children = [cross(mother, father, Key(seed)) for seed in range(60)]
    assert {tuple(gene.codons[0] for gene in child.architecture) for child in children} == {
        (a, b, 3) for a in (1, 4) for b in (2, 5)
    }
    assert {tuple(names(child)) for child in children} == {(100, 101, 102)}


def test_crossover_of_strangers_is_the_mother() -> None:
    assert all(cross(draw(0), draw(1), Key(seed)) == draw(0) for seed in range(10))


def test_crossover_realigns_the_fathers_expression_to_the_mothers_rule_genes() -> None:
    mother = tuned(draw(2), seed=1)
    father = rules.delete(tuned(mother, seed=2), Key(0), space=rules.RulesSpace(min_genes=1))
    assert mother.rules is not None
    assert father.rules is not None
    shared = [mother.rules.genes.index(gene) for gene in father.rules.genes]
    swapped = 0
    for seed in range(20):
        child = cross(mother, father, Key(seed))
        for own, hers, his in zip(child.genes(), mother.genes(), father.genes(), strict=True):
            for name, array in own.expression.items():
                assert array.shape == hers.expression[name].shape
                if name.endswith(".X") and not np.array_equal(array, hers.expression[name]):
                    assert np.array_equal(array[:, shared], his.expression[name])
                    swapped += 1
    assert swapped > 20
