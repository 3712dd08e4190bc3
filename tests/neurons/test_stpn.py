"""The short-term plasticity neuron against its equations, synapse by synapse, in a recurrent network."""

import dataclasses

import numpy as np
import pytest
import torch
from torch_fakes import Layer, development, genome_of, plan_of

from evogen.connectome.direct import Direct
from evogen.grammar.plan import Projection
from evogen.phenotype import develop, embryo

STEPS, LIVES, HIDDEN, INPUTS = 12, 2, 5, 3


def grown(*, recurrent):
    """Two candidates with one hidden layer of this kind."""
    layers = {7: [Layer(HIDDEN, "identity", "stpn")]}
    plan, how = plan_of(layers, inputs=INPUTS, outputs=2), development(Direct())
    if recurrent:
        plan = dataclasses.replace(plan, projections=(*plan.projections, Projection(1, 1, 7)))
    found = develop(how, [embryo(how, genome_of(layers), plan)] * 2)
    noise = torch.randn(found.flat.shape, generator=torch.Generator().manual_seed(0)).double()
    return found, found.flat + 0.4 * noise * torch.from_numpy(found.trainable(0))


def reference(own, observations):
    """H of one life: G = W + F, h = tanh(G z / |G| + b), F <- Lambda F / |G| + Gamma h z^T, row by row."""
    recurrent = "1>1.W" in own
    pairs = ("0>1", "1>1") if recurrent else ("0>1",)
    W, Lambda, Gamma = (
        np.concatenate([own[f"{pair}.{symbol}"] for pair in pairs]).T
        for symbol in ("W", "stpn:Lambda", "stpn:Gamma")
    )  # (post, pre), as the paper has it
    F, h, said = np.zeros_like(W), np.zeros(HIDDEN), []
    for x in observations:
        z = np.concatenate([x, h]) if recurrent else x
        n = np.sqrt(((W + F) ** 2).sum(1, keepdims=True))
        h = np.tanh(((W + F) / n) @ z + own["1.b"])
        F = Lambda * (F / n) + Gamma * np.outer(h, z)
        said.append(h)
    return np.array(said)


def test_a_recurrent_and_a_feedforward_layer_equal_the_reference():
    x = torch.randn(STEPS, 2, LIVES, INPUTS, generator=torch.Generator().manual_seed(1)).double()
    for recurrent in (True, False):
        found, flat = grown(recurrent=recurrent)
        network = found.network(flat)
        state = network.start(LIVES)
        said = []
        for each in x:
            said.append(network.activity(each, state)[1][..., :HIDDEN])
            _, state = network.step(each, state)
        for row, life in np.ndindex(2, LIVES):
            expected = reference(found.trim(flat, row), x[:, row, life].numpy())
            np.testing.assert_allclose(torch.stack(said)[:, row, life], expected, rtol=0, atol=1e-6)
        F = state["1.stpn.F"]
        assert F.shape[2:] == (INPUTS + 64 * recurrent, 64)
        assert not F[:, :, :, HIDDEN:].any()
        assert not F[:, :, INPUTS + HIDDEN :].any()
        assert F.abs().max() > 0.1


def test_a_fast_part_is_clamped():
    found, flat = grown(recurrent=True)
    tight = {"1.stpn.clamp": torch.full((2, 1, 64), 0.05).double()}
    network = found.network(flat)
    network = dataclasses.replace(
        network, traits=dataclasses.replace(network.traits, neuron={**network.traits.neuron, **tight})
    )
    state = network.start(1)
    for _ in range(5):
        _, state = network.step(torch.ones(2, 1, INPUTS), state)
    assert state["1.stpn.F"].abs().max().item() == pytest.approx(0.05, abs=1e-8)


def test_gradients_through_a_life_equal_finite_differences():
    found, flat = grown(recurrent=True)
    x = torch.randn(3, 1, 1, INPUTS, generator=torch.Generator().manual_seed(2)).double()
    mine = torch.from_numpy(np.flatnonzero(found.trainable(0)))
    row = dataclasses.replace(found, bodies=found.bodies[:1])

    def said(own):
        network = row.network(flat.index_copy(1, mine, own.expand(2, -1)))
        state, outputs = network.start(1), []
        for each in x.expand(-1, 2, -1, -1):
            output, state = network.step(each, state)
            outputs.append(output[0])
        return torch.stack(outputs)

    assert torch.autograd.gradcheck(said, flat[:1, mine].clone().requires_grad_())
