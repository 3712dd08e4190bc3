"""Fast weights and short-term plastic neurons, against the equations written out as loops."""

import math

import numpy as np
import pytest
import torch

from evogen.keys import Key
from evogen.neurons import Contacts, stpn
from evogen.studies.baselines.fast import STPN, FastWeights, Normalised, SharedSTPN
from evogen.studies.baselines.model import Model

P, B, T, I, H = 2, 3, 5, 4, 6
KEYS = [Key(2).child(row) for row in range(P)]
INPUTS = torch.from_numpy(Key(2).child("inputs").generator().normal(size=(P, B, T, I)))


def lived(cell, changed=None):
    """Return parameters in float64 and what the cell says, (P, B, T, H)."""
    model = Model(cell, I, 2)
    values = {name: part.double() for name, part in model.values(model.start(KEYS)).items()} | (changed or {})
    state, said = cell.start(values, B), []
    for seen in INPUTS.unbind(2):
        one = cell.step(values, seen, state)
        state = one.state
        said.append(one.hidden)
    return values, torch.stack(said, 2).numpy()


def one_stpn(W, Lambda, Gamma, b, xs):
    """The reference form: synapse after synapse."""
    pre, post = W.shape
    F, h, said = np.zeros((pre, post)), np.zeros(post), []
    for x in xs:
        z = [*x, *h]
        n = [math.sqrt(sum((W[i, j] + F[i, j]) ** 2 for i in range(pre))) for j in range(post)]
        h = [
            math.tanh(sum((W[i, j] + F[i, j]) / n[j] * z[i] for i in range(pre)) + b[j]) for j in range(post)
        ]
        for i in range(pre):
            for j in range(post):
                F[i, j] = Lambda[i, j] * F[i, j] / n[j] + Gamma[i, j] * h[j] * z[i]
        said.append(h)
    return np.array(said)


def strong(*shape):
    """Return gains large enough that fast parts matter, ~ U(-1, 1)."""
    return torch.from_numpy(Key(4).generator().uniform(-1, 1, shape))


def test_stpn_is_the_reference_form():
    values, said = lived(STPN(H), {"gain": strong(P, I + H, H)})
    for row in range(P):
        own = [values[name][row].numpy() for name in ("W", "decay", "gain", "b")]
        for life in range(B):
            wanted = one_stpn(*own, INPUTS[row, life].numpy())
            assert np.abs(said[row, life] - wanted).max() < 1e-6


def test_stpn_is_evogens_own_unit():
    values, said = lived(STPN(H), {"gain": strong(P, I + H, H)})
    unit, h = stpn.STPN(), torch.zeros(P, B, H, dtype=torch.float64)
    state = {"F": torch.zeros(P, B, I + H, H, dtype=torch.float64)}
    own = {"Lambda": values["decay"], "Gamma": values["gain"], "clamp": torch.full((P, 1, H), 1000.0)}
    for t in range(T):
        z = torch.cat([INPUTS[:, :, t], h], -1)
        contacts = Contacts(z, values["W"], values["b"].unsqueeze(1), torch.ones(P, 1, H))
        h, state = unit.step(contacts, state, own)
        assert np.abs(said[:, :, t] - h.numpy()).max() < 1e-6


def test_one_coefficient_for_all_synapses_is_that_coefficient_at_each():
    shared, said = lived(SharedSTPN(H), {"gain": strong(P, 1, 1)})
    whole = {name: shared[name].expand(P, I + H, H) for name in ("decay", "gain")}
    _, each = lived(STPN(H), {"W": shared["W"], "b": shared["b"]} | whole)
    np.testing.assert_allclose(said, each, atol=1e-12)


def test_without_plasticity_stpn_is_a_network_with_normalised_weights():
    values, said = lived(Normalised(H))
    nothing = torch.zeros(P, I + H, H, dtype=torch.float64)
    _, still = lived(STPN(H), {"W": values["W"], "b": values["b"], "gain": nothing})
    np.testing.assert_allclose(said, still, atol=1e-9)


@pytest.mark.parametrize("inner", [1, 3])
def test_fast_weights_are_those_of_the_paper(inner):
    """Equations 1 and 2: the memory is a sum over the past, weighted by its age."""
    cell = FastWeights(H, decay=0.9, rate=0.5, inner=inner)
    values, said = lived(cell)
    for row in range(P):
        W, U, b, gain, shift = (values[name][row].numpy() for name in ("W", "U", "b", "gain", "shift"))
        for life in range(B):
            past = [np.zeros(H)]
            for x in INPUTS[row, life].numpy():
                p = x @ W + past[-1] @ U + b
                h = np.maximum(p, 0)
                for _ in range(inner):
                    ages = range(len(past))
                    recalled = sum(0.5 * 0.9**age * past[-1 - age] * (past[-1 - age] @ h) for age in ages)
                    summed = p + recalled
                    scaled = (summed - summed.mean()) / np.sqrt(summed.var() + 1e-5)
                    h = np.maximum(scaled * gain + shift, 0)
                past.append(h)
            np.testing.assert_allclose(said[row, life], np.array(past[1:]), atol=1e-9)
