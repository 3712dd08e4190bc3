"""Spiking blocks, against the equations written out neuron after neuron."""

import numpy as np
import torch

from evogen.keys import Key
from evogen.studies.baselines.model import Model
from evogen.studies.baselines.spiking import Blocks

P, B, T, I = 2, 3, 12, 4
KEYS = [Key(2).child(row) for row in range(P)]
INPUTS = torch.from_numpy(Key(2).child("inputs").generator().poisson(0.7, (P, B, T, I))).float()
CELL = Blocks((3, 2, 4), ((0, 0), (0, 1), (1, 2), (2, 0)))


def test_blocks_fire_as_neuron_after_neuron():
    model = Model(CELL, I, 2)
    values = model.values(model.start(KEYS))
    values["bias"] = values["bias"] + 0.3
    state, traces, spikes = CELL.start(values, B), [], []
    for seen in INPUTS.unbind(2):
        said = CELL.step(values, seen, state)
        state = said.state
        traces.append(said.hidden)
        spikes.append(state[1])
    block = [0, 0, 0, 1, 1, 2, 2, 2, 2]
    fired = 0
    for row in range(P):
        own = {name: part[row].double().numpy() for name, part in values.items()}
        weights = iter(own["U"])
        U = np.zeros((9, 9))
        for a, b in CELL.edges:
            for i in (n for n in range(9) if block[n] == a):
                for j in (n for n in range(9) if block[n] == b):
                    U[i, j] = next(weights)
        assert next(weights, None) is None
        beta, rho = (1 / (1 + np.exp(-own[name])) for name in ("leak", "fade"))
        for life in range(B):
            v, s, trace = np.zeros(9), np.zeros(9), np.zeros(3)
            for t in range(T):
                drive = s @ U + own["bias"]
                drive[:3] += INPUTS[row, life, t].numpy() @ own["W"]
                v = beta * v + drive
                s = (v > 1).astype(float)
                v -= s
                trace = rho * trace + (1 - rho) * s[:3]
                assert spikes[t][row, life].tolist() == s.tolist()
                np.testing.assert_allclose(traces[t][row, life], trace, atol=1e-5)
                fired += s.sum()
    assert 0 < fired < P * B * T * 9


def test_a_spike_reaches_its_blocks_and_the_readout():
    assert CELL.fan_out(outputs=5).tolist() == [10, 10, 10, 4, 4, 3, 3, 3, 3]
    assert CELL.feedback.sum() == 4 * 3
    assert CELL.without((2, 0)).feedback.sum() == 0
    assert Blocks((5,), ()).fan_out(2).tolist() == [2] * 5


def test_spikes_can_be_learned():
    model = Model(CELL, I, 2)
    flat = model.start(KEYS).requires_grad_()
    (gradient,) = torch.autograd.grad(model.live(flat, INPUTS).square().sum(), flat)
    found = model.values(gradient)
    for name in ("W", "U", "bias", "leak", "fade", "out.W"):
        assert (found[name].abs() > 0).any(), name
