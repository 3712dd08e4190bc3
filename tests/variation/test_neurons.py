from collections import Counter
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evogen.cohort import Ref
from evogen.genome import Gene, Genome, frozen, load
from evogen.grammar import CODONS
from evogen.grammar.neurons import STRUCTURES
from evogen.keys import Key
from evogen.space import ArchitectureSpace, SearchSpace
from evogen.variation import neurons
from evogen.variation.breed import Rates, breed
from evogen.variation.sample import innovations

from .neural import INPUTS, OUTPUTS, SMALL, drawn, names, planned, space_of, tuned

OFTEN = Rates(resize_architecture=0.4, link_gene=0.4, exchange_gene=0.5)
STARTS = {"flat": "neuron", "layered": "sparse", "modules": "neuron", "coupled": "coupled"}


def inhabitants(genome: Genome) -> Counter[int]:
    return Counter(gene.module for gene in genome.architecture)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_new_genomes_have_a_gene_in_every_module_and_layers_in_turn(structure: str) -> None:
    space = space_of(structure=structure, initial_modules=10, layers=3)
    for row in range(30):
        genome = drawn(space, row)
        per_module = inhabitants(genome)
        assert set(per_module) == set(range(space.places))
        assert max(per_module.values()) - min(per_module.values()) <= 1
        layers = Counter(gene.layer for gene in genome.architecture)
        turns = -(-len(genome.architecture) // space.places)
        assert set(layers) == set(range(min(turns, space.depth)))
        assert space.places <= len(genome.architecture) <= space.initial_modules


def test_sizes_of_new_genomes_are_uniform_between_the_bounds() -> None:
    space = space_of(structure="flat", min_modules=2, initial_modules=5)
    sizes = Counter(len(drawn(space, row).architecture) for row in range(400))
    assert set(sizes) == {2, 3, 4, 5}
    assert min(sizes.values()) > 60  # of 100 expected; standard deviation 8.7


@pytest.mark.parametrize("initialiser", ["grow", "pi-grow", "ramped", "size-uniform"])
def test_every_initialiser_makes_networks(initialiser: str) -> None:
    space = space_of(initialiser=initialiser, structure="layered-modules")
    genomes = [drawn(space, row) for row in range(5)]
    assert len({genome.id for genome in genomes}) == 5
    assert all(len(planned(space, genome).groups) > 2 for genome in genomes)


def test_addition_goes_to_any_place_and_keeps_what_there_is() -> None:
    space = space_of(structure="layered-modules", layers=2)
    genome = drawn(space)
    children = [neurons.add(genome, Key(seed), space=space, ids=count(500)) for seed in range(80)]
    assert {(child.architecture[-1].module, child.architecture[-1].layer) for child in children} == {
        (module, layer) for module in range(OUTPUTS) for layer in range(2)
    }
    assert all(child.architecture[:-1] == genome.architecture for child in children)
    full = replace(space, max_modules=len(genome.architecture))
    assert neurons.add(genome, Key(0), space=full, ids=count(500)) is genome


def test_deletion_never_takes_the_last_of_a_module() -> None:
    space = space_of()
    genome = Genome(None, Gene(1, ()), tuple(Gene(10 + i, (), module=m) for i, m in enumerate((0, 1, 1, 2))))
    gone = {
        tuple({*names(genome)} - {*names(neurons.delete(genome, Key(s), space=space))}) for s in range(30)
    }
    assert gone == {(11,), (12,)}
    three = neurons.delete(genome, Key(0), space=space)
    assert neurons.delete(three, Key(1), space=space) is three
    assert neurons.delete(genome, Key(0), space=replace(space, min_modules=4)) is genome


def test_a_copy_is_a_gene_of_its_own_in_the_same_place() -> None:
    space = space_of()
    genome = tuned(drawn(space))
    child = neurons.copy(genome, Key(1), space=space, ids=count(500))
    at = names(child).index(500)
    original, made = child.architecture[at - 1 : at + 1]
    assert (made.codons, made.module, made.layer, made.link) == (
        original.codons, original.module, original.layer, 0,
    )  # fmt: skip
    assert dict(made.expression) == dict(original.expression)


def linked(seed: int = 1) -> tuple[ArchitectureSpace, Genome, Gene]:
    space = space_of()
    genome = neurons.link(tuned(drawn(space, 1)), Key(seed), space=space, ids=count(500))
    return space, genome, genome.architecture[-1]


def test_a_link_lies_in_another_module_and_has_nothing_of_its_own() -> None:
    _, genome, link = linked()
    target = next(gene for gene in genome.architecture if gene.innovation == link.link)
    assert (link.innovation, link.codons, dict(link.expression), link.layer) == (500, (), {}, target.layer)
    assert link.module != target.module
    assert load(genome.json, genome.arrays) == genome


def test_a_mutation_of_a_gene_changes_all_its_links_and_nothing_else() -> None:
    space, genome, link = linked()

    def says(of: Genome) -> dict[int, object]:
        plan = planned(space, of)
        ways = [p for p in plan.projections if p.post < len(plan.groups) - 1]
        return {p.gene: (p.rows, p.weights, plan.groups[p.post].activation) for p in ways}

    both = 0
    for seed in range(40):
        child = neurons.redraw(genome, Key(seed), space=space)
        before, after = says(genome), says(child)
        changed = {gene for gene in before if before[gene] != after[gene]}
        assert changed <= {link.link, link.innovation} or (len(changed) == 1 and link.link not in changed)
        both += changed == {link.link, link.innovation}
    assert both > 2


def test_a_link_to_a_link_names_the_gene() -> None:
    space, genome, _ = linked()
    for seed in range(20):
        again = neurons.link(genome, Key(seed), space=space, ids=count(600)).architecture[-1]
        owners = {gene.innovation for gene in genome.architecture if not gene.link}
        assert again.link in owners


def test_what_was_linked_to_lives_on_in_its_first_link() -> None:
    space, genome, link = linked()
    genome = replace(genome, architecture=(*genome.architecture, replace(link, innovation=501)))
    target = next(gene for gene in genome.architecture if gene.innovation == link.link)
    seeds = (neurons.delete(genome, Key(seed), space=space) for seed in range(200))
    child = next(child for child in seeds if target.innovation not in names(child))
    heir, second = child.architecture[-2:]
    assert (heir.innovation, heir.codons, heir.link) == (500, target.codons, 0)
    assert dict(heir.expression) == dict(target.expression)
    assert second.link == 500


def test_exchange_swaps_a_whole_gene_of_the_same_place() -> None:
    space = space_of(structure="layered-modules")
    mother, father = tuned(drawn(space, 0), 1), tuned(drawn(space, 1), 2)
    for seed in range(20):
        child = neurons.exchange(mother, Key(seed), father=father)
        pairs = list(zip(mother.architecture, child.architecture, strict=True))
        ((old, new),) = [(a, b) for a, b in pairs if a is not b]
        assert new in father.architecture
        assert (new.module, new.layer) == (old.module, old.layer)
    assert neurons.exchange(mother, Key(0), father=mother) is mother


def test_redraw_changes_one_codon_of_one_gene() -> None:
    space = space_of()
    genome = drawn(space, 2)
    for seed in range(30):
        child = neurons.redraw(genome, Key(seed), space=space)
        pairs = zip(genome.architecture, child.architecture, strict=True)
        ((old, new),) = [(a.codons, b.codons) for a, b in pairs if a.codons != b.codons]
        assert sum(a != b for a, b in zip(old, new, strict=False)) + len(new) - len(old) == 1


def test_a_nudge_is_relative_to_the_range_of_its_number() -> None:
    space = space_of(grammar=SMALL, start="g", structure="flat")
    genome = Genome(None, Gene(1, ()), (Gene(10, (CODONS // 2, 0, 3, CODONS // 2, CODONS // 2)),))
    steps: dict[str, list[float]] = {"bias": [], "weight": [], "readout": []}
    for seed in range(600):
        plan = planned(space, neurons.nudge(genome, Key(seed), space=space, sigma=0.05))
        first, out = plan.projections
        assert first.rows == (3,)
        found = {"bias": plan.groups[1].bias, "weight": first.weights[0], "readout": out.weights[0]}
        name = max(found, key=lambda name: abs(found[name] or 0.0))
        steps[name].append(found[name] or 0.0)
    for name, spread in (("bias", 0.05 * 2), ("weight", 0.05 * 4), ("readout", 0.05 * 4)):
        assert len(steps[name]) > 150
        assert np.std(steps[name]) == pytest.approx(
            spread, rel=0.2
        )  # 5 standard errors of 200 draws are 0.25
        assert abs(np.mean(steps[name])) < 4 * spread / np.sqrt(len(steps[name]))


def test_weights_that_are_trained_are_not_nudged() -> None:
    genome = Genome(None, Gene(1, ()), (Gene(10, (5, 0, 3, 5, 5)),))
    trained = space_of(grammar=SMALL, start="g", structure="flat", weights="trained")
    assert neurons.nudge(genome, Key(0), space=trained, sigma=0.1) is genome
    for seed in range(20):
        child = neurons.redraw(genome, Key(seed), space=trained)
        assert planned(trained, child) != planned(trained, genome)


def test_what_was_learnt_follows_the_sentence() -> None:
    space = space_of(grammar=SMALL, start="g", structure="flat")
    codons = (CODONS // 2, 0, 3, CODONS // 2, CODONS // 2)
    learnt = {"in>n.W": np.zeros((INPUTS, 1)), "n>out.W": np.full((1, OUTPUTS), 0.5), "n.b": np.array([0.25])}
    learnt["in>n.W"][3] = 0.75
    gene = Gene(10, codons, {name: frozen(array) for name, array in learnt.items()})
    genome = Genome(None, Gene(1, ()), (gene,))
    seen = set()
    for seed in range(60):
        child = neurons.redraw(genome, Key(seed), space=space)
        now = child.architecture[0].expression
        was_plan, plan = planned(space, genome), planned(space, child)
        moved = {name for name in learnt if not np.array_equal(now[name], gene.expression[name])}
        first, before = plan.projections[0], was_plan.projections[0]
        if first.rows == before.rows == (3,):
            step = first.weights[0] - before.weights[0]
            assert now["in>n.W"][3, 0] == pytest.approx(0.75 + step, abs=1e-6)
        elif first.rows is not None and 3 not in first.rows:
            assert not now["in>n.W"].any()
        step = plan.projections[1].weights[0] - was_plan.projections[1].weights[0]
        assert now["n>out.W"] == pytest.approx(0.5 + step, abs=1e-6)
        step = (plan.groups[1].bias or 0.0) - (was_plan.groups[1].bias or 0.0)
        assert now["n.b"] == pytest.approx(0.25 + step, abs=1e-6)
        seen |= moved
    assert seen == set(learnt)


def test_expression_moves_by_its_spread_and_what_was_never_expressed_stays() -> None:
    W = np.random.default_rng(0).normal(0, 3, (40, 40)) * (np.random.default_rng(1).random((40, 40)) < 0.5)
    arrays = {"in>n.W": frozen(W), "in.m": frozen(np.full(4, 7.0)), "n.b": frozen([2.0])}
    genome = Genome(None, Gene(1, ()), (Gene(10, (), arrays),))
    now = neurons.express(genome, Key(0), sigma=0.1).architecture[0].expression
    step = (now["in>n.W"] - W)[W != 0]
    assert np.std(step) == pytest.approx(0.1 * np.std(W[W != 0]), rel=0.15)
    assert not now["in>n.W"][W == 0].any()
    assert np.array_equal(now["in.m"], arrays["in.m"])
    assert 0 < abs(now["n.b"][0] - 2.0) < 5 * 0.1 * 2
    bare = Genome(None, Gene(1, ()), (Gene(10, ()),))
    assert neurons.express(bare, Key(0), sigma=0.1) is bare


def descendants(space: ArchitectureSpace, seed: int, generations: int) -> list[tuple[Genome, str]]:
    whole = SearchSpace(None, space)
    pool = [(tuned(drawn(space, row), row), "random") for row in range(3)]
    for generation in range(1, generations + 1):
        rng = Key(seed).child("mates", generation).generator()
        (mother, _), (father, _) = (pool[int(rng.integers(len(pool)))] for _ in range(2))
        ids, key = innovations(Ref(generation, 0)), Key(seed).child(generation)
        child, operator = breed(mother, father, space=whole, key=key, ids=ids, rates=OFTEN)
        assert child not in (mother, father)
        pool.append((child, operator))
    return pool


@pytest.mark.parametrize("structure", STRUCTURES)
@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=8)
def test_every_descendant_is_a_network_within_the_bounds(structure: str, seed: int) -> None:
    space = space_of(structure=structure, start=STARTS.get(structure, "neuron"))
    for genome, _ in descendants(space, seed, 12):
        genes = genome.architecture
        assert space.places <= len(genes) <= space.max_modules
        assert set(inhabitants(genome)) == set(range(space.places))
        assert len(set(names(genome))) == len(genes)
        own = {gene.innovation for gene in genes if not gene.link}
        assert all(gene.link in own and not gene.codons for gene in genes if gene.link)
        assert len(planned(space, genome).groups) == len(genes) + 2
        assert load(genome.json, genome.arrays) == genome


def test_all_operators_of_neurons_happen() -> None:
    pools = (descendants(space_of(), seed, 12) for seed in range(6))
    happened = {name for pool in pools for _, operator in pool for name in operator.split("+")}
    mine = ("add", "copy", "link", "delete", "redraw", "nudge", "exchange", "express")
    assert happened == {"random", "crossover", *(f"architecture.{name}" for name in mine)}


def test_trained_weights_leave_expression_alone() -> None:
    pool = descendants(space_of(weights="trained"), 0, 30)
    assert not any("express" in operator for _, operator in pool)
