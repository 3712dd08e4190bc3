"""P baselines with a readout: parameters, training and energy."""

import numpy as np
import pytest
import torch

from evogen.keys import Key
from evogen.studies.baselines.fast import STPN, FastWeights, Normalised, SharedSTPN
from evogen.studies.baselines.gated import GRU, LSTM, RNN
from evogen.studies.baselines.model import Model, fitted, sized
from evogen.studies.baselines.spiking import Blocks
from evogen.testing.tiny import Recall

KEYS = [Key(2).child(row) for row in range(3)]
CELLS = [
    *(kind(5) for kind in (RNN, LSTM, GRU, FastWeights, STPN, SharedSTPN, Normalised)),
    Blocks((5,), ((0, 0),)),
]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: type(cell).__name__)
def test_a_network_learns_alone_as_in_company(cell):
    model, how = Model(cell, 2, 2), {"updates": 3, "batch": 8, "rate": 0.01}
    company = fitted(model, Recall(), KEYS, **how)
    alone = fitted(model, Recall(), KEYS[1:2], **how)
    torch.testing.assert_close(alone[0], company[1], rtol=0, atol=1e-6)
    assert not torch.equal(company, model.start([key.child("start") for key in KEYS]))


def test_what_is_told_is_what_was_learnt_from():
    model = Model(LSTM(5), 2, 2)
    flat, inputs = model.start(KEYS), Recall().sequences(KEYS, 4, "train").inputs
    torch.testing.assert_close(model.tell(flat, inputs).output, model.live(flat, inputs))


def test_a_baseline_learns_what_it_must_remember():
    model = Model(GRU(8), 2, 2)
    flat = fitted(model, Recall(), KEYS, updates=120, batch=16, rate=0.03)
    asked = Recall().sequences(KEYS, 200, "test")
    assert (Recall().rate(model.live(flat, asked.inputs), asked) > 0.98).all()


def test_energy_is_the_sum_over_all_synapses():
    model = Model(RNN(3), 2, 2)
    flat, inputs = model.start(KEYS), Recall().sequences(KEYS, 4, "train").inputs
    values = {name: part.double().numpy() for name, part in model.values(flat).items()}
    found = model.tell(flat, inputs).energy
    for row in range(3):
        own = {name: part[row] for name, part in values.items()}
        total = 0.0
        for life in range(4):
            h = np.zeros(3)
            for x in inputs[row, life].double().numpy():
                total += (abs(own["W"]) * x[:, None] ** 2).sum() + (abs(own["U"]) * h[:, None] ** 2).sum()
                h = np.tanh(x @ own["W"] + h @ own["U"] + own["b"])
                total += (abs(own["out.W"]) * h[:, None] ** 2).sum()
        assert float(found[row]) == pytest.approx(total / (4 * 3), rel=1e-5)


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU, FastWeights, Normalised])
def test_sizes_are_the_nearest_ones(kind):
    found = sized(kind, 37, 10, 1715)
    for hidden in (found.cell.hidden - 1, found.cell.hidden + 1):
        other = Model(kind(hidden), 37, 10)
        assert abs(found.parameters - 1715) <= abs(other.parameters - 1715)
