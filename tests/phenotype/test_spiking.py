"""Spiking networks: padded levels with all ticks at once, against single neurons lived tick after tick."""

from dataclasses import replace
from pathlib import Path

import experiment_files
import numpy as np
import pytest
import torch
from torch_fakes import (
    FUNCTIONS,
    Layer,
    Readout,
    defaults,
    development,
    genome_of,
    inherit,
    phenotype_of,
    plan_of,
    random_rules,
    synaptogen_weights,
)

import evogen
from evogen.connectome.birth import Birth
from evogen.errors import DevelopmentError, SpecError
from evogen.keys import Key
from evogen.learning.ppo import PPO
from evogen.learning.supervised import Supervised
from evogen.neurons import TICKS
from evogen.phenotype import develop, embryo
from evogen.tasks.cartpole import CartPole
from evogen.tasks.digits import Digits
from evogen.tasks.play import play

ROOT = Path(__file__).parents[2]
LIVES, STEPS = 3, 4
FLAT = {7: [Layer(9, "identity", "lif")]}
MIXED = {
    7: [Layer(6, "identity", "lif"), Layer(4, "identity", "lif"), Layer(5, "identity", "lif")],
    8: [Layer(3, "relu"), Layer(7, "identity", "lif")],
    9: [Layer(5, "identity", "lif"), Layer(4, "selu"), Layer(8, "identity", "lif")],
}
LIVELY = {
    7: [
        Layer(6, "identity", "lif", rule="abcd"),
        Layer(5, "identity", "lif", rule="abcd"),
        Readout(rule="abcd"),
    ],
    8: [Layer(4, "identity", "lif"), Layer(3, "tanh", "leaky", 3.0), Layer(7, "identity", "lif")],
}
NUMBERS = {"tau": 3.0, "theta": 0.2, "slope": 4.0}


def spiking(*genomes, modules, numbers=NUMBERS, dtype=torch.float64, inputs=4, outputs=2):
    """The phenotype of these genomes, whose lif neurons have these numbers."""
    plan, how = plan_of(modules, inputs=inputs, outputs=outputs), development(dtype=dtype)
    groups = [
        group._replace(settings=numbers if group.neuron == "lif" else group.settings) for group in plan.groups
    ]
    plan = replace(plan, groups=tuple(groups))
    return develop(how, [embryo(how, genome, plan) for genome in genomes])


def candidates(modules, rows=2):
    """Genomes with synapses strong enough for spikes, and expression as float32 inherits it."""
    rules = [random_rules(seed=row) for row in range(rows)]
    genomes = [
        genome_of(modules, rules=one, plasticity={"rule.abcd.eta": 0.3, "rule.abcd.bound": 2.0})
        for one in rules
    ]
    found = spiking(*genomes, modules=modules)
    return [inherit(one, found.expression(1.5 * found.flat, row)) for row, one in enumerate(genomes)]


def seen(rows, steps=1, lives=LIVES):
    drawn = Key(0).child("seen").generator().normal(size=(steps, rows, lives, 4))
    return torch.from_numpy(drawn)


class Single:
    """One life of one candidate: series of activity (T, N) for each group, one tick after the other."""

    def __init__(self, phenotype, row, genome):
        """Take expression and the plan from the phenotype."""
        self.plan = phenotype.bodies[row].plan
        groups, rules = self.plan.groups, genome.rules
        own = phenotype.expression(phenotype.flat, row)
        named = [{name: own[g.gene].get(f"{g.name}.{name}") for name in ("X", "T", "R", "b")} for g in groups]
        self.biases = [part["b"] for part in named]
        self.W = [
            synaptogen_weights(named[p.pre], named[p.post], rules.O, rules.c, rules.temperature)
            for p in self.plan.projections
        ]
        self.F = [np.zeros_like(W) for W in self.W]
        self.potential = [np.zeros(group.size) for group in groups]

    def step(self, observation):
        """Return the output, and the firing rates of all spiking groups."""
        groups, series, rates = self.plan.groups, [np.tile(observation, (TICKS, 1))], []
        for number, group in list(enumerate(groups))[1:]:
            drive = np.tile(np.float64(self.biases[number]), (TICKS, 1))
            for p, W, F in zip(self.plan.projections, self.W, self.F, strict=True):
                if p.post == number:
                    drive += series[p.pre] @ (W + F)
            if group.neuron == "lif":
                tau, theta = group.settings["tau"], group.settings["theta"]
                v, spikes = np.zeros(group.size), np.zeros((TICKS, group.size))
                for t in range(TICKS):
                    v = v + (drive[t] - v) / tau
                    spikes[t] = v > theta
                    v = v - theta * spikes[t]
                series.append(spikes)
                rates.append(spikes.mean(0))
                continue
            tau = group.settings.get("tau", 1.0)
            self.potential[number] += (drive.mean(0) - self.potential[number]) / tau
            series.append(np.tile(FUNCTIONS[group.activation](self.potential[number]), (TICKS, 1)))
        for i, p in enumerate(self.plan.projections):
            if p.rule == "abcd":  # A = 1 alone
                hebb = np.outer(series[p.pre].mean(0), series[p.post].mean(0))
                self.F[i] = np.clip(self.F[i] + 0.3 * hebb, -2.0, 2.0)
        return series[-1][0], np.concatenate(rates)


