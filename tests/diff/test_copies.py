from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from variation import spaces

from evogen.diff import What, diff
from evogen.diff.copies import origin
from evogen.genome import Gene, Genome, frozen
from evogen.keys import Key
from evogen.space import RulesSpace
from evogen.variation import rules

LARGE = RulesSpace(genes=6, min_genes=4, max_genes=9, transmitters=2)


def ids() -> Iterator[int]:
    yield 900


def duplicated() -> tuple[Genome, Genome]:
    mother = spaces.tuned(spaces.draw())
    return mother, rules.duplicate(mother, Key(1), space=LARGE, ids=ids())


def said(a: Genome, b: Genome) -> list[str]:
    return [text for each in diff(a, b) if (text := origin(each, b))]


def test_a_duplicated_rule_gene_is_a_copy() -> None:
    mother, child = duplicated()
    assert mother.rules is not None
    assert child.rules is not None
    copied = [at for at in range(6) if np.array_equal(child.rules.O[at], child.rules.O[6])]
    assert said(mother, child) == [f"a copy of rule gene {mother.rules.genes[copied[0]]}"]


def test_a_copy_that_went_its_own_way_is_still_alike() -> None:
    mother, child = duplicated()
    assert child.rules is not None
    O = child.rules.O + 0.05 * np.random.default_rng(0).normal(size=child.rules.O.shape) / 7
    moved = replace(child, rules=replace(child.rules, O=frozen(O)))
    (text,) = said(mother, moved)
    assert text.startswith("like rule gene ")


def test_rule_genes_that_were_drawn_apart_are_no_copies() -> None:
    for row in range(20):
        genome = spaces.draw(row)
        assert genome.rules is not None
        fewer = rules.delete(genome, Key(row), space=LARGE)
        assert said(fewer, genome) == []


def test_a_module_with_the_codons_of_another_is_told() -> None:
    genome = spaces.draw()
    first = genome.architecture[0]
    twin = replace(genome, architecture=(*genome.architecture, Gene(77, first.codons)))
    assert said(genome, twin) == [f"same codons as gene {first.innovation}"]
    assert all(
        origin(each.inverse(), genome) == "" for each in diff(genome, twin) if each.what is What.MODULE
    )
