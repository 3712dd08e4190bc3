"""Tuned plasticity coefficients and modulators as parameters of the phenotype."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch_fakes import Layer, Readout, defaults, genome_of, inherit, plan_of

from evogen.connectome.direct import Direct
from evogen.keys import Key
from evogen.learning.ppo import PPO
from evogen.learning.snes import SNES
from evogen.phenotype import Development, develop, embryo
from evogen.phenotype.tuned import bounded
from evogen.plasticity.local import Local
from evogen.registry import known
from evogen.tasks.cartpole import CartPole

MODULES = {7: [Layer(5, rule="local"), Layer(6, "relu")], 8: [Layer(4, rule="local"), Readout(1.0, "local")]}
RULE = Local(("A", "decay", "alpha"), tuned={"eta": 0.02, "alpha": 0.3}, eta=0.1, delta=0.1)
ENTRIES = {"global": 1, "layer": 3, "neuron": 5 + 4 + 2, "synapse": 4 * 5 + 4 * 4 + 4 * 2}


def grown(rule=RULE, genomes=None, modules=None, dtype=torch.float64):
    modules = modules or MODULES
    rules = {name: part() for name, part in known("rule").items()} | {"local": rule}
    how = Development(Direct(), rules, Key(0).child("innate"), dtype)
    genomes = genomes or [genome_of(modules)] * 2
    return develop(how, [embryo(how, genome, plan_of(modules)) for genome in genomes])


def total(phenotype, flat, steps=4):
    network = phenotype.network(flat)
    state, sum_ = network.start(3), 0.0
    seen = torch.from_numpy(Key(1).generator().normal(size=(steps, phenotype.rows, 3, 4)))
    for observation in seen:
        output, state = network.step(observation, state)
        sum_ = sum_ + output.square().sum((1, 2))
    return sum_


@pytest.mark.parametrize("grain", ENTRIES)
def test_granularity_says_how_many_numbers_are_tuned(grain):
    found = grown(replace(RULE, granularity=grain))
    own = {slot.name: found.trainable(0)[slot.start : slot.start + slot.size].sum() for slot in found.slots}
    for field in ("eta", "alpha"):
        assert sum(count for name, count in own.items() if name.endswith(f".local~{field}")) == ENTRIES[grain]


@pytest.mark.parametrize("modulator", ["none", "layer", "global"])
@pytest.mark.parametrize("grain", ENTRIES)
def test_gradients_reach_exactly_what_is_tuned_and_equal_finite_differences(grain, modulator):
    found = grown(replace(RULE, granularity=grain, modulator=modulator))
    flat = found.flat.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(total(found, flat).sum(), flat)
    mine = torch.from_numpy(np.stack([found.trainable(row) for row in range(found.rows)]))
    assert not gradient[~mine].any()
    for slot in found.slots:
        part = slice(slot.start, slot.start + slot.size)
        if "~" not in slot.name:
            continue
        assert gradient[:, part][mine[:, part]].all(), slot.name
        at = slot.start + int(mine[0, part].nonzero()[0])
        moved = [found.flat.clone() for _ in range(2)]
        moved[0][0, at] += 1e-6
        moved[1][0, at] -= 1e-6
        slope = (total(found, moved[0])[0] - total(found, moved[1])[0]) / 2e-6
        torch.testing.assert_close(gradient[0, at], slope, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("modulator", ["layer", "global"])
@pytest.mark.parametrize("activation", ["gauss", "sigmoid", "softplus"])
def test_padding_that_fires_at_rest_does_not_speak_to_a_modulator(activation, modulator):
    modules = {7: [Layer(5, activation, rule="local")]}
    rule = replace(RULE, modulator=modulator)
    found = grown(rule, [genome_of(modules)], modules)
    flat = found.flat.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(total(found, flat).sum(), flat)
    assert not gradient[0, ~found.trainable(0)].any()
    loud = torch.where(torch.from_numpy(found.trainable(0)), found.flat, found.flat + 1.0)
    quiet, shouted = (found.network(each).traits.neuron["1.local~modulator"] for each in (found.flat, loud))
    assert torch.equal(quiet, shouted)


@pytest.mark.parametrize("grain", ENTRIES)
def test_tuned_numbers_are_inherited_like_weights(grain):
    found = grown(replace(RULE, granularity=grain, modulator="layer"), dtype=torch.float32)
    drawn = torch.from_numpy(Key(2).generator().normal(0, 0.1, found.flat.shape)).to(found.flat)
    tuned = torch.where(torch.from_numpy(found.trainable(0)), found.flat + drawn, found.flat)
    heirs = [inherit(genome_of(MODULES), found.expression(tuned, row)) for row in range(2)]
    again = grown(replace(RULE, granularity=grain, modulator="layer"), heirs, dtype=torch.float32)
    torch.testing.assert_close(again.flat, tuned, rtol=0, atol=0)


def test_a_tuned_coefficient_is_what_was_said_plus_the_parameter():
    found = grown(replace(RULE, granularity="neuron"))
    values = found.values(found.flat)
    rule = found.network(found.flat).traits.rule
    mask = rule["0.local"]
    wanted = (0.1 + values["1.local~eta"][:, None, None]) * mask
    torch.testing.assert_close(rule["0.local.eta"], wanted)
    assert torch.equal(rule["0.local.delta"], 0.1 * mask)


def test_neurons_of_a_layer_share_a_coefficient_and_modules_do_not():
    found = grown(replace(RULE, granularity="layer"))
    eta = found.network(found.flat).traits.rule["0.local.eta"][0, 0]
    assert len(eta[0, :5].unique()) == len(eta[0, 5:9].unique()) == 1
    assert eta[0, 0] != eta[0, 5]


def test_granularity_can_be_a_gene_of_each_candidate():
    grains = [genome_of(MODULES, plasticity={"rule.local.granularity": number}) for number in range(4)]
    for genome, entries in zip(grains, ENTRIES.values(), strict=True):
        found = grown(RULE, [genome])
        names = [slot for slot in found.slots if slot.name.endswith("~eta")]
        mine = found.trainable(0)
        assert sum(mine[slot.start : slot.start + slot.size].sum() for slot in names) == entries


def test_a_coefficient_stays_within_its_bounds_and_can_come_back():
    value = torch.tensor([-0.5, 0.5, 1.5], dtype=torch.float64, requires_grad=True)
    found = bounded(value, 0.0, 1.0)
    assert found.tolist() == [0.0, 0.5, 1.0]
    (down,) = torch.autograd.grad(found.sum(), value, retain_graph=True)
    (up,) = torch.autograd.grad(-found.sum(), value)
    assert down.tolist() == [0.0, 1.0, 1.0]
    assert up.tolist() == [-1.0, -1.0, 0.0]


@pytest.mark.parametrize(
    "learner", [PPO(iterations=2, environments=4, horizon=16), SNES(steps=300, population=4)]
)
def test_learners_tune_coefficients_and_modulators(learner):
    rule = replace(RULE, granularity="neuron", modulator="global")
    found = grown(rule, dtype=torch.float32)
    keys = [Key(5).child(row) for row in range(2)]
    fit = learner.fit(found, CartPole(episodes=2), keys, defaults(learner, 2, torch.float32))
    assert fit.flat.isfinite().all()
    for slot in found.slots:
        if "~" in slot.name:
            part = slice(slot.start, slot.start + slot.size)
            mine = found.trainable(0)[part]
            assert (fit.flat != found.flat)[0, part][mine].any(), slot.name


def test_a_modulator_is_heard_as_it_is_said():
    """Numpy's account of two steps of a layer with m = tanh(w . a) of its own level."""
    modules = {7: [Layer(5, rule="local")]}
    rule = Local(("A",), modulator="layer", eta=0.3)
    found = grown(rule, [genome_of(modules)], modules)
    network = found.network(found.flat)
    values = found.values(found.flat)
    W, voice = network.weights[0][0].numpy(), values["1.local~modulator"][0].numpy()
    b, F = network.biases[0][0].numpy(), np.zeros_like(W)
    seen, state = Key(3).generator().normal(size=(3, 4)), network.start(1)
    for x in seen:
        _, state = network.step(torch.from_numpy(x).reshape(1, 1, -1), state)
        a = np.tanh(x @ (W + F) + b)
        a[5:] = 0
        F = F + 0.3 * np.tanh(a @ voice) * np.outer(x, a)
        np.testing.assert_allclose(state["0.local"][0, 0], F, atol=1e-12)
    weights = network.effective(state)
    np.testing.assert_allclose(weights[0][0, 0], W + F, atol=1e-12)


