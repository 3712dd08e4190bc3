"""Every neuron kind in a network: developed, trained and inherited like all else."""

import dataclasses

import neuron_fakes
import numpy as np
import pytest
import torch
from torch_fakes import Layer, development, genome_of, inherit, phenotype_of, plan_of, random_rules

from evogen.connectome.direct import Direct
from evogen.errors import DevelopmentError
from evogen.measures import structure
from evogen.neurons import Own
from evogen.phenotype import develop, embryo
from evogen.phenotype.layout import OWNED
from evogen.registry import known

KINDS = {name: kind() for name, kind in known("neuron").items()}
OWNERS = sorted(name for name, kind in KINDS.items() if kind.nature.owns)
WIRING = Direct()


def modules(kind, size=6, other="rate"):
    act = "identity" if KINDS[kind].nature.speaks else "tanh"
    return {7: [Layer(size, act, kind)], 8: [Layer(5, "relu", other)]}


def one(kind, seed=0, **how):
    return genome_of(modules(kind)), modules(kind)


def lived(network, steps=4, batch=3):
    x = torch.randn(steps, 1, batch, 4, generator=torch.Generator().manual_seed(3)).to(network.dtype)
    state, outputs = network.start(batch), []
    for each in x.expand(-1, network.rows, -1, -1):
        output, state = network.step(each, state)
        outputs.append(output)
    return torch.stack(outputs), state


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_network_of_any_kind_lives_alone_as_in_company(kind):
    found = phenotype_of(*[one(kind)] * 3, wiring=WIRING, dtype=torch.float32)
    flat = found.flat.clone()
    flat[1:] += 0.1 * torch.randn(flat[1:].shape, generator=torch.Generator().manual_seed(1))
    together, state = lived(found.network(flat))
    alone = phenotype_of(one(kind), wiring=WIRING, dtype=torch.float32)
    outputs, own = lived(alone.network(flat[:1]))
    assert torch.equal(outputs[:, 0], together[:, 0])
    assert state.keys() == own.keys()
    assert all(torch.equal(part[0], state[name][0]) for name, part in own.items())
    assert outputs.isfinite().all()


@pytest.mark.parametrize("kind", OWNERS)
def test_what_neurons_own_is_tuned_by_gradients_and_counted_as_trainable(kind):
    found = phenotype_of(one(kind), wiring=WIRING)
    noise = 0.05 * torch.randn(found.flat.shape, generator=torch.Generator().manual_seed(2))
    flat = (3 * found.flat + noise * torch.from_numpy(found.trainable(0))).requires_grad_()
    outputs, _ = lived(found.network(flat), steps=5)
    (slope,) = torch.autograd.grad(outputs.square().sum(), flat)
    trainable = found.trainable(0)
    assert not slope[0, ~trainable].any()
    for slot in found.slots:
        if OWNED in slot.name:
            part = slice(slot.start, slot.start + slot.size)
            mine = trainable[part].reshape(slot.shape)
            assert slope[0, part].any(), slot.name
            assert mine.sum() == 6 * np.prod(slot.shape) / 64 * (4 / slot.shape[0] if ">" in slot.name else 1)


