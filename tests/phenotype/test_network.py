"""Batched, padded networks against a plain numpy network of each candidate, group by group."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch_fakes import Layer, Plain, Readout, genome_of, inherit, phenotype_of, random_rules, settled

from evogen.connectome.synaptogen import SynaptoGen
from evogen.genome import frozen
from evogen.keys import Key

STEPS, LIVES = 5, 2
STATIC = [
    {7: [Layer(3)]},
    {8: [Layer(17, "relu"), Readout(density=0.5)], 9: [Layer(5, "selu", density=0.4)]},
    {10: [Layer(64, "sigmoid", density=0.2)]},
    {11: [Layer(9, "identity")], 12: [Layer(30, "tanh")], 13: [Layer(1, "sigmoid")]},
]
DEEP = [
    {7: [Layer(3), Layer(40, "relu"), Layer(6)], 8: [Layer(9, "selu")]},
    {9: [Layer(20, density=0.5)], 10: [Layer(5, "sigmoid"), Layer(2), Layer(11, "relu", density=0.7)]},
]
DECAYING = (("decay", 0.2), ("B", -0.5), ("C", 0.3), ("D", 0.1), ("eta", 0.05))
LIVELY = [
    {
        7: [
            Layer(4, rule="abcd"),
            Layer(6, "relu", "leaky", 3.0, 0.6, "abcd", DECAYING),
            Readout(1.0, "abcd"),
        ],
        8: [Layer(5, "sigmoid", "leaky", 1.5), Layer(3, rule="abcd", coefficients=(("oja", 1.0),))],
    },
    {
        9: [
            Layer(12, "selu", "leaky", 7.0),
            Layer(2, "sigmoid", rule="abcd"),
            Readout(0.5, "abcd", DECAYING),
        ],
        10: [Layer(3, "identity", density=0.5, rule="abcd"), Layer(1, "tanh", "leaky", 2.0, rule="abcd")],
    },
]


def candidates(cohort):
    """Genomes with different rules, in number of genes too, temperatures, rule masks and coefficients."""
    found = []
    for row, modules in enumerate(cohort):
        g = 4 + 3 * row
        mask = frozen(Key(row).child("mask").generator().random((g, g)) < 0.8) if row % 2 else None
        rules = random_rules(g, seed=row, temperature=0.1 + 0.1 * row, mask=mask)
        plasticity = {"rule.abcd.eta": 0.1 + 0.1 * row, "rule.abcd.bound": 0.3}
        found.append((genome_of(modules, rules=rules, plasticity=plasticity), modules))
    return settled(*found)


def observations(shape, seed=0):
    return torch.from_numpy(Key(seed).child("observations").generator().normal(size=shape))


@pytest.mark.parametrize("cohort", [STATIC, DEEP, LIVELY], ids=["static", "deep", "lively"])
def test_padded_networks_live_as_plain_ones_do(cohort):
    chosen = candidates(cohort)
    found = phenotype_of(*chosen)
    assert found.rows == len(cohort)
    network = found.network(found.flat)
    seen, taught = observations((STEPS, found.rows, LIVES, 4)), observations((found.rows, LIVES, 2), 1)
    state, outputs = network.start(LIVES), []
    for t in range(STEPS):
        output, state = network.step(seen[t], state, teach=taught if t == 2 else None)
        outputs.append(output)
    for row, (genome, _) in enumerate(chosen):
        for life in range(LIVES):
            plain = Plain(found, row, genome)
            for t in range(STEPS):
                expected = plain.step(
                    seen[t, row, life].numpy(), taught[row, life].numpy() if t == 2 else None
                )
                np.testing.assert_allclose(outputs[t][row, life], expected, rtol=1e-10, atol=1e-12)


def test_padding_has_no_weight_and_never_gets_one():
    found = phenotype_of(*candidates(LIVELY))
    network = found.network(found.flat)
    state = network.start(LIVES)
    for t in range(STEPS):
        _, state = network.step(observations((found.rows, LIVES, 4), t), state)
    for row, body in enumerate(found.bodies):
        for number, (link, W) in enumerate(zip(found.layout.links, network.weights, strict=True)):
            inside = torch.zeros(W.shape[1:], dtype=torch.bool)
            for projection in body.plan.projections:
                if (body.level[projection.pre], body.level[projection.post]) == (link.pre, link.post):
                    inside[body.rows(projection.pre), body.rows(projection.post)] = True
            assert not W[row][~inside].any()
            for rule in link.rules:
                assert not state[f"{number}.{rule}"][row][:, ~inside].any()
                assert state[f"{number}.{rule}"][row].any()


def test_modules_do_not_connect_to_each_other():
    modules = {7: [Layer(5), Layer(4)], 8: [Layer(6), Layer(3)]}
    found = phenotype_of((genome_of(modules, rules=random_rules()), modules))
    W = dict(zip(found.layout.pairs, found.network(found.flat).weights, strict=True))[1, 2][0]
    assert W[:5, :4].all()
    assert W[5:11, 4:7].all()
    W[:5, :4] = 0
    W[5:11, 4:7] = 0
    assert not W.any()


def test_a_module_speaks_to_the_output_only():
    """The output of two modules is the sum of theirs alone, but for the bias that they share."""
    modules = {7: [Layer(5), Layer(4, "relu")], 8: [Layer(6), Layer(3, "selu")]}
    found = phenotype_of(*settled((genome_of(modules, rules=random_rules()), modules)))
    own = found.expression(found.flat, 0)
    x = observations((1, 3, 4))
    outputs = []
    for kept in ({7, 8}, {7}, {8}):
        part = {gene: modules[gene] for gene in kept}
        alone = phenotype_of((inherit(genome_of(part, rules=random_rules()), own), part))
        outputs.append(alone.network(alone.flat).step(x, {})[0])
    bias = torch.tensor(own[1]["out.b"].tolist(), dtype=torch.float64)
    torch.testing.assert_close(outputs[0] + bias, outputs[1] + outputs[2], rtol=1e-10, atol=1e-12)


def test_order_of_hidden_neurons_does_not_matter():
    modules = {7: [Layer(6, "selu")]}
    ((genome, _),) = settled((genome_of(modules, rules=random_rules()), modules))
    found = phenotype_of((genome, modules))
    own, order = found.expression(found.flat, 0), [4, 2, 5, 0, 1, 3]
    own[7] = {name: array[order] for name, array in own[7].items()}
    moved = phenotype_of((inherit(genome, own), modules))
    x = observations((1, 3, 4))
    outputs = [each.network(each.flat).step(x, {})[0] for each in (found, moved)]
    torch.testing.assert_close(*outputs, rtol=1e-10, atol=1e-12)


def test_gradients_of_the_output_equal_finite_differences_in_all_that_is_tuned():
    chosen = candidates([{7: [Layer(3), Layer(2, "sigmoid", "leaky", 2.0)]}])
    found = phenotype_of(*chosen)
    x = observations((3, 1, 2, 4))

    def outputs(flat):
        network = found.network(flat)
        state, total = network.start(2), torch.zeros(1, 2, 2, dtype=torch.float64)
        for seen in x:
            output, state = network.step(seen, state)
            total = total + output
        return total

    flat = found.flat.clone().requires_grad_()
    assert torch.autograd.gradcheck(outputs, flat, fast_mode=True)
    (gradient,) = torch.autograd.grad(outputs(flat).square().sum(), flat)
    own = phenotype_of(*chosen).trim(gradient, 0)
    assert own.keys() >= {"O", "c", "0.X", "1.X", "2.X", "3.X", "0.T", "1.T", "2.T", "1.R", "2.R", "3.R"}
    for name, array in own.items():
        assert array.any(), f"{name} has no effect"


@pytest.mark.parametrize("tune", [True, False])
def test_rules_are_parameters_exactly_if_they_are_tuned(tune):
    modules = {7: [Layer(3)]}
    rules = random_rules()
    found = phenotype_of((genome_of(modules, rules=rules), modules), wiring=SynaptoGen(tune_rules=tune))
    moved = found.flat + 0.1 * (found.flat != 0)
    assert found.rules(moved, 0).keys() == ({"O", "c"} if tune else set())
    values = found.trim(moved, 0)
    assert np.allclose(values["O"], rules.O + 0.1 * tune)
    assert np.allclose(values["c"], rules.c + 0.1 * tune)


def test_fast_weights_belong_to_one_life():
    chosen = candidates(LIVELY)
    found = phenotype_of(*chosen)
    network = found.network(found.flat)
    x = observations((found.rows, 3, 4))
    other = x.clone()
    other[:, 1] += 1
    states = [network.step(seen, network.start(3))[1] for seen in (x, other)]
    plastic = [name for name in states[0] if name.endswith(".abcd")]
    assert plastic
    for name in plastic:
        assert states[0][name].shape[:2] == (found.rows, 3)
        assert torch.equal(states[0][name][:, [0, 2]], states[1][name][:, [0, 2]])
        assert not torch.equal(states[0][name][:, 1], states[1][name][:, 1])
    assert not any(part.any() for part in network.start(3).values())


def test_a_static_projection_beside_a_plastic_one_stays_static():
    modules = {7: [Layer(5, rule="abcd"), Readout()], 8: [Layer(6), Readout(rule="abcd")]}
    found = phenotype_of((genome_of(modules, rules=random_rules()), modules))
    network = found.network(found.flat)
    _, state = network.step(observations((1, 2, 4)), network.start(2))
    into, out_of = (state[f"{found.layout.pairs.index(pair)}.abcd"] for pair in ((0, 1), (1, 2)))
    assert into[..., :5].all()
    assert not into[..., 5:].any()
    assert out_of[..., 5:11, :].all()
    assert not out_of[..., :5, :].any()


def test_a_network_without_memory_remembers_nothing():
    found = phenotype_of(*candidates(STATIC))
    network = found.network(found.flat)
    assert network.start(4) == {}
    x = observations((found.rows, 4, 4))
    first, state = network.step(x, {})
    assert state == {}
    assert torch.equal(first, network.step(x, state)[0])


def test_leaky_neurons_with_time_constant_1_are_rate_neurons_to_the_bit():
    modules = {
        kind: {7: [Layer(6, "selu", kind), Layer(3, "tanh", kind, rule="abcd")]} for kind in ("rate", "leaky")
    }
    outputs = []
    for which in modules.values():
        found = phenotype_of((genome_of(which, rules=random_rules()), which), dtype=torch.float32)
        network = found.network(found.flat)
        state, seen = network.start(3), []
        for t in range(4):
            output, state = network.step(observations((1, 3, 4), t), state)
            seen.append(output)
        outputs.append(torch.stack(seen))
    assert torch.equal(*outputs)


def test_a_broken_candidate_changes_no_bit_of_the_others():
    chosen = candidates(LIVELY)
    found = phenotype_of(*chosen, dtype=torch.float32)
    flat = found.flat.clone()
    flat[0] = torch.nan
    x = observations((found.rows, LIVES, 4))
    lives = []
    for parameters in (found.flat, flat):
        network = replace(found, flat=parameters).network(parameters)
        state = network.start(LIVES)
        for _ in range(3):
            output, state = network.step(x, state)
        lives.append(output)
    assert torch.equal(lives[0][1], lives[1][1])
    assert lives[1][0].isnan().all()