def test_the_last_input_can_be_the_modulator():
    modules = {7: [Layer(5, rule="local")]}
    rule = Local(("A",), modulator="input", eta=0.3, gain=2.0, offset=0.5)
    found = grown(rule, [genome_of(modules)], modules)
    network = found.network(found.flat)
    x = torch.tensor([0.1, -0.2, 0.3, 0.7], dtype=torch.float64).reshape(1, 1, 4)
    a = network.activity(x, network.start(1))[1]
    _, state = network.step(x, network.start(1))
    wanted = 0.3 * (2.0 * 0.7 + 0.5) * x[..., None] * a.unsqueeze(2) * network.traits.rule["0.local"]
    torch.testing.assert_close(state["0.local"], wanted)


CHOICES = [
    Local(("A", "B", "C", "D", "oja", "decay", "clamp")),
    Local(("A", "oja", "eligibility"), modulator="input", eligible="before"),
    Local(("A", "C", "eligibility", "short", "clamp"), factors="stdp", norm="max"),
    Local(("A", "reserve", "range", "bcm"), factors="traces", low=-1.0),
    Local(("short",)),
]


@pytest.mark.parametrize("rule", CHOICES, ids=str)
def test_a_life_that_is_written_over_has_the_bits_of_one_that_is_kept(rule):
    network = grown(rule).network(grown(rule).flat).detach()
    seen = torch.from_numpy(Key(4).generator().normal(size=(6, 2, 3, 4)))
    kept, over = network.start(3), network.start(3)
    with torch.no_grad():
        for x in seen:
            said, kept = network.step(x, kept)
            now, over = network.live(x, over)
            assert torch.equal(said, now)
    assert all(torch.equal(part, over[name]) for name, part in kept.items())
    with_gradients = network.start(3)
    for x in seen:
        _, with_gradients = network.step(x, with_gradients)
    assert all(torch.equal(part, kept[name]) for name, part in with_gradients.items())