@pytest.mark.parametrize("modules", [FLAT, MIXED, LIVELY], ids=["flat", "mixed", "lively"])
def test_levels_of_all_ticks_live_as_single_neurons_tick_after_tick(modules):
    genomes = candidates(modules)
    found = spiking(*genomes, modules=modules)
    network, x = found.network(found.flat), seen(2, STEPS)
    state, outputs = network.start(LIVES), []
    for observation in x:
        output, state = network.step(observation, state)
        outputs.append(output)
    rates = []
    for row, genome in enumerate(genomes):
        for life in range(LIVES):
            single = Single(found, row, genome)
            for t in range(STEPS):
                expected, fired = single.step(x[t, row, life].numpy())
                np.testing.assert_allclose(outputs[t][row, life], expected, rtol=1e-9, atol=1e-11)
                rates.append(fired)
    assert 0.05 < np.mean(rates) < 0.95
    assert len(np.unique(rates)) > 5


def test_a_spiking_network_is_stateless_and_starts_each_step_at_rest():
    found = spiking(*candidates(MIXED), modules=MIXED)
    network, (x,) = found.network(found.flat), seen(2)
    assert not found.layout.stateful
    assert network.start(LIVES) == {}
    first, state = network.step(x, {})
    assert state == {}
    assert torch.equal(first, network.step(x, state)[0])
    assert torch.equal(first, network.forward(x))


def test_only_memory_of_others_makes_it_stateful():
    found = spiking(*candidates(LIVELY), modules=LIVELY)
    kinds = {name.split(".")[1] for name in found.network(found.flat).start(1)}
    assert found.layout.stateful
    assert kinds == {"leaky", "abcd"}


def test_the_weights_are_those_of_a_network_without_spikes():
    (genome,) = candidates(FLAT, 1)
    plain = {7: [Layer(9)]}
    kinds = spiking(genome, modules=FLAT), phenotype_of((genome, plain))
    networks = [found.network(found.flat) for found in kinds]
    for spikes, rates in zip(networks[0].weights, networks[1].weights, strict=True):
        assert torch.equal(spikes, rates)


@pytest.mark.parametrize("modules", [FLAT, MIXED, LIVELY], ids=["flat", "mixed", "lively"])
def test_a_candidate_has_the_same_bits_alone_and_beside_a_broken_one(modules):
    genomes = candidates(modules, 3)

    def lived(found, row, broken=None):
        flat = found.flat.clone()
        if broken is not None:
            flat[broken] = torch.nan
        flat.requires_grad_()
        network = found.network(flat)
        state, total = network.start(LIVES), []
        for observation in seen(3, STEPS):
            output, state = network.step(observation[[1] if found.rows == 1 else slice(None)], state)
            total.append(output)
        lives = torch.stack(total)
        (gradient,) = torch.autograd.grad(lives.square().sum(), flat)
        return lives[:, row].detach(), gradient[row]

    together = spiking(*genomes, modules=modules, dtype=torch.float32)
    alone = lived(spiking(genomes[1], modules=modules, dtype=torch.float32), 0)
    for found in (lived(together, 1), lived(together, 1, broken=0)):
        for ours, theirs in zip(found, alone, strict=True):
            assert torch.equal(ours, theirs)
    assert lived(together, 0, broken=0)[0].isnan().all()
    assert alone[1].any()


