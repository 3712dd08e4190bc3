"""Recurrent levels, against torch's own and by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch_fakes import Layer, development, genome_of, plan_of, random_rules

from evogen.connectome.birth import Birth
from evogen.connectome.direct import Direct
from evogen.connectome.gcm import GCM
from evogen.connectome.synaptogen import SynaptoGen
from evogen.grammar.plan import INPUT, OUTPUT, Group, Plan, Projection
from evogen.keys import Key
from evogen.neurons import TICKS
from evogen.phenotype import develop, embryo

LIVES, STEPS = 3, 6


def recurrent(modules, *at, rule="none", coefficients=(), inputs=4, density=1.0):
    """The plan of these modules, in which the groups `at` hear themselves too."""
    plan = plan_of(modules, inputs=inputs)
    genes = [plan.groups[number].gene for number in at]
    loops = [
        Projection(number, number, gene, density, rule, dict(coefficients))
        for number, gene in zip(at, genes, strict=True)
    ]
    return replace(plan, projections=(*plan.projections, *loops))


def phenotype(modules, *at, wiring=None, rows=1, dtype=torch.float64, plasticity=None, **how):
    """Candidates of this plan, each with rules of its own."""
    made = development(wiring or Direct(), dtype=dtype)
    rules = [random_rules(seed=row) if made.wiring.genetic else None for row in range(rows)]
    genomes = [genome_of(modules, rules=one, plasticity=plasticity) for one in rules]
    plan = recurrent(modules, *at, **how)
    return develop(made, [embryo(made, genome, plan) for genome in genomes])


def observations(rows=1, steps=STEPS, lives=LIVES, dtype=torch.float64):
    drawn = Key(0).child("observations").generator().normal(size=(steps, rows, lives, 4))
    return torch.from_numpy(drawn).to(dtype)


def lived(network, seen):
    state, outputs = network.start(seen.shape[2]), []
    for observation in seen:
        output, state = network.step(observation, state)
        outputs.append(output)
    return torch.stack(outputs)  # (T, P, B, outputs)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_it_is_torchs_rnn_and_so_is_its_gradient_through_time(activation):
    size = 7
    found = phenotype({7: [Layer(size, activation)]}, 1)
    flat = found.flat.clone().requires_grad_()
    network, seen = found.network(flat), observations()
    reference = torch.nn.RNN(4, size, nonlinearity=activation, dtype=torch.float64)
    readout = torch.nn.Linear(size, 2, dtype=torch.float64)
    weights = dict(zip(found.layout.pairs, network.weights, strict=True))
    own = {
        reference.weight_ih_l0: weights[0, 1][0, :, :size].T,
        reference.weight_hh_l0: weights[1, 1][0, :size, :size].T,
        reference.bias_ih_l0: network.biases[0][0, :size],
        reference.bias_hh_l0: torch.zeros(size, dtype=torch.float64),
        readout.weight: weights[1, 2][0, :size].T,
        readout.bias: network.biases[1][0],
    }
    with torch.no_grad():
        for theirs, ours in own.items():
            theirs.copy_(ours)
    expected = readout(reference(seen[:, 0])[0])
    output = lived(network, seen)[:, 0]
    torch.testing.assert_close(output, expected)
    expected.square().sum().backward()
    (gradient,) = torch.autograd.grad(output.square().sum(), flat)
    ours = found.trim(gradient, 0)
    for name, theirs in (
        ("0>1.W", reference.weight_ih_l0.grad.T),
        ("1>1.W", reference.weight_hh_l0.grad.T),
        ("1.b", reference.bias_ih_l0.grad),
        ("1>2.W", readout.weight.grad.T),
    ):
        torch.testing.assert_close(torch.from_numpy(ours[name]), theirs)


def test_the_layout_is_coarse_and_what_no_group_hears_is_masked():
    modules = {7: [Layer(5), Layer(4)], 8: [Layer(6)]}
    first, second = phenotype(modules, 1), phenotype(modules, 2)
    assert first.layout == second.layout
    assert first.layout.stateful
    pairs = [pair for pair in first.layout.pairs if pair[0] == pair[1]]
    assert pairs == [(1, 1), (2, 2)]
    assert not any(pair[0] == pair[1] for pair in phenotype(modules).layout.pairs)
    masks = dict(zip(first.layout.pairs, first.masks, strict=True))
    assert masks[1, 1].sum() == 25
    assert masks[1, 1][0, :5, :5].all()
    assert not masks[2, 2].any()


def test_where_nothing_is_heard_a_life_is_that_of_a_network_without_memory():
    """The same weights, with and without the loop's: its synapses at zero change nothing."""
    modules = {7: [Layer(5)]}
    loop, plain = phenotype(modules, 1), phenotype(modules)
    flat = loop.flat.clone()
    for slot in loop.slots:
        if slot.name == "1>1.W":
            flat[:, slot.start : slot.start + slot.size] = 0
    seen = observations()
    assert torch.equal(lived(loop.network(flat), seen), lived(plain.network(plain.flat), seen))
    assert not torch.equal(lived(loop.network(loop.flat), seen), lived(plain.network(plain.flat), seen))


