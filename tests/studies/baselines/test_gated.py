"""Baselines equal torch's own cells, and a row in company is that row alone."""

import pytest
import torch

from evogen.keys import Key
from evogen.studies.baselines.gated import GRU, LSTM, RNN
from evogen.studies.baselines.model import Model

P, B, T, I, H = 3, 4, 6, 5, 7
KEYS = [Key(2).child(row) for row in range(P)]
INPUTS = torch.from_numpy(Key(2).child("inputs").generator().normal(size=(P, B, T, I))).float()


def theirs(cell, values, row):
    """Return torch's own cell with the parameters of a row."""
    kind = {RNN: torch.nn.RNNCell, LSTM: torch.nn.LSTMCell, GRU: torch.nn.GRUCell}[type(cell)]
    found = kind(I, H)
    own = {name: part[row] for name, part in values.items()}
    found.weight_ih.data, found.weight_hh.data = own["W"].T, own["U"].T
    found.bias_ih.data, found.bias_hh.data = own["b"], torch.zeros_like(found.bias_hh)
    if isinstance(cell, GRU):
        found.bias_hh.data[2 * H :] = own["d"]
    return found


@pytest.mark.parametrize("cell", [RNN(H), LSTM(H), GRU(H)])
def test_a_cell_is_torchs_own(cell):
    model = Model(cell, I, 2)
    values = model.values(model.start(KEYS))
    state, said = cell.start(values, B), []
    for seen in INPUTS.unbind(2):
        one = cell.step(values, seen, state)
        state = one.state
        said.append(one.hidden)
    for row in range(P):
        reference, own = theirs(cell, values, row), None
        for t in range(T):
            own = reference(INPUTS[row, :, t], own)
            hidden = own[0] if isinstance(own, tuple) else own
            torch.testing.assert_close(said[t][row], hidden.detach(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("cell", [RNN(H), LSTM(H), GRU(H)])
def test_parameters_are_as_many_as_torchs_without_its_second_bias(cell):
    torchs = {RNN: torch.nn.RNN, LSTM: torch.nn.LSTM, GRU: torch.nn.GRU}[type(cell)](I, H)
    counted = sum(part.numel() for part in torchs.parameters()) - torchs.bias_hh_l0.numel()
    counted += H if isinstance(cell, GRU) else 0
    assert Model(cell, I, 2).parameters == counted + 2 * H + 2
