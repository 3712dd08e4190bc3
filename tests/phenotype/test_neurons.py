"""From genomes of neuron groups to phenotypes: what is wired, drawn, given and inherited."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from neuron_fakes import STRUCTURES, Cell, candidate_of, genome_of, phenotype_of, plain, plan_of
from torch_fakes import inherit, random_rules

from evogen.connectome.birth import Birth
from evogen.connectome.direct import Direct
from evogen.connectome.synaptogen import SynaptoGen
from evogen.errors import DevelopmentError
from evogen.genome import frozen
from evogen.grammar.plan import Projection
from evogen.keys import Key
from evogen.measures import structure as measures
from evogen.phenotype import neurons

WIRINGS = pytest.mark.parametrize("wiring", [Direct(), SynaptoGen()], ids=["direct", "synaptogen"])
EVERY = pytest.mark.parametrize("structure", STRUCTURES)


def observations(shape, seed=0):
    return torch.from_numpy(Key(seed).child("observations").generator().normal(size=shape))


def innate(cells, *, wiring=None, rules=None, **how):
    found = phenotype_of((genome_of(cells, rules=rules), plan_of(cells, **how)), wiring=wiring)
    return found.expression(found.flat, 0)


def test_a_network_by_hand():
    """Two inputs of three, a group of two, a neuron above it that skips to an input, and an output each."""
    cells = [
        Cell(7, 2, (0, 2), columns=(1,), bias=0.5, weights={"in": (1.0, 2.0, 3.0, 4.0), "out": (0.1, 0.2)}),
        Cell(
            8,
            1,
            (1,),
            (7,),
            columns=(0,),
            level=2,
            activation="relu",
            bias=-1.0,
            weights={"in": (5.0,), "7": (6.0, 7.0), "out": (8.0,)},
        ),
    ]
    plan = plan_of(cells, inputs=3, outputs=2, depth=2)
    found = phenotype_of((genome_of(cells), plan))
    x = np.array([0.3, 0.2, -0.4])
    a = np.tanh([0.5 + 0.3 * 1 - 0.4 * 3, 0.5 + 0.3 * 2 - 0.4 * 4])
    b = max(0.0, -1 + 0.2 * 5 + a[0] * 6 + a[1] * 7)
    output, _ = found.network(found.flat).step(torch.tensor(x)[None, None], {})
    np.testing.assert_allclose(output[0, 0], [8 * b, a @ [0.1, 0.2]], rtol=1e-14, atol=1e-15)
    own = found.expression(found.flat, 0)
    assert own.keys() == {1, 7, 8}
    assert {
        f"{gene}:{name}": array.tolist() for gene, each in own.items() for name, array in each.items()
    } == {
        "1:out.b": [0, 0],
        "7:n.b": [0.5, 0.5],
        "7:in>n.W": [[1, 2], [0, 0], [3, 4]],
        "7:n>out.W": [[0, np.float32(0.1)], [0, np.float32(0.2)]],
        "8:n.b": [-1],
        "8:in>n.W": [[0], [5], [0]],
        "8:7.n>n.W": [[6], [7]],
        "8:n>out.W": [[8, 0]],
    }


@EVERY
@WIRINGS
def test_batched_networks_answer_as_plain_ones_do(structure, wiring):
    candidates = [candidate_of(structure, seed, genetic=wiring.genetic) for seed in range(4)]
    found = phenotype_of(*candidates, wiring=wiring)
    flat = found.flat + 0.2 * observations(found.flat.shape, 1) * (found.flat != 0)
    found = replace(found, flat=flat.float().double())  # what a genome can hold
    candidates = [
        (inherit(genome, found.expression(found.flat, row), found.rules(found.flat, row)), plan)
        for row, (genome, plan) in enumerate(candidates)
    ]
    x = observations((4, 2, 4))
    output, _ = found.network(found.flat).step(x, {})
    for row, (genome, _) in enumerate(candidates):
        for life in range(2):
            expected = plain(found, row, genome, x[row, life])
            np.testing.assert_allclose(output[row, life], expected, rtol=1e-10, atol=1e-12)


@EVERY
@WIRINGS
def test_expression_written_back_develops_into_the_same_network(structure, wiring):
    genome, plan = candidate_of(structure, 3, genetic=wiring.genetic)
    found = phenotype_of((genome, plan), wiring=wiring, dtype=torch.float32)
    free = torch.from_numpy(found.trainable(0))
    assert not found.flat[0][~free].any()
    tuned = found.flat + 0.1 * observations(found.flat.shape).float() * free
    child = inherit(genome, found.expression(tuned, 0), found.rules(tuned, 0))
    again = phenotype_of((child, plan), wiring=wiring, dtype=torch.float32)
    assert torch.equal(again.flat, tuned)
    assert all(torch.equal(a, b) for a, b in zip(again.masks, found.masks, strict=True))


@EVERY
@WIRINGS
def test_a_candidate_has_the_bits_alone_that_it_has_in_company(structure, wiring):
    """Innate numbers, outputs, gradients and born agents in float32; also beside a candidate that is NaN."""
    seeds = range(5)
    candidates = [candidate_of(structure, seed, genetic=wiring.genetic, count=6 + 2 * seed) for seed in seeds]
    law = Birth(agents=2, training="noise")

    def lived(rows, flat=None):
        found = phenotype_of(
            *(candidates[row] for row in rows), wiring=wiring, dtype=torch.float32, birth=law
        )
        flat = (found.flat if flat is None else flat).clone().requires_grad_()
        keys = [Key(5).child(row) for row in rows]
        network = found.network(flat, found.noise(keys, 2))
        x = torch.linspace(-1, 1, 12).reshape(1, 3, 4).expand(network.rows, -1, -1)
        output = network.forward(x)
        gradient = torch.autograd.grad(output.square().sum(), flat)[0]
        copies = network.rows // len(rows)
        born = [W.detach().unflatten(0, (-1, 2)) for W in found.agents(flat.detach(), keys).weights]
        return found, [output.detach().unflatten(0, (-1, copies)), gradient, flat.detach(), *born]

    together, company = lived(seeds)
    broken = together.flat.clone()
    broken[0] = torch.nan
    _, beside = lived(seeds, broken)
    for row in seeds:
        alone, single = lived([row])
        assert alone.layout == together.layout
        for a, b, c in zip(company, single, beside, strict=True):
            assert torch.equal(a[row], b[0])
            assert row == 0 or torch.equal(a[row], c[row])


def test_a_structure_is_one_batch():
    for structure in STRUCTURES:
        candidates = [candidate_of(structure, seed, count=3 + seed) for seed in range(20)]
        assert phenotype_of(*candidates).rows == 20


def test_an_empty_module_and_an_empty_layer_leave_the_bias():
    cells = [Cell(7, module=1, columns=(1,), rows=())]
    found = phenotype_of((genome_of(cells), plan_of(cells, outputs=2, depth=2, modules=2)))
    flat = found.flat + 0.5 * torch.from_numpy(found.trainable(0))
    output, _ = found.network(flat).step(observations((1, 3, 4)), {})
    assert torch.equal(output[..., 0], torch.full((1, 3), 0.5, dtype=torch.float64))
    assert (output[..., 1] != 0.5).all()
    assert int(found.trainable(0).sum()) == 2 + 1 + 1  # two biases of outputs, one of a neuron, one way out


@WIRINGS
def test_what_a_gene_expresses_innately_depends_on_its_identity_and_its_sources_only(wiring):
    rules = random_rules() if wiring.genetic else None
    cell, other = Cell(7, 3, (0, 2), columns=(1,)), Cell(8, 2, (1,), columns=(2,))
    alone = innate([cell], wiring=wiring, rules=rules)[7]
    company = innate([other, cell], wiring=wiring, rules=rules and random_rules(seed=4))[7]
    elsewhere = innate([replace(cell, gene=9)], wiring=wiring, rules=rules)[9]
    for name, array in alone.items():
        assert np.array_equal(company[name], array), name
        if array.any():
            assert not np.isin(elsewhere[name][elsewhere[name] != 0], array).any()
    key = phenotype_of((genome_of([cell], rules=rules), plan_of([cell])), wiring=wiring, seed=1)
    name = "n>out.W" if rules is None else "n.X"
    assert not np.array_equal(key.expression(key.flat, 0)[7][name], alone[name])


def test_innate_synapses_follow_the_number_of_sources():
    """W ~ N(0, 1 / sources): of the group's own ways in, and of all groups that feed an output."""
    cells = [Cell(gene, 40, (0, 2, 3), columns=(0,)) for gene in range(10, 60)]
    own = innate(cells, outputs=2)
    into = np.concatenate([own[cell.gene]["in>n.W"][[0, 2, 3]].ravel() for cell in cells])
    out = np.concatenate([own[cell.gene]["n>out.W"][:, 0] for cell in cells])
    for drawn, sources in ((into, 3), (out, 2000)):
        error = 1 / np.sqrt(drawn.size)
        assert abs(drawn.mean()) <= 4 * error / np.sqrt(sources)
        assert abs(drawn.var() * sources - 1) <= 4 * np.sqrt(2) * error
    assert not any(own[cell.gene]["in>n.W"][1].any() for cell in cells)
    assert not any(own[cell.gene]["n.b"].any() for cell in cells)