@pytest.mark.parametrize("kind", OWNERS)
def test_what_neurons_own_is_inherited(kind):
    genome, layers = one(kind)
    found = phenotype_of((genome, layers), wiring=WIRING, dtype=torch.float32)
    flat = found.flat + torch.from_numpy(found.trainable(0)) * 0.25
    child = inherit(genome, found.expression(flat, 0))
    names = {name for gene in child.genes() for name in gene.expression if OWNED in name}
    assert len(names) == len(KINDS[kind].nature.owns)
    again = phenotype_of((child, layers), wiring=WIRING, dtype=torch.float32)
    assert torch.equal(again.flat, flat.to(torch.float32))
    wider = phenotype_of((child, modules(kind, size=9)), wiring=WIRING, dtype=torch.float32)
    for slot in wider.slots:
        if OWNED in slot.name and ">" not in slot.name:
            part = slice(slot.start, slot.start + 6 * slot.size // 64)
            assert torch.equal(wider.flat[0, part], flat[0, part].to(torch.float32))


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_beside_another_in_one_level_speaks_for_its_own_neurons_only(kind):
    """The output is the sum of what two modules say; the other's weights decide nothing of the first's."""
    first = phenotype_of(one(kind), wiring=WIRING)
    network = first.network(first.flat)
    whole, _ = lived(network)
    parts = []
    for own in (slice(0, 6), slice(6, 11)):
        W = network.weights[-1].clone()
        W[:, [at for at in range(64) if not own.start <= at < own.stop]] = 0
        parts.append(lived(dataclasses.replace(network, weights=(*network.weights[:-1], W)))[0])
    torch.testing.assert_close(sum(parts), whole)
    assert not torch.equal(parts[1], whole)


@pytest.mark.parametrize("kind", OWNERS)
def test_agents_and_noisy_training_keep_what_neurons_own(kind):
    found = phenotype_of((genome_of(modules(kind), rules=random_rules()), modules(kind)))
    network = found.network(found.flat)
    repeated = found.agents(found.flat, [development().key], dataclasses.replace(found.birth, agents=2))
    for name, part in network.traits.neuron.items():
        assert torch.equal(repeated.traits.neuron[name], part.repeat_interleave(2, 0))
    assert lived(repeated)[0].shape[1] == 2


@pytest.mark.parametrize("kind", OWNERS)
def test_groups_of_neuron_genomes_own_their_numbers_too(kind):
    act = "identity" if KINDS[kind].nature.speaks else "tanh"
    cells = [
        neuron_fakes.Cell(3, 4, activation=act, neuron=kind),
        neuron_fakes.Cell(4, 2, activation="relu"),
        neuron_fakes.Cell(5, 3, activation=act, neuron=kind),
    ]
    how = development(WIRING)
    plan = neuron_fakes.plan_of(cells)
    found = develop(how, [embryo(how, neuron_fakes.genome_of(cells), plan)] * 2)
    flat = found.flat + torch.from_numpy(found.trainable(0)) * 0.5
    named = found.expression(flat, 0)
    child = neuron_fakes.genome_of(cells, expression=named)
    again = develop(how, [embryo(how, child, plan)])
    owned = {name for gene, names in named.items() for name in names if OWNED in name}
    assert owned
    assert {gene for gene, names in named.items() if owned & names.keys()} == {3, 5}
    torch.testing.assert_close(again.flat[0], flat[0], rtol=0, atol=1e-6)
    assert lived(found.network(found.flat))[0].isfinite().all()


def test_the_law_of_birth_of_what_neurons_own():
    found = phenotype_of((genome_of(modules("stpn", 50)), modules("stpn", 50)), wiring=WIRING)
    own = found.trim(found.flat, 0)
    Lambda = own["0>1.stpn:Lambda"][:, :50]
    assert Lambda.mean() == pytest.approx(0.5, abs=0.06)
    assert Lambda.std() == pytest.approx(12**-0.5, rel=0.15)
    assert own["0>1.stpn:Gamma"][:, :50].std() == pytest.approx(1e-3 / 3**0.5 / 8, rel=0.15)


def test_neurons_that_weigh_their_inputs_themselves_take_no_rule():
    layers = {7: [Layer(6, "identity", "stpn", rule="abcd")]}
    with pytest.raises(DevelopmentError, match="gene 7: l0 hears by plastic:abcd, but stpn neurons change"):
        embryo(development(WIRING), genome_of(layers), plan_of(layers))


@pytest.mark.parametrize("kind", OWNERS)
def test_the_measure_of_parameters_counts_what_is_trainable(kind):
    genome, layers = one(kind)
    found = phenotype_of((genome, layers), wiring=WIRING)
    assert structure(genome, plan_of(layers))["parameters"] == found.trainable(0).sum()


def test_names_of_fields_and_of_what_is_owned_are_different_ones():
    for kind in KINDS.values():
        assert not {item.name for item in dataclasses.fields(kind)} & kind.nature.owns.keys()
        assert all(isinstance(own, Own) for own in kind.nature.owns.values())
