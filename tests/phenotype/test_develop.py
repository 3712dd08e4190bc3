"""From genome to phenotype: what is drawn, what is inherited, and what both depend on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch_fakes import (
    Layer,
    Readout,
    development,
    genome_of,
    inherit,
    phenotype_of,
    plan_of,
    random_rules,
)

from evogen.connectome.birth import Birth
from evogen.connectome.direct import Direct
from evogen.connectome.synaptogen import SynaptoGen
from evogen.errors import DevelopmentError
from evogen.genome import frozen
from evogen.keys import Key
from evogen.phenotype import embryo

TWO = {7: [Layer(10), Layer(6, "relu")], 8: [Layer(5, density=0.5)]}
WIRINGS = [SynaptoGen(), Direct()]


def innate(modules, *, wiring=None, rules=None):
    """Expression of a genome that inherits nothing: innovation id -> name -> array."""
    rules = rules or random_rules()
    found = phenotype_of((genome_of(modules, rules=rules), modules), wiring=wiring)
    return found.expression(found.flat, 0)


@pytest.mark.parametrize("wiring", WIRINGS, ids=["synaptogen", "direct"])
def test_expression_written_back_develops_into_the_same_network(wiring):
    genome = genome_of(TWO, rules=random_rules())
    found = phenotype_of((genome, TWO), wiring=wiring, dtype=torch.float32)
    noise = torch.from_numpy(Key(0).child("noise").generator().normal(size=found.flat.shape)).float()
    tuned = found.flat + 0.1 * noise * (found.flat != 0)
    child = inherit(genome, found.expression(tuned, 0), found.rules(tuned, 0))
    again = phenotype_of((child, TWO), wiring=wiring, dtype=torch.float32)
    assert torch.equal(again.flat, tuned)
    networks = found.network(tuned), again.network(again.flat)
    for W, V in zip(*(network.weights for network in networks), strict=True):
        assert torch.equal(W, V)


@pytest.mark.parametrize("wiring", WIRINGS, ids=["synaptogen", "direct"])
def test_every_number_of_the_genes_is_expressed_once(wiring):
    own = innate(TWO, wiring=wiring)
    assert own.keys() == {1, 7, 8}
    shapes = {f"{gene}.{name}": array.shape for gene, arrays in own.items() for name, array in arrays.items()}
    if wiring == Direct():
        assert shapes == {
            "7.in>l0.W": (4, 10), "7.l0>l1.W": (10, 6), "7.l1>out.W": (6, 2), "8.in>l0.W": (4, 5),
            "8.l0>out.W": (5, 2), "7.l0.b": (10,), "7.l1.b": (6,), "8.l0.b": (5,), "1.out.b": (2,),
        }  # fmt: skip
        return
    assert {name: shape for name, shape in shapes.items() if name[0] != "1"} == {
        f"{group}.{symbol}": (size, *rest)
        for group, size in (("7.l0", 10), ("7.l1", 6), ("8.l0", 5))
        for symbol, rest in (("X", (5,)), ("T", (2,)), ("R", (4,)), ("b", ()))
    }
    assert {name: shape for name, shape in shapes.items() if name[0] == "1"} == {
        "1.in.X": (4, 5), "1.in.T": (4, 2), "1.out.X": (2, 5), "1.out.R": (2, 4), "1.out.b": (2,),
    }  # fmt: skip


@pytest.mark.parametrize("width", [7, 14])
def test_a_changed_width_keeps_the_rows_that_remain(width):
    inherited = innate({7: [Layer(10)]})
    inherited = {gene: {name: 2 * array for name, array in own.items()} for gene, own in inherited.items()}
    modules = {7: [Layer(width)]}
    genome = inherit(genome_of(modules, rules=random_rules()), inherited)
    found = phenotype_of((genome, modules))
    own, fresh, kept = found.expression(found.flat, 0), innate(modules), min(width, 10)
    for name in ("l0.X", "l0.T", "l0.R", "l0.b"):
        assert np.array_equal(own[7][name][:kept], inherited[7][name][:kept])
        assert np.array_equal(own[7][name][kept:], fresh[7][name][kept:])
    for name, array in inherited[1].items():
        assert np.array_equal(own[1][name], array)


def test_a_changed_width_keeps_the_synapses_that_remain():
    inherited = innate({7: [Layer(10)]}, wiring=Direct())
    inherited[7] = {name: array + 1 for name, array in inherited[7].items()}
    modules = {7: [Layer(12)]}
    found = phenotype_of((inherit(genome_of(modules), inherited), modules), wiring=Direct())
    own = found.expression(found.flat, 0)[7]
    assert np.array_equal(own["in>l0.W"][:, :10], inherited[7]["in>l0.W"])
    assert np.array_equal(own["l0>out.W"][:10], inherited[7]["l0>out.W"])
    assert np.array_equal(own["l0.b"][:10], inherited[7]["l0.b"])


@pytest.mark.parametrize("wiring", WIRINGS, ids=["synaptogen", "direct"])
def test_what_a_gene_expresses_innately_depends_on_its_identity_only(wiring):
    own = [Layer(10), Layer(6)]
    alone = innate({7: own}, wiring=wiring)[7]
    other_rules = random_rules(seed=5, temperature=0.7)
    crowd = {3: [Layer(30), Layer(4)], 7: own, 9: [Layer(2)]}
    in_company = innate(crowd, wiring=wiring, rules=other_rules)
    for name, array in alone.items():
        assert np.array_equal(in_company[7][name], array), name
    elsewhere = innate({8: own}, wiring=wiring)[8]
    drawn = {name: array for name, array in alone.items() if array.any()}  # direct biases start at zero
    assert not any(np.isin(elsewhere[name], array).any() for name, array in drawn.items())


@pytest.mark.parametrize("wiring", WIRINGS, ids=["synaptogen", "direct"])
def test_a_wider_layer_keeps_the_innate_expression_and_the_sparse_mask_it_had(wiring):
    narrow, wide = {8: [Layer(5, density=0.5)]}, {8: [Layer(9, density=0.5)]}
    before, after = (innate(each, wiring=wiring)[8] for each in (narrow, wide))
    for name, array in before.items():
        kept = after[name][tuple(slice(size) for size in array.shape)]
        scale = np.sqrt(5 / 9) if name == "l0>out.W" else 1.0  # its law follows the fan-in
        np.testing.assert_allclose(kept, scale * array, rtol=1e-6, err_msg=name)
    masks = [phenotype_of((genome_of(m, rules=random_rules()), m)).masks[0] for m in (narrow, wide)]
    assert torch.equal(masks[0][:, :, :5], masks[1][:, :, :5])
    assert 0 < masks[1][:, :, :9].mean() < 1


def test_innate_expression_of_a_rule_gene_depends_on_its_identity_only():
    rules, order = random_rules(), [3, 0, 4, 1, 2]
    moved = replace(
        rules,
        genes=tuple(rules.genes[i] for i in order),
        O=frozen(rules.O[order][:, order]),
    )
    modules = {7: [Layer(10)]}
    found = [phenotype_of((genome_of(modules, rules=each), modules)) for each in (rules, moved)]
    own = [each.expression(each.flat, 0) for each in found]
    assert np.array_equal(own[0][7]["l0.X"][:, order], own[1][7]["l0.X"])
    x = torch.ones(1, 1, 4)
    outputs = [each.network(each.flat).step(x, {})[0] for each in found]
    torch.testing.assert_close(*outputs, rtol=1e-10, atol=1e-12)


def test_innate_expression_follows_its_law():
    own = innate({7: [Layer(2000)]}, rules=random_rules(8, 3))[7]
    for name, variance in (("l0.X", 2 / 8), ("l0.T", 2 / 3), ("l0.R", 2 / 6), ("l0.b", 2 / 5)):
        array = own[name]
        error = 1 / np.sqrt(array.size)
        assert abs(array.mean()) <= 4 * error * np.sqrt(variance)
        assert abs(array.var() / variance - 1) <= 4 * np.sqrt(2) * error


def test_sparse_projections_have_their_density_and_their_genes_own_pattern():
    def mask(gene, density):
        modules = {gene: [Layer(60), Layer(50, density=density)]}
        found = phenotype_of((genome_of(modules, rules=random_rules()), modules))
        return dict(zip(found.layout.pairs, found.masks, strict=True))[1, 2][0, :60, :50]

    for density in (0.2, 0.7):
        error = np.sqrt(density * (1 - density) / 3000)
        assert abs(float(mask(7, density).mean()) - density) <= 4 * error
    assert mask(7, 1.0).all()
    assert torch.equal(mask(7, 0.2), mask(7, 0.2))
    assert not torch.equal(mask(7, 0.2), mask(8, 0.2))
    assert (mask(7, 0.2) <= mask(7, 0.7)).all()  # a denser projection keeps the synapses that there were


def test_development_writes_nothing_into_the_genome():
    genome = genome_of(TWO, rules=random_rules())
    before = genome.id, genome.json
    phenotype_of((genome, TWO))
    assert (replace(genome).id, replace(genome).json) == before


def test_candidates_of_equal_layout_may_differ_in_all_that_is_padded():
    modules = [{7: [Layer(3)]}, {8: [Layer(40, "relu")], 9: [Layer(20, "selu", density=0.3)]}]
    genomes = [genome_of(each, rules=random_rules(5 + 6 * row)) for row, each in enumerate(modules)]
    found = phenotype_of(*zip(genomes, modules, strict=True))
    for row, own in enumerate(modules):
        alone = phenotype_of((genomes[row], own))
        assert torch.equal(alone.flat[0], found.flat[row])
        for W, V in zip(alone.network(alone.flat).weights, found.network(found.flat).weights, strict=True):
            assert torch.equal(W[0], V[row])


def test_agents_depend_on_candidate_and_key_only():
    modules = [{7: [Layer(3)]}, {8: [Layer(40, "relu")]}]
    chosen = [(genome_of(each, rules=random_rules(seed=row)), each) for row, each in enumerate(modules)]
    found, keys = phenotype_of(*chosen), [Key(3), Key(4)]
    many = found.agents(found.flat, keys, Birth(agents=5, degree=1e3))
    assert many.rows == 10
    alone = phenotype_of(chosen[1])
    few = alone.agents(alone.flat, keys[1:], Birth(agents=2, degree=1e3))
    for W, V in zip(many.weights, few.weights, strict=True):
        assert torch.equal(W[5:7], V)
    for W in many.weights[:1]:
        for agents in (W[:5], W[5:]):
            assert len(agents.flatten(1).unique(dim=0)) == 5
    x = torch.ones(1, 1, 4)
    outputs = [each.step(x.expand(each.rows, -1, -1), {})[0] for each in (many, few)]
    torch.testing.assert_close(outputs[0][5:7], outputs[1], rtol=1e-12, atol=0)


def test_agents_approach_the_average_network_as_synapses_become_many():
    modules = {7: [Layer(6, rule="abcd"), Layer(4, "relu"), Readout(density=0.5)]}
    found = phenotype_of((genome_of(modules, rules=random_rules()), modules))
    expected = found.network(found.flat)
    errors = []
    for degree in (1e4, 1e8):
        born = found.agents(found.flat, [Key(3)], Birth(agents=3, degree=degree))
        errors.append(
            max(float((W - V).abs().max()) for W, V in zip(born.weights, expected.weights, strict=True))
        )
        assert torch.equal(born.biases[0], expected.biases[0].expand(3, -1))
    assert errors[1] < 1e-3 < 0.1
    assert errors[1] < errors[0] / 30  # ~ 1 / sqrt(degree)


def test_genomes_that_do_not_fit_are_refused():
    plan = plan_of({7: [Layer(3)]})
    with pytest.raises(DevelopmentError, match="needs genetic rules"):
        embryo(development(), genome_of({7: [Layer(3)]}), plan)
    wrong = {7: {"l0.X": frozen(np.zeros((3, 9)))}}
    with pytest.raises(
        DevelopmentError, match=r"gene 7: inherited l0\.X has shape \(3, 9\), \(3, 5\) wanted"
    ):
        embryo(development(), genome_of({7: [Layer(3)]}, rules=random_rules(), expression=wrong), plan)
    flat = {7: {"l0.T": frozen(np.zeros(6))}}
    with pytest.raises(DevelopmentError, match=r"inherited l0\.T"):
        embryo(development(), genome_of({7: [Layer(3)]}, rules=random_rules(), expression=flat), plan)
