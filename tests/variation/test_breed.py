from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evogen.cohort import Ref
from evogen.diff import diff
from evogen.errors import SpecError
from evogen.genome import Genome, load
from evogen.grammar import derive
from evogen.keys import Key
from evogen.space import Integers, SearchSpace
from evogen.variation import plasticity
from evogen.variation.breed import Rates, breed
from evogen.variation.sample import innovations

from .spaces import GRAMMAR, PLASTICITY, SPACE, draw, tuned

OFTEN = Rates(resize_rules=0.4, resize_architecture=0.4)
NEVER = Rates(mutate_rules=0, resize_rules=0, mutate_codon=0, resize_architecture=0, mutate_plasticity=0)


def child_of(
    mother: Genome,
    father: Genome | None = None,
    *,
    seed: int = 0,
    space: SearchSpace = SPACE,
    rates: Rates = OFTEN,
) -> tuple[Genome, str]:
    ids = innovations(Ref(1, seed % 100))
    return breed(mother, father, space=space, key=Key(seed), ids=ids, rates=rates)


def assert_valid(genome: Genome) -> None:
    assert genome.rules is not None
    assert SPACE.rules is not None
    g = len(genome.rules.genes)
    assert SPACE.rules.min_genes <= g <= SPACE.rules.max_genes
    assert len(set(genome.rules.genes)) == g
    assert genome.rules.O.shape == (g, g)
    assert SPACE.architecture.min_modules <= len(genome.architecture) <= SPACE.architecture.max_modules
    innovations_ = [gene.innovation for gene in genome.genes()]
    assert len(set(innovations_)) == len(innovations_)
    for gene in genome.genes():
        assert derive(GRAMMAR, "module", gene.codons).children
        for name, array in gene.expression.items():
            assert not name.endswith(".X") or array.shape[1] == g
    for name, distribution in PLASTICITY.items():
        assert distribution.value(0.0) <= genome.plasticity[name] <= distribution.value(1.0)
    assert load(genome.json, genome.arrays) == genome


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32))
def test_every_descendant_is_valid_and_no_copy_of_its_parents(seed: int) -> None:
    pool = [tuned(draw(row, seed=seed), seed=row) for row in range(2)]
    for generation in range(1, 12):
        rng = Key(seed).child("mates", generation).generator()
        mother, father = (pool[int(rng.integers(len(pool)))] for _ in range(2))
        ids = innovations(Ref(generation, 0))
        key = Key(seed).child(generation)
        child, operator = breed(mother, father, space=SPACE, key=key, ids=ids, rates=OFTEN)
        assert child not in (mother, father)
        assert operator
        assert_valid(child)
        pool.append(child)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32))
def test_operator_names_tell_which_chromosomes_changed(seed: int) -> None:
    mother = draw(1)
    child, operator = child_of(mother, seed=seed)
    changed = {difference.chromosome for difference in diff(mother, child)}
    assert changed <= {name.partition(".")[0] for name in operator.split("+")}
    assert changed


def test_all_operators_happen() -> None:
    happened = {name for seed in range(200) for name in child_of(draw(2), seed=seed)[1].split("+")}
    assert happened == {
        "rules.gaussian",
        "rules.duplicate",
        "rules.delete",
        "architecture.add",
        "architecture.duplicate",
        "architecture.delete",
        "architecture.redraw",
        "plasticity.gaussian",
    }


@pytest.mark.parametrize("law", ["gaussian", "polynomial", "iso-line"])
def test_every_law_of_the_plasticity_genes_makes_valid_new_children(law: plasticity.Law) -> None:
    mother, father = draw(0), draw(1)
    rates = Rates(plasticity_law=law)
    happened: set[str] = set()
    for seed in range(60):
        child, operator = child_of(mother, father if seed % 2 else None, seed=seed, rates=rates)
        assert child not in (mother, father)
        assert_valid(child)
        happened |= set(operator.split("+"))
    mutation = "plasticity.polynomial" if law == "polynomial" else "plasticity.gaussian"
    assert {name for name in happened if name.startswith("plasticity")} == {mutation}