@pytest.mark.parametrize("wiring", [Direct(), GCM(), SynaptoGen()], ids=["direct", "gcm", "synaptogen"])
@pytest.mark.parametrize("neuron", ["rate", "leaky", "lif"])
def test_a_life_in_a_cohort_is_a_life_alone_to_the_bit(wiring, neuron):
    act = "identity" if neuron == "lif" else "tanh"
    modules = {7: [Layer(6, act, neuron), Layer(5, act, neuron)], 8: [Layer(4, act, neuron)]}
    how = {"wiring": wiring, "dtype": torch.float32, "rule": "abcd", "plasticity": {"rule.abcd.eta": 0.2}}
    together = phenotype(modules, 1, 3, rows=3, **how)
    seen = observations(3, dtype=torch.float32)
    broken = together.flat.clone()
    broken[0] = torch.nan
    lives = [lived(together.network(flat), seen) for flat in (together.flat, broken)]
    assert torch.equal(lives[0][:, 1:], lives[1][:, 1:])
    assert lives[0].isfinite().all()
    made = development(wiring, dtype=torch.float32)
    rules = random_rules(seed=1) if wiring.genetic else None
    genome = genome_of(modules, rules=rules, plasticity=how["plasticity"])
    alone = develop(made, [embryo(made, genome, recurrent(modules, 1, 3, rule="abcd"))])
    assert torch.equal(lived(alone.network(alone.flat), seen[:, 1:2])[:, 0], lives[0][:, 1])
    born = [
        found.agents(found.flat, keys, Birth(agents=2))
        for found, keys in ((together, [Key(row) for row in range(3)]), (alone, [Key(1)]))
    ]
    both = [lived(agents, seen[:, 1:2].expand(-1, agents.rows, -1, -1)) for agents in born]
    assert torch.equal(both[0][:, 2:4], both[1])


def test_spiking_neurons_hear_their_own_rates_of_the_step_before():
    size, tau, theta = 5, 3.0, 0.2
    groups = (
        Group(1, INPUT, 4),
        Group(7, "l0", size, neuron="lif", settings={"tau": tau, "theta": theta}),
        Group(1, OUTPUT, 2),
    )
    plan = Plan(groups, tuple(Projection(*ends, 7) for ends in ((0, 1), (1, 1), (1, 2))))
    made = development(Direct(), dtype=torch.float64)
    found = develop(made, [embryo(made, genome_of({7: []}), plan)])
    own = found.trim(3 * found.flat, 0)
    seen, rate, rates = observations(lives=1), np.zeros(size), []
    output = lived(found.network(3 * found.flat), seen)
    for step in range(STEPS):
        current = seen[step, 0, 0].numpy() @ own["0>1.W"] + rate @ own["1>1.W"] + own["1.b"]
        v, spikes = np.zeros(size), []
        for _ in range(TICKS):
            v = v + (current - v) / tau
            spikes.append(v > theta)
            v = v - theta * spikes[-1]
        rate = np.mean(spikes, axis=0)
        rates.append(rate)
        np.testing.assert_allclose(output[step, 0, 0], rate @ own["1>2.W"] + own["2.b"], rtol=1e-9)
    assert 0.05 < np.mean(rates) < 0.95


def test_plasticity_of_a_loop_sees_what_was_said_before_and_what_is_said_now():
    """Hebb, A = 1 and no decay: F_t = F_(t-1) + eta a_(t-1) a_t."""
    size, eta = 5, 0.3
    found = phenotype(
        {7: [Layer(size)]}, 1, rule="abcd", coefficients={"eta": eta, "A": 1.0, "bound": 9.0, "decay": 0.0}
    )
    own, seen = found.trim(found.flat, 0), observations(lives=1)
    output = lived(found.network(found.flat), seen)
    before, F = np.zeros(size), np.zeros((size, size))
    for step in range(STEPS):
        drive = seen[step, 0, 0].numpy() @ own["0>1.W"] + before @ (own["1>1.W"] + F) + own["1.b"]
        now = np.tanh(drive)
        F += eta * np.outer(before, now)
        before = now
        np.testing.assert_allclose(output[step, 0, 0], now @ own["1>2.W"] + own["2.b"], rtol=1e-9)