def test_gradients_reach_all_that_is_tuned_through_the_spikes():
    found = spiking(*candidates(MIXED, 1), modules=MIXED)
    flat = found.flat.clone().requires_grad_()
    output = found.network(flat).forward(seen(1)[0])
    (gradient,) = torch.autograd.grad(output.square().sum(), flat)
    own = found.trim(gradient, 0)
    assert own.keys() >= {"O", "c", "0.X", "1.X", "2.X", "3.X", "0.T", "1.R", "1.b"}
    for name, array in own.items():
        assert array.any(), f"{name} has no effect"
        assert np.isfinite(array).all()


def test_born_agents_spike_too():
    found = spiking(*candidates(FLAT), modules=FLAT, dtype=torch.float32)
    agents = found.agents(found.flat, [Key(row) for row in range(2)], Birth(agents=5))
    output = agents.forward(seen(2)[0].repeat_interleave(5, 0).float())
    assert output.shape == (10, LIVES, 2)
    assert output.isfinite().all()
    assert not torch.equal(output[0], output[1])


def test_an_activation_function_of_a_spiking_layer_is_refused():
    modules = {7: [Layer(3, "tanh", "lif")]}
    with pytest.raises(DevelopmentError, match="gene 7: l0 has act:tanh, but lif neurons have no activation"):
        spiking(genome_of(modules, rules=random_rules()), modules=modules)


def test_the_shipped_grammar_has_spiking_modules():
    file = ROOT / "searchspaces" / "cartpole.yaml"
    architecture = evogen.load(file, ["architecture.start=spiking"]).space.architecture
    assert {word.name for word in architecture.grammar.words("spiking") if word.kind == "neuron"} == {"lif"}


@pytest.mark.parametrize(
    ("sections", "text"),
    [
        ("neuron:lif", None),
        ("neuron:lif [tau,log,1,1,20] [theta,float,1,0.1,1] [slope,log,1,1,50]", None),
        ("neuron:lif [theta,float,1,0,1e-9]", "neuron 'lif' takes 'theta' in [0.001, 100], found"),
        ("neuron:lif [leak,float,1,0,1]", "neuron 'lif' takes no number 'leak'"),
        ("act:tanh neuron:lif", "leave out its act:tanh"),
    ],
)
def test_a_grammar_gives_lif_its_numbers(tmp_path, sections, text):
    module = f"layer:dense [width,int,1,2,9] {sections} plastic:abcd readout:sum"
    file = experiment_files.write(tmp_path, grammar=f"<reflex> @type(module) ::= {module}\n")
    if text is None:
        assert "neuron:lif" in evogen.load(file).grammar
        return
    with pytest.raises(SpecError) as raised:
        evogen.load(file)
    assert text in str(raised.value)


def keys(rows):
    return [Key(5).child(row) for row in range(rows)]


def test_digits_are_read_by_spikes():
    """Ten classes; the same network of rates reads nine in ten after as many epochs."""
    learner = Supervised(epochs=20, learning_rate=0.05)
    modules = {7: [Layer(64, "identity", "lif")]}
    genomes = [genome_of(modules, rules=random_rules(16, 3, seed=row)) for row in range(2)]
    found = phenotype_of(*((one, modules) for one in genomes), inputs=64, outputs=10, dtype=torch.float32)
    fit = learner.fit(found, Digits(), keys(2), defaults(learner, 2, torch.float32))
    x, y = Digits().examples("validation")
    output = found.network(fit.flat).detach().forward(x.expand(2, -1, -1))
    assert ((output.argmax(-1) == y).double().mean(-1) > 0.7).all()
    assert (fit.curve[:, -1] > 0.8).all()


def test_a_pole_is_balanced_by_spikes():
    """A random policy balances for about 22 steps; at most 500 are possible."""
    modules, rows = {7: [Layer(32, "identity", "lif")]}, 4
    learner = PPO(iterations=20, learning_rate=0.03)
    genomes = [genome_of(modules, rules=random_rules(16, 3, seed=row)) for row in range(rows)]
    found = phenotype_of(*((one, modules) for one in genomes), dtype=torch.float32)
    fit = learner.fit(found, CartPole(), keys(rows), defaults(learner, rows, torch.float32))
    with torch.no_grad():
        returns = play(CartPole(), found.network(fit.flat), keys=keys(rows), episodes=5).mean(-1)
    assert returns.mean() > 100
    assert (fit.curve[:, 0] < 30).all()