def test_the_law_decides_how_plasticity_genes_are_crossed() -> None:
    mother, father = (replace(draw(0), plasticity=draw(row).plasticity) for row in range(2))
    key = Key(3).child("crossover", "plasticity")
    crossed = {
        "gaussian": plasticity.cross(mother, father, key, space=PLASTICITY),
        "polynomial": plasticity.cross_binary(mother, father, key, space=PLASTICITY, eta=5.0),
        "iso-line": plasticity.cross_iso_line(mother, father, key, space=PLASTICITY),
    }
    assert len(set(crossed.values())) == 3
    for law, expected in crossed.items():
        rates = replace(NEVER, plasticity_law=law, plasticity_eta=5.0)
        assert child_of(mother, father, seed=3, rates=rates)[0].plasticity == expected.plasticity


def test_where_there_are_masks_they_are_flipped_and_stay_square() -> None:
    assert SPACE.rules is not None
    space = replace(SPACE, rules=replace(SPACE.rules, mask="random", density=0.5))
    mother, father = draw(2, space=space), draw(3, space=space)
    happened: set[str] = set()
    for seed in range(60):
        child, operator = child_of(mother, father if seed % 2 else None, seed=seed, space=space)
        happened |= set(operator.split("+"))
        assert child.rules is not None
        assert child.rules.mask is not None
        assert child.rules.mask.shape == child.rules.O.shape
        assert load(child.json, child.arrays) == child
    assert {"rules.flip", "rules.duplicate", "rules.delete", "crossover"} <= happened


def test_breeding_is_pure() -> None:
    mother, father = tuned(draw(0)), tuned(draw(1))
    before = (mother.json, father.json)
    assert child_of(mother, father, seed=3) == child_of(mother, father, seed=3)
    assert (mother.json, father.json) == before


def test_one_mutation_is_forced_where_none_happened() -> None:
    rare = replace(NEVER, mutate_plasticity=1e-9)
    for seed in range(20):
        child, operator = child_of(draw(), seed=seed, rates=rare)
        assert child != draw()
        assert operator == "plasticity.gaussian"


def test_crossing_a_genome_with_itself_forces_a_mutation() -> None:
    for seed in range(20):
        child, operator = child_of(draw(), draw(), seed=seed, rates=replace(NEVER, mutate_rules=1e-9))
        assert child != draw()
        assert operator == "rules.gaussian"


def test_crossover_alone_makes_a_child_of_two_parents() -> None:
    mother = draw(0)
    father, _ = child_of(mother, seed=5)
    child, operator = child_of(mother, father, seed=2, rates=NEVER)
    assert operator == "crossover"
    assert child not in (mother, father)


def test_held_chromosomes_stay_the_mothers() -> None:
    assert SPACE.rules is not None
    space = replace(
        SPACE,
        rules=replace(SPACE.rules, evolve=False),
        architecture=replace(SPACE.architecture, evolve=False),
    )
    mother, father = tuned(draw(0)), tuned(draw(1))
    for seed in range(20):
        child, _ = child_of(mother, father, seed=seed, space=space)
        assert {difference.chromosome for difference in diff(mother, child)} == {"plasticity"}


@pytest.mark.parametrize("genes", [{}, {"learner.steps": Integers(3, 3)}])
def test_a_space_in_which_nothing_can_vary_is_one_clear_error(genes: dict[str, Integers]) -> None:
    still = replace(SPACE.architecture, evolve=False)
    space = SearchSpace(None, still, genes)
    mother = replace(draw(), rules=None, plasticity=dict.fromkeys(genes, 3))
    with pytest.raises(SpecError, match="no mutation can change a genome of this search space"):
        child_of(mother, space=space)


def test_new_genes_get_their_identities_from_ids() -> None:
    mother = draw(2)
    known = {gene.innovation for gene in mother.genes()} | set(mother.rules.genes if mother.rules else ())
    for seed in range(30):
        child, _ = breed(mother, None, space=SPACE, key=Key(seed), ids=count(10**9), rates=OFTEN)
        assert child.rules is not None
        new = ({gene.innovation for gene in child.genes()} | set(child.rules.genes)) - known
        assert all(identity >= 10**9 for identity in new)