def test_innate_expression_follows_its_law():
    cells = [Cell(gene, 50) for gene in range(10, 50)]
    own = innate(cells, wiring=SynaptoGen(), rules=random_rules(8, 3))
    for name, variance in (("n.X", 2 / 8), ("n.T", 2 / 3), ("n.R", 2 / 6), ("n.b", 2 / 5)):
        array = np.concatenate([own[cell.gene][name] for cell in cells])
        error = 1 / np.sqrt(array.size)
        assert abs(array.mean()) <= 4 * error * np.sqrt(variance)
        assert abs(array.var() / variance - 1) <= 4 * np.sqrt(2) * error


def test_innate_expression_of_a_rule_gene_depends_on_its_identity_only():
    rules, order = random_rules(), [3, 0, 4, 1, 2]
    moved = replace(rules, genes=tuple(rules.genes[i] for i in order), O=frozen(rules.O[order][:, order]))
    cells = [Cell(7, 3), Cell(8)]
    own = [innate(cells, wiring=SynaptoGen(), rules=each) for each in (rules, moved)]
    assert np.array_equal(own[0][7]["n.X"][:, order], own[1][7]["n.X"])
    assert np.array_equal(own[0][1]["in.X"][:, order], own[1][1]["in.X"])


def test_relatives_are_alike_if_the_wiring_says_so():
    """64 neurons are six rounds: sisters correlate 6/7; neurons of different genes do not."""
    cells, rules = [Cell(7, 64), Cell(8, 64)], random_rules(400, 2)
    own = innate(cells, wiring=SynaptoGen(initial="lineage"), rules=rules)
    X = own[7]["n.X"]
    assert abs(X.std() * np.sqrt(400 / 2) - 1) < 0.1
    near = [
        np.corrcoef(np.roll(X, -k, 0)[::2].ravel(), np.roll(X, -k, 0)[1::2].ravel())[0, 1] for k in range(2)
    ]
    assert abs(max(near) - 6 / 7) < 0.05
    assert min(near) < 6 / 7 - 0.1
    assert abs(np.corrcoef(X.ravel(), own[8]["n.X"].ravel())[0, 1]) < 0.05
    assert {"n.T", "n.R", "n.b"} <= own[7].keys()


