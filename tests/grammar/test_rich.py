"""The grammar in which a production may choose everything."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evogen
from evogen.cohort import Outcome
from evogen.connectome.priors import plain
from evogen.genome import Gene, Genome
from evogen.grammar import CODONS, grow
from evogen.grammar.architecture import plan_of
from evogen.registry import evolvable_fields, find, known
from evogen.report import write

ROOT = Path(__file__).parents[2]
SHORT = ["learner.iterations=1", "learner.horizon=8", "learner.environments=4", "birth.agents=2"]


@pytest.fixture(scope="module")
def rich():
    return evogen.load(ROOT / "searchspaces" / "rich.yaml")


def genome(*codons):
    return Genome(None, Gene(1, ()), tuple(Gene(10 + at, tuple(each)) for at, each in enumerate(codons)))


def numbers_fit(kind, name, numbers):
    bounds = {item.name: item.metadata for item in evolvable_fields(find(kind, name))}
    return all(bounds[key]["low"] <= value <= bounds[key]["high"] for key, value in numbers.items())


def test_ten_thousand_random_genomes_are_valid_and_all_choices_occur(rich):
    space, rng = rich.space.architecture, np.random.default_rng(0)
    found = {
        kind: set() for kind in ("act", "each", "neuron", "rule", "prior", "loop", "learning", "repairs")
    }
    for number in range(10_000):
        modules = (grow(space.grammar, "rich", rng) for _ in range(1 + number % 3))
        plan = plan_of(space, genome(*modules), 4, 2)
        assert all(0 <= link.pre <= link.post < len(plan.groups) for link in plan.projections)
        found["repairs"].add(plan.repairs > 0)
        for group in plan.groups[1:-1]:
            assert numbers_fit("neuron", group.neuron, group.settings)
            assert group.neuron != "lif" or (group.activation, group.activations) == ("identity", ())
            assert len(group.activations) in (0, group.size)
            found["act"].add(group.activation)
            found["each"].update(group.activations)
            found["neuron"].add(group.neuron)
        for link in plan.projections:
            assert numbers_fit("rule", link.rule, link.coefficients)
            if link.prior:
                assert numbers_fit("prior", plain(link.prior), link.settings)
            found["prior"].add(link.prior)
            found["rule"].add(link.rule)
            found["loop"].add(link.pre == link.post)
        found["learning"].update((how.rate == 0, how.momentum is None) for how in plan.learning.values())
    assert found == {
        "act": {"tanh", "relu", "selu", "sigmoid", "sin", "gauss", "abs", "square", "mix", "identity"},
        "each": {"tanh", "relu", "sin", "gauss"},
        "neuron": {"rate", "leaky", "lif"},
        "rule": {"none", "abcd"},
        "prior": {"", "local", "small-world", "modular", "shuffled-local"},
        "loop": {True, False},
        "learning": {(True, True), (False, True), (False, False)},
        "repairs": {True, False},
    }
    assert {plain(name) for name in found["prior"] if name} == set(known("prior"))


@given(lists=st.lists(st.lists(st.integers(0, CODONS - 1), max_size=60), min_size=1, max_size=3))
@settings(deadline=None, max_examples=60)
def test_every_genome_keeps_the_constraints(rich, lists):
    space = rich.space.architecture
    plan = plan_of(space, genome(*lists), 4, 2)
    genes = [group.gene for group in plan.groups[1:-1]]
    assert max(genes.count(gene) for gene in genes) <= 3
    frozen = {gene for gene, how in plan.learning.items() if how.rate == 0}
    assert not frozen.issuperset(genes)
    assert frozen <= {link.gene for link in plan.projections if link.rule != "none"}


@pytest.mark.parametrize("changes", [[], ["wiring=mixed", "architecture.start=wired", "plasticity={}"]])
def test_random_genomes_develop_and_learn(changes, tmp_path):
    chosen = [*SHORT, *changes, "search.cohorts=1", "search.cohort_size=24"]
    run = evogen.run(evogen.load(ROOT / "searchspaces" / "rich.yaml", chosen), out=tmp_path / "run")
    rows = list(run.rows())
    assert write([run], tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")
    run.close()
    assert {row.outcome for row in rows} <= {Outcome.OK, Outcome.DIVERGED}
    assert sum(row.outcome is Outcome.OK for row in rows) >= 22
