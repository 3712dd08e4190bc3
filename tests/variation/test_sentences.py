import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evogen.cohort import Ref
from evogen.genome import Gene, Genome
from evogen.grammar import CODONS
from evogen.grammar.mappers.structured import slots
from evogen.grammar.model import Numeric
from evogen.keys import Key
from evogen.space import SearchSpace
from evogen.variation import sentences
from evogen.variation.breed import Rates, breed
from evogen.variation.codons import reflected
from evogen.variation.sample import innovations

from .neural import SHIPPED, drawn, planned, space_of

FLAT = space_of(start="net", mapping="flat")
LISTS = space_of(start="net", mapping="structured")


def test_a_flat_genome_is_one_gene_and_a_structured_one_has_a_gene_for_each_list() -> None:
    assert len(drawn(FLAT).architecture) == 1
    first, second = drawn(LISTS, 0), drawn(LISTS, 1)
    ids = [gene.innovation for gene in first.architecture]
    assert ids == [gene.innovation for gene in second.architecture]
    assert len(ids) == len(slots(SHIPPED, "net", LISTS.context(0, 0, ())))
    assert first.interface.innovation != second.interface.innovation


@given(at=st.integers(1, 3))
def test_splicing_keeps_her_front_and_his_back(at: int) -> None:
    mother, father = (
        Genome(None, Gene(1, ()), (Gene(10 * k, tuple(range(k, k + n))),)) for k, n in ((100, 4), (200, 9))
    )
    found = {sentences.splice(mother, father, Key(seed)).architecture[0].codons for seed in range(40)}
    assert found == {(*range(100, 100 + i), *range(200 + i, 209)) for i in (1, 2, 3)}
    short = Genome(None, Gene(1, ()), (Gene(5, (at,)),))
    assert sentences.splice(short, father, Key(0)) is short


def test_redrawing_lists_changes_one_entry_below_its_limit() -> None:
    genome = drawn(LISTS, 2)
    limits = [slot.limit for slot in slots(SHIPPED, "net", LISTS.context(0, 0, ()))]
    for seed in range(40):
        child = sentences.redraw(genome, Key(seed), space=LISTS)
        assert planned(LISTS, child) != planned(LISTS, genome)
        pairs = enumerate(zip(genome.architecture, child.architecture, strict=True))
        ((at, old, new),) = [(i, a.codons, b.codons) for i, (a, b) in pairs if a.codons != b.codons]
        assert sum(a != b for a, b in zip(old, new, strict=False)) + len(new) - len(old) == 1
        assert all(0 <= codon < limits[at] for codon in new)


def test_nudging_lists_moves_numbers_only() -> None:
    genome = drawn(LISTS, 2)
    parts = [slot.part for slot in slots(SHIPPED, "net", LISTS.context(0, 0, ()))]
    for seed in range(40):
        child = sentences.nudge(genome, Key(seed), space=LISTS, sigma=0.01)
        pairs = enumerate(zip(genome.architecture, child.architecture, strict=True))
        ((at, old, new),) = [(i, a.codons, b.codons) for i, (a, b) in pairs if a.codons != b.codons]
        assert isinstance(parts[at], Numeric)
        assert max(abs(a - b) for a, b in zip(old, new, strict=True)) < 0.06 * CODONS


def test_trained_lists_of_weights_are_left_alone() -> None:
    trained = space_of(start="net", mapping="structured", weights="trained")
    genome = drawn(trained, 2)
    assert sentences.nudge(genome, Key(0), space=trained, sigma=0.1) is genome
    numbers = [isinstance(slot.part, Numeric) for slot in slots(SHIPPED, "net", trained.context(0, 0, ()))]
    for seed in range(20):
        child = sentences.redraw(genome, Key(seed), space=trained)
        pairs = zip(genome.architecture, child.architecture, numbers, strict=True)
        assert [number for a, b, number in pairs if a.codons != b.codons] == [False]


@pytest.mark.parametrize("space", [FLAT, LISTS], ids=["flat", "structured"])
@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=10)
def test_every_descendant_is_a_network(space, seed: int) -> None:
    pool = [drawn(space, row) for row in range(3)]
    for generation in range(1, 10):
        rng = Key(seed).child("mates", generation).generator()
        mother, father = (pool[int(rng.integers(len(pool)))] for _ in range(2))
        ids, key = innovations(Ref(generation, 0)), Key(seed).child(generation)
        child, _ = breed(
            mother, father, space=SearchSpace(None, space), key=key, ids=ids, rates=Rates(mutate_codon=0.9)
        )
        assert child not in (mother, father)
        assert len(child.architecture) == len(mother.architecture)
        assert len(planned(space, child).groups) > 2
        pool.append(child)


def test_steps_are_reflected_at_both_ends() -> None:
    assert [reflected(codon) for codon in (-3, 0, 5, CODONS - 1, CODONS, CODONS + 4)] == [
        3, 0, 5, CODONS - 1, CODONS - 2, CODONS - 6,
    ]  # fmt: skip