def test_a_larger_group_keeps_what_it_had():
    small, large = (innate([Cell(7, size, (0, 1), columns=(1,), density=0.6)]) for size in (5, 9))
    kept = large[7]["in>n.W"][:, :5]
    assert np.array_equal(kept != 0, small[7]["in>n.W"] != 0)
    full_in = (small[7]["in>n.W"] != 0).all(0)
    assert np.array_equal(kept[:, full_in], small[7]["in>n.W"][:, full_in])
    np.testing.assert_allclose(large[7]["n>out.W"][:5], small[7]["n>out.W"] * np.sqrt(5 / 9), rtol=1e-6)


def test_sparse_ways_in_have_their_density_and_a_pattern_of_their_own():
    def mask(gene, density):
        cells = [Cell(gene, 60, density=density)]
        found = phenotype_of((genome_of(cells), plan_of(cells, inputs=50)))
        return found.masks[0][0, :, :60]

    for density in (0.2, 0.7):
        error = np.sqrt(density * (1 - density) / 3000)
        assert abs(float(mask(7, density).mean()) - density) <= 4 * error
    assert torch.equal(mask(7, 0.2), mask(7, 0.2))
    assert not torch.equal(mask(7, 0.2), mask(8, 0.2))
    assert (mask(7, 0.2) <= mask(7, 0.7)).all()


