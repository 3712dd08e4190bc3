"""Spikes against a plain loop and closed forms, their gradient against autograd through the surrogate itself.

Finite differences say nothing here: spikes are constant almost everywhere.
"""

import math

import numpy as np
import pytest
import torch

from evogen.keys import Key
from evogen.neurons import TICKS, lif
from evogen.neurons.lif import Lif

P, B, N = 2, 3, 64
NUMBERS = [(1.0, 0.25, 5.0), (2.0, 0.5, 25.0), (4.0, 0.25, 5.0), (9.0, 0.5, 1.0)]


def values(tau, theta, slope=5.0, *, rows=P, width=N, dtype=torch.float64):
    numbers = {"tau": tau, "theta": theta, "slope": slope}
    return {name: torch.full((rows, 1, width), number, dtype=dtype) for name, number in numbers.items()}


def currents(ticks, dtype=torch.float64):
    rng = Key(0).child("current", ticks).generator()
    return torch.from_numpy(rng.normal(0.3, 1, (P, ticks, B, N))).to(dtype)


def fired(current, tau, theta):
    """Spikes of one neuron at a constant current, as a list of 0 and 1."""
    one = torch.full((1, 1, 1, 1), current, dtype=torch.float64)
    return Lif().spikes(one, values(tau, theta, rows=1, width=1)).flatten().tolist()


@pytest.mark.parametrize("ticks", [1, TICKS])
@pytest.mark.parametrize(("tau", "theta", "slope"), NUMBERS)
def test_spikes_are_those_of_a_plain_loop(tau, theta, slope, ticks):
    current = currents(ticks)
    spikes = Lif().spikes(current, values(tau, theta, slope))
    v = np.zeros((P, B, N))
    for t in range(TICKS):
        v += (current[:, t % ticks].numpy() - v) / tau
        s = v > theta
        v -= theta * s
        assert np.array_equal(spikes[:, t].numpy(), s)
    assert spikes.shape == (P, TICKS, B, N)
    assert 0.02 < spikes.mean() < 0.98


@pytest.mark.parametrize("ticks", [1, TICKS])
@pytest.mark.parametrize(("tau", "theta", "slope"), NUMBERS)
def test_the_gradient_is_that_of_the_fast_sigmoid_in_place_of_the_spike(tau, theta, slope, ticks):
    current = currents(ticks).requires_grad_()
    weight = currents(TICKS)
    total = (Lif().spikes(current, values(tau, theta, slope)) * weight).sum()
    v, expected = torch.zeros(P, B, N).double(), torch.zeros(()).double()
    for t in range(TICKS):
        m = v + (current[:, t % ticks] - v) / tau
        smooth = (m - theta) / (1 + slope * (m - theta).abs())
        hard = (m > theta).double()
        v = m - theta * hard  # no gradient through the reset
        expected = expected + ((hard + smooth - smooth.detach()) * weight[:, t]).sum()
    assert total.item() == pytest.approx(expected.item())
    (found,), (wanted,) = (torch.autograd.grad(loss, current) for loss in (total, expected))
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-13)


def test_a_neuron_without_memory_has_the_gradient_of_the_formula():
    """With tau = 1 every tick stands alone: each of them gives 1 / (1 + slope |u - theta|)^2."""
    u = torch.tensor([-0.5, 0.1, 0.25, 0.3, 2.0]).double().view(1, 1, 1, 5).requires_grad_()
    spikes = Lif().spikes(u, values(1.0, 0.25, 4.0, rows=1, width=5))
    (found,) = torch.autograd.grad(spikes.mean(1).sum(), u)
    assert found.flatten().tolist() == pytest.approx([1 / 16, 1 / 1.6**2, 1, 1 / 1.2**2, 1 / 64])
    assert spikes[0, :, 0].tolist() == [[0, 0, 0, 1, 1]] * TICKS


@pytest.mark.parametrize("share", [-3.0, 0.0, 0.9, 1.0])
def test_a_current_of_the_threshold_or_less_never_fires(monkeypatch, share):
    monkeypatch.setattr(lif, "TICKS", 500)
    assert not any(fired(share * 0.5, 8.0, 0.5))


@pytest.mark.parametrize(("current", "tau"), [(0.53, 8.0), (0.8, 8.0), (1.3, 3.0), (2.7, 20.0), (3.1, 5.5)])
def test_a_constant_current_fires_at_the_closed_form_intervals(monkeypatch, current, tau):
    """From v to the next spike takes the least k with u - (u - v) (1 - 1/tau)^k > theta."""
    monkeypatch.setattr(lif, "TICKS", 500)
    theta, keep = 0.5, 1 - 1 / tau
    times, at, v = [], 0, 0.0
    while True:
        steps = max(1, math.ceil(math.log((current - theta) / (current - v)) / math.log(keep)))
        at, v = at + steps, current - (current - v) * keep**steps - theta
        if at > 500:
            break
        times.append(at)
    found = [t for t, spike in enumerate(fired(current, tau, theta), 1) if spike]
    assert found == times
    assert len(times) > 10


def test_the_rate_follows_the_current_up_to_one_spike_a_tick(monkeypatch):
    """In the long run theta f = (u - mean v) / tau, where 0 < v <= theta until every tick fires."""
    monkeypatch.setattr(lif, "TICKS", 4000)
    tau, theta = 8.0, 0.5
    rates = []
    for current in np.linspace(0.6, 3.9, 12):
        rates.append(np.mean(fired(current, tau, theta)))
        assert (current - theta) / (tau * theta) - 1e-3 < rates[-1] < current / (tau * theta)
    assert (np.diff(rates) > 0).all()
    assert np.mean(fired(2 * tau * theta, tau, theta)) > 0.999


def test_each_neuron_has_its_own_numbers():
    current = currents(1)
    mixed = {name: torch.empty(P, 1, N).double() for name in ("tau", "theta", "slope")}
    for number, (tau, theta, slope) in enumerate(NUMBERS):
        for name, value in (("tau", tau), ("theta", theta), ("slope", slope)):
            mixed[name][..., number::4] = value
    spikes = Lif().spikes(current, mixed)
    for number, numbers in enumerate(NUMBERS):
        alone = Lif().spikes(current, values(*numbers))
        assert torch.equal(spikes[..., number::4], alone[..., number::4])


@pytest.mark.parametrize("ticks", [1, TICKS])
def test_a_candidate_has_the_same_bits_alone(ticks):
    whole = currents(ticks, torch.float32).requires_grad_()
    numbers = values(3.0, 0.3, dtype=torch.float32)
    spikes = Lif().spikes(whole, numbers)
    (slopes,) = torch.autograd.grad((spikes.mean(1) ** 2).sum(), whole)
    for row in range(P):
        own = whole[row : row + 1].detach().clone().requires_grad_()
        alone = Lif().spikes(own, {name: value[:1] for name, value in numbers.items()})
        assert torch.equal(alone[0], spikes[row])
        assert torch.equal(torch.autograd.grad((alone.mean(1) ** 2).sum(), own)[0][0], slopes[row])


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_a_membrane_that_is_not_finite_is_not_hidden_by_the_comparison(broken):
    current = currents(TICKS)
    current[1, 5, 2, 7] = broken
    spikes = Lif().spikes(current, values(4.0, 0.25))
    assert spikes[1, :, 2, 7].isnan().all()
    assert spikes.isnan().sum() == TICKS
