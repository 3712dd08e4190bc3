import json
import math
from dataclasses import replace

import numpy as np
import pytest

from evogen.analysis import diversity as module
from evogen.analysis.diversity import diversity, spread
from evogen.cohort import Cohort, Evaluation, Individual, Outcome
from evogen.evaluators import Result
from evogen.genome import Gene, Genome, Rules, frozen
from evogen.keys import Key
from evogen.runs import Run
from evogen.space import Log, Uniform

RANGES = {"learner.rate": Log(1e-4, 1e-2), "rule.abcd.A": Uniform(-1, 1)}


def rules(genes=(1, 2), O=0.0, c=0.0, mask=None):
    g = len(genes)
    return Rules(tuple(genes), frozen(np.full((g, g), O)), frozen(np.full((2, 4), c)), 1.0, mask)


def genome(chromosome=None, genes=(), expression=None, **plasticity):
    modules = tuple(Gene(innovation, codons) for innovation, codons in genes)
    named = {name.replace("__", "."): value for name, value in plasticity.items()}
    return Genome(chromosome, Gene(0, (), expression or {}), modules, named)


def measured(*genomes, ranges=RANGES):
    arrays = {name: array for one in genomes for name, array in one.arrays.items()}
    return spread([json.loads(one.json) for one in genomes], arrays, ranges)


def logit(p):
    return math.log(p / (1 - p))


def test_clones_have_no_distance():
    one = genome(rules(O=1.0), [(5, (1, 2, 3))], learner__rate=1e-3)
    assert measured(one, one, one) == {"rules": 0.0, "architecture": 0.0, "plasticity": 0.0}


def test_rules_differ_by_their_probabilities():
    a, b = rules(O=logit(0.2), c=logit(0.5)), rules(O=logit(0.7), c=logit(0.5))
    # 4 gene pairs that differ by 0.5, 4 conductances that are equal
    assert measured(genome(a), genome(b))["rules"] == pytest.approx(4 * 0.5 / 8, abs=1e-6)


def test_conductances_count_where_a_transmitter_has_its_own_receptors():
    c = np.zeros((2, 4))
    c[1, 0] = 50.0  # of the other transmitter's receptor: no such synapse
    a, b = rules(), replace(rules(), c=frozen(c))
    assert measured(genome(a), genome(b))["rules"] == 0
    c[0, 0] = 50.0  # sigmoid 1 instead of 1/2
    assert measured(genome(a), genome(replace(b, c=frozen(c))))["rules"] == pytest.approx(0.5 / 8)


def test_rules_are_aligned_by_gene():
    O = frozen(np.array([[1.0, 2.0], [3.0, 4.0]]))
    turned = frozen(np.array([[4.0, 3.0], [2.0, 1.0]]))
    a, b = replace(rules((1, 2)), O=O), replace(rules((2, 1)), O=turned)
    assert measured(genome(a), genome(b))["rules"] == 0


def test_gene_pairs_that_only_one_has_count_whole():
    a, b = rules((1, 2)), rules((2, 3))
    # 1 pair in common, 3 of each alone; 4 equal conductances
    assert measured(genome(a), genome(b))["rules"] == pytest.approx(6 / (7 + 4))


def test_a_pair_that_a_mask_forbids_has_probability_0():
    masked = rules(O=logit(0.75), mask=frozen(np.array([[1.0, 0.0], [1.0, 1.0]])))
    assert measured(genome(rules(O=logit(0.75))), genome(masked))["rules"] == pytest.approx(0.75 / 8)


def test_codons_are_aligned_by_innovation():
    a = genome(genes=[(5, (1, 2, 3, 4)), (6, (7,))])
    b = genome(genes=[(6, (7,)), (5, (1, 0, 3))])
    c = genome(genes=[(9, (7,))])
    assert measured(a, b)["architecture"] == pytest.approx((2 / 4 + 0) / 2)
    assert measured(a, c)["architecture"] == 1
    assert measured(a, b, c)["architecture"] == pytest.approx((0.25 + 1 + 1) / 3)


def test_a_change_of_place_counts_as_one_codon_more():
    a = Genome(None, Gene(0, ()), (Gene(5, (1, 2, 3)),))
    b = Genome(None, Gene(0, ()), (Gene(5, (1, 2, 3), layer=1),))
    assert measured(a, b)["architecture"] == pytest.approx(1 / 4)