def test_a_synapse_that_appears_takes_its_innate_or_its_given_weight_and_the_others_what_was_inherited():
    before = [Cell(7, 2, (0, 1), columns=(0,), bias=0.3)]
    own = innate(before)
    tuned = {gene: {name: array * 2 for name, array in each.items()} for gene, each in own.items()}
    tuned[7]["n.b"] = tuned[7]["n.b"] * 0  # a bias is a number like any other
    weights = {"in": tuple(float(number) for number in range(10, 16)), "out": (20.0, 21.0, 22.0, 23.0)}
    for given in ({}, weights):
        after = [Cell(7, 2, (0, 1, 3), columns=(0, 2), bias=0.7, weights=given)]
        genome, plan = genome_of(after, expression=tuned), plan_of(after)
        found = phenotype_of((genome, plan))
        new, drawn = found.expression(found.flat, 0)[7], innate(after)[7]
        assert np.array_equal(new["in>n.W"][:2], tuned[7]["in>n.W"][:2])
        assert np.array_equal(new["in>n.W"][3], drawn["in>n.W"][3])
        assert np.array_equal(new["n>out.W"][:, 0], tuned[7]["n>out.W"][:, 0])
        assert np.array_equal(new["n>out.W"][:, 2], drawn["n>out.W"][:, 2])
        assert not new["n.b"].any()
        if given:
            assert new["in>n.W"][3].tolist() == [14, 15]
            assert new["n>out.W"][:, 2].tolist() == [21, 23]


def test_given_weights_are_no_business_of_genetic_rules_but_biases_are_given_to_all():
    plain_, given = (
        [Cell(7, 2, (0,), weights=weights, bias=bias)]
        for weights, bias in (({}, None), ({"in": (1.0, 2.0)}, 0.25))
    )
    own = [innate(cells, wiring=SynaptoGen(), rules=random_rules()) for cells in (plain_, given)]
    for name in ("n.X", "n.T", "n.R"):
        assert np.array_equal(own[0][7][name], own[1][7][name])
    assert own[1][7]["n.b"].tolist() == [0.25, 0.25]


@pytest.mark.parametrize("change", [-1, 2])
def test_a_changed_size_keeps_the_synapses_and_the_rows_that_remain(change):
    for wiring, rules in ((Direct(), None), (SynaptoGen(), random_rules())):
        cells = [Cell(7, 3, (0, 2)), Cell(8, 2, (1,), (7,), level=2)]
        own = innate(cells, wiring=wiring, rules=rules, depth=2)
        tuned = {gene: {name: array + 1 for name, array in each.items()} for gene, each in own.items()}
        cells[0] = replace(cells[0], size=3 + change)
        found = phenotype_of(
            (genome_of(cells, rules=rules, expression=tuned), plan_of(cells, depth=2)), wiring=wiring
        )
        new = found.expression(found.flat, 0)
        for gene, each in new.items():
            for name, array in each.items():
                part = tuple(
                    slice(min(a, b)) for a, b in zip(array.shape, tuned[gene][name].shape, strict=True)
                )
                rows = [0, 2] if name == "in>n.W" and gene == 7 else [1] if name == "in>n.W" else slice(None)
                assert np.array_equal(array[part][rows], tuned[gene][name][part][rows]), name
        assert new[7]["n.b"].shape == (3 + change,)


