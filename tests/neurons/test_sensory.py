"""Cells that share one module: what they give does not depend on their order or their number."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch_fakes import Layer, genome_of, phenotype_of

from evogen.connectome.direct import Direct
from evogen.neurons.sensory import D, Module, attend

STEPS, LIVES, INPUTS = 6, 3, 4
MODULES = {7: [Layer(5, "tanh", "sensory"), Layer(4, "tanh")]}


def network_of(inputs=INPUTS):
    found = phenotype_of((genome_of(MODULES), MODULES), wiring=Direct(), inputs=inputs)
    return found, found.network(found.flat)


def lived(network, x, cells=None):
    """Outputs (T, B, 2) at x (T, B, I), and the cells; `cells` permutes what they remember after step 2."""
    state, outputs = network.start(LIVES), []
    for t, each in enumerate(x):
        if cells is not None and t == 2:
            state = {**state, "1.sensory.s": state["1.sensory.s"][:, :, cells]}
        output, state = network.step(each[None], state)
        outputs.append(output[0])
    return torch.stack(outputs), state["1.sensory.s"][0]


def seen(seed=0):
    return torch.randn(STEPS, LIVES, INPUTS, generator=torch.Generator().manual_seed(seed)).double()


def test_a_permutation_of_the_inputs_changes_nothing():
    _, network = network_of()
    x, order = seen(), torch.tensor([2, 0, 3, 1])
    outputs, cells = lived(network, x)
    permuted, moved = lived(network, x[..., order])
    torch.testing.assert_close(permuted, outputs, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(moved, cells[:, order], rtol=1e-12, atol=1e-14)
    assert outputs.std() > 1e-3


def test_a_permutation_in_the_middle_of_a_life_changes_nothing_if_the_cells_move_along():
    _, network = network_of()
    x, order = seen(), torch.tensor([1, 3, 0, 2])
    moved = torch.cat([x[:2], x[2:][..., order]])
    torch.testing.assert_close(lived(network, moved, order)[0], lived(network, x)[0], rtol=1e-12, atol=1e-14)
    assert not torch.allclose(lived(network, moved)[0], lived(network, x)[0])


def test_a_plain_layer_has_no_such_invariance():
    modules = {7: [Layer(5, "tanh"), Layer(4, "tanh")]}
    found = phenotype_of((genome_of(modules), modules), wiring=Direct())
    x = seen()[0][None]
    network = found.network(found.flat)
    assert not torch.allclose(network.forward(x), network.forward(x.flip(-1)))


def test_neurons_that_are_lost_take_nothing_from_what_the_others_read():
    """All is the same to those that are left, but for what the lost ones told the cells."""
    found, network = network_of()
    C = network.traits.neuron["1.sensory.C"].clone()
    C[..., 3] = 0
    deaf = dataclasses.replace(network.traits, neuron={**network.traits.neuron, "1.sensory.C": C})
    network = dataclasses.replace(network, traits=deaf)
    q = network.traits.neuron["1.sensory.q"].clone()
    q[..., 3] = 100.0
    other = dataclasses.replace(network.traits, neuron={**network.traits.neuron, "1.sensory.q": q})
    hurt = dataclasses.replace(network, traits=other)
    left = torch.tensor([0, 1, 2, 4])
    state, after = network.start(LIVES), network.start(LIVES)
    for each in seen():
        whole, less = network.activity(each[None], state)[1], hurt.activity(each[None], after)[1]
        assert torch.equal(whole[..., left], less[..., left])
        assert not torch.equal(whole[..., 3], less[..., 3])
        (_, state), (_, after) = network.step(each[None], state), hurt.step(each[None], after)
    assert found.rows == 1


def test_one_module_serves_any_number_of_inputs():
    """A cell that every neuron ignores is a cell that is not there."""
    generator = torch.Generator().manual_seed(1)
    A, B, e, q = (torch.randn(1, *shape, generator=generator) for shape in ((D, D), (D,), (D,), (D, 3)))
    module, x = Module(A, B, e), torch.randn(1, 2, 5, generator=generator)
    heard = torch.zeros(1, 2, D)
    five = module.remember(torch.zeros(1, 2, 5, D), x, heard)
    three = module.remember(torch.zeros(1, 2, 3, D), x[..., :3], heard)
    torch.testing.assert_close(five[:, :, :3], three)
    silent = five.clone()
    silent[:, :, 3:] = -1e4
    positive = q.abs()
    torch.testing.assert_close(attend(silent, x, positive), attend(three, x[..., :3], positive))


def test_cells_and_attention_follow_the_equations():
    found, network = network_of()
    x, own = seen(2)[:, 0].numpy(), found.trim(found.flat, 0)
    A, B, C, e, q = (own[f"1.sensory:{name}"] for name in "ABCeq")
    A, B, e = (part.sum(0) / math.sqrt(5) for part in (A, B, e))
    s, m, state = np.zeros((INPUTS, D)), np.zeros(5), network.start(1)
    for o in x:
        s = np.tanh(s @ A + o[:, None] * B + C.T @ m + e)
        weights = np.exp(s @ q.T / math.sqrt(D))
        m = (weights / weights.sum(0) * o[:, None]).sum(0)
        given = torch.from_numpy(o)[None, None]
        said = network.activity(given, state)[1][0, 0, :5]
        np.testing.assert_allclose(said, np.tanh(m), rtol=1e-10)
        _, state = network.step(given, state)


@pytest.mark.parametrize("inputs", [1, 2, 9])
def test_a_task_may_have_any_number_of_inputs(inputs):
    _, network = network_of(inputs)
    output, _ = network.step(torch.ones(1, 1, inputs).double(), network.start(1))
    assert output.isfinite().all()