def test_plasticity_differs_by_the_place_in_its_range():
    a = genome(learner__rate=1e-4, rule__abcd__A=-1.0)
    b = genome(learner__rate=1e-3, rule__abcd__A=0.0)
    assert measured(a, b)["plasticity"] == pytest.approx((0.5 + 0.5) / 2)
    assert measured(a, b, ranges={})["plasticity"] == 1
    assert measured(a, genome(learner__rate=1e-4))["plasticity"] == pytest.approx(1 / 2)


def test_expression_counts_arrays_of_other_content():
    small, large = frozen(np.ones(2)), frozen(np.ones((9, 9)))
    a = genome(expression={"in.X": small, "in.T": large, "in.R": large})
    b = genome(expression={"in.X": 2 * small, "in.T": large, "in.R": frozen(3 * large)})
    assert measured(a, b)["expression"] == pytest.approx(2 / 3)
    assert "expression" not in measured(genome(learner__rate=1e-3))


def test_distances_are_symmetric_and_within_0_and_1():
    random = np.random.default_rng(0)

    def drawn():
        genes = tuple(random.choice(9, random.integers(1, 6), replace=False).tolist())
        made = Rules(
            genes, frozen(random.normal(size=(len(genes),) * 2)), frozen(random.normal(size=(2, 4))), 0.1
        )
        codons = [(int(at), tuple(random.integers(0, 4, 5).tolist())) for at in {*random.integers(1, 6, 3)}]
        return genome(made, codons, learner__rate=float(random.uniform(1e-4, 1e-2)))

    for _ in range(40):
        a, b = drawn(), drawn()
        there, back = measured(a, b), measured(b, a)
        assert there == pytest.approx(back)
        assert all(0 <= value <= 1 for value in there.values())
        assert measured(a, a) == {"rules": 0, "architecture": 0, "plasticity": 0}


def test_one_genome_alone_has_no_diversity():
    assert math.isnan(measured(genome(rules()))["rules"])


@pytest.fixture
def run(tmp_path):
    with Run.create(tmp_path / "run", experiment="name: x\n", files={}, environment={}) as run:
        yield run


def commit(run, *genomes):
    index = run.told
    evaluations = tuple(Evaluation(Outcome.OK, 1.0) for _ in genomes)
    run.commit(Cohort(index, tuple(map(Individual, genomes))), Result(index, evaluations, 0.1, "here"))


def test_a_run_is_measured_cohort_by_cohort(run):
    a, b = (
        rules((1, 2, 3, 4, 5), O=logit(0.2)),
        rules((1, 2, 3, 4, 5), O=logit(0.7)),
    )  # stored beside the JSON
    commit(run, genome(a), genome(a))
    commit(run, genome(a), genome(b))
    found = diversity(run, RANGES, key=Key(1))
    assert found.cohorts == (0, 1)
    assert found.distances["rules"] == pytest.approx((0, 25 * 0.5 / 29), abs=1e-6)
    assert set(found.distances) == {"rules"}
    assert found.missing == ()


def test_rules_whose_arrays_are_gone_are_unknown_and_the_rest_is_known(run):
    for _ in range(2):
        commit(
            run, genome(rules((1, 2, 3, 4, 5)), [(5, (1, 2))]), genome(rules((1, 2, 3, 4, 6)), [(5, (1, 3))])
        )
    for file in (run.path / "arrays").iterdir():
        file.write_bytes(b"gone")
    found = diversity(run, RANGES, key=Key(1))
    assert all(map(math.isnan, found.distances["rules"]))
    assert found.distances["architecture"] == (0.5, 0.5)
    assert [text.partition(": ")[0] for text in found.missing] == [
        f"the diversity of the rules of cohort {at} is unknown" for at in (0, 1)
    ]


def test_cost_is_bounded_by_a_sample(run, monkeypatch):
    monkeypatch.setattr(module, "COHORTS", 3)
    monkeypatch.setattr(module, "CANDIDATES", 2)
    for at in range(7):
        commit(run, *(genome(learner__rate=1e-3 * (1 + at + row)) for row in range(4)))
    read = []
    original = Run.written
    monkeypatch.setattr(Run, "written", lambda self, ref: read.append(ref) or original(self, ref))
    found = diversity(run, RANGES, key=Key(1))
    assert found.cohorts == (0, 3, 6)
    assert len(read) == len(set(read)) == 6
    assert diversity(run, RANGES, key=Key(1)) == found


def test_an_empty_run_has_none(run):
    assert diversity(run, RANGES, key=Key(1)) == module.Diversity((), {})