def test_a_link_is_born_as_its_gene_and_learns_for_itself():
    cells = [Cell(7, 2, (0, 1), columns=(0,)), Cell(8, 2, (0, 1), columns=(0,), activation="relu")]
    links = {8: 7}
    own = innate(cells)
    tuned = {7: {name: array * 3 for name, array in own[7].items()}}
    for expression in ({}, tuned):
        genome = genome_of(cells, links=links, expression=expression)
        found = phenotype_of((genome, plan_of(cells, links=links)))
        assert found.expression(found.flat, 0).keys() == {1, 7, 8}
        W = dict(zip(found.layout.pairs, found.network(found.flat).weights, strict=True))
        assert W[0, 1][0, :2, :2].any()
        assert torch.equal(W[0, 1][0, :, :2], W[0, 1][0, :, 2:4])
        assert torch.equal(W[1, 2][0, :2], W[1, 2][0, 2:4])


def test_plastic_synapses_and_leaky_neurons_have_their_numbers():
    cells = [
        Cell(7, 2, (0,), neuron="leaky", settings={"tau": 3.0}, rule="abcd", coefficients={"A": 0.5}),
        Cell(8, 1, (1,), activations=("relu",)),
    ]
    genome = genome_of(cells, plasticity={"rule.abcd.eta": 0.125})
    found = phenotype_of((genome, plan_of(cells)))
    assert found.layout.stateful
    traits = found.traits
    assert traits.neuron["1.leaky"][0, 0, :3].tolist() == [1, 1, 0]
    assert traits.neuron["1.leaky.tau"][0, 0, :2].tolist() == [3, 3]
    assert traits.neuron["1.rate"][0, 0, :3].tolist() == [0, 0, 1]
    plastic = traits.rule["0.abcd"][0, 0]
    assert plastic[0, :2].all()
    assert plastic.sum() == 2
    assert traits.rule["0.abcd.A"][0, 0, 0, :3].tolist() == [0.5, 0.5, 0]
    assert traits.rule["0.abcd.eta"][0, 0, 0, :3].tolist() == [0.125, 0.125, 0]
    assert traits.functions[1] == ("relu", "tanh")
    assert traits.activation["1.relu"][0, 0, :3].tolist() == [False, False, True]


def test_genomes_that_do_not_fit_are_refused():
    cells = [Cell(7, 2, (0,))]
    with pytest.raises(
        DevelopmentError, match=r"gene 7: inherited in>n\.W has shape \(2,\), \(4, 2\) wanted"
    ):
        phenotype_of((genome_of(cells, expression={7: {"in>n.W": frozen(np.zeros(2))}}), plan_of(cells)))
    wrong = {7: {"n.X": frozen(np.zeros((2, 9)))}}
    genome = genome_of(cells, rules=random_rules(), expression=wrong)
    with pytest.raises(DevelopmentError, match=r"inherited n\.X has shape \(2, 9\), \(2, 5\) wanted"):
        phenotype_of((genome, plan_of(cells)), wiring=SynaptoGen())


def test_two_projections_between_the_same_groups_share_one_array():
    cells = [Cell(7, 2, (0,))]
    plan = plan_of(cells)
    plan = replace(plan, projections=(*plan.projections, Projection(0, 1, 7, rows=(2,), columns=(1,))))
    found = phenotype_of((genome_of(cells), plan))
    own = found.expression(found.flat, 0)[7]["in>n.W"]
    assert (own != 0).tolist() == [[True, True], [False, False], [False, True], [False, False]]
    assert int(found.trainable(0).sum()) == 3 + 6 + 2 + 3


@EVERY
@WIRINGS
def test_as_many_numbers_can_be_trained_as_the_plan_promises(structure, wiring):
    wiring = replace(wiring, tune_rules=False) if wiring.genetic else wiring
    for seed in range(3):
        genome, plan = candidate_of(structure, seed, genetic=wiring.genetic)
        found = phenotype_of((genome, plan), wiring=wiring)
        assert found.trainable(0).sum() == measures(genome, plan)["parameters"]


@WIRINGS
def test_cohorts_that_are_filled_part_by_part_have_the_same_bits(wiring, monkeypatch):
    candidates = [candidate_of("layered", seed, genetic=wiring.genetic) for seed in range(5)]
    whole = phenotype_of(*candidates, wiring=wiring)
    monkeypatch.setattr(neurons, "ROOM", 50)
    parts = phenotype_of(*candidates, wiring=wiring)
    assert torch.equal(whole.flat, parts.flat)
    assert all(torch.equal(a, b) for a, b in zip(whole.masks, parts.masks, strict=True))
