"""Neurons that fire once a step at most, against equations lived and differentiated by hand."""

import numpy as np
import pytest
import torch
from neuron_lives import live, values_of

from evogen.neurons import TICKS
from evogen.neurons.alif_step import AlifStep
from evogen.neurons.if_step import IfStep
from evogen.neurons.lif import Lif
from evogen.neurons.lif_step import LifStep
from evogen.neurons.surrogate import spike

STEPS = 40


def drives(seed=0, mean=0.4):
    drawn = mean + torch.randn(STEPS, generator=torch.Generator().manual_seed(seed)).double()
    return drawn.requires_grad_()


def surrogate(excess, slope):
    return 1 / (1 + slope * abs(excess)) ** 2


def test_the_surrogate_is_a_step_with_the_slope_of_a_fast_sigmoid():
    x = torch.tensor([[[-1.0, -0.1, 0.0, 0.1, 2.0]]], dtype=torch.float64, requires_grad=True)
    s = spike(x, torch.tensor(5.0, dtype=torch.float64))
    (found,) = torch.autograd.grad(s.sum(), x)
    assert s.tolist() == [[[0, 0, 0, 1, 1]]]
    np.testing.assert_allclose(found[0, 0], [surrogate(each, 5.0) for each in x[0, 0].tolist()])


@pytest.mark.parametrize("tau", [1.0, 2.5, 12.0])
def test_lif_and_its_gradients_follow_the_equations(tau):
    """Forward in time by hand; backward dL/dm_t = c_t s'_t + (1 - 1/tau) dL/dm_{t+1}."""
    u, theta, slope, c = drives(), 0.3, 4.0, np.linspace(-1, 1, STEPS)
    values = values_of(LifStep(), tau=tau, theta=theta, slope=slope)
    values["stretch"].requires_grad_()
    said, kept = live(LifStep(), u, values)
    m, v, s = np.zeros(STEPS), np.zeros(STEPS + 1), np.zeros(STEPS)
    for t, each in enumerate(u.tolist()):
        m[t] = v[t] + (each - v[t]) / tau
        s[t] = m[t] > theta
        v[t + 1] = m[t] - theta * s[t]
    assert 0 < s.sum() < STEPS - 3
    np.testing.assert_array_equal(said.detach(), s)
    np.testing.assert_allclose([float(each["v"].detach()) for each in kept], v[1:], rtol=1e-12, atol=1e-15)
    by_u, by_stretch = torch.autograd.grad((said * torch.from_numpy(c)).sum(), [u, values["stretch"]])
    by_m, found = 0.0, np.zeros(STEPS)
    for t in reversed(range(STEPS)):
        by_m = c[t] * surrogate(m[t] - theta, slope) + (1 - 1 / tau) * by_m
        found[t] = by_m / tau
    np.testing.assert_allclose(by_u, found, rtol=1e-10)
    change, total = 0.0, 0.0  # of m by stretch, forward in time
    for t in range(STEPS):
        change = (1 - 1 / tau) * change + (u[t].item() - v[t]) * -(tau - 1) / tau**2
        total += c[t] * surrogate(m[t] - theta, slope) * change
    assert by_stretch.item() == pytest.approx(total, rel=1e-9, abs=1e-12)


def test_sixteen_steps_from_rest_are_the_ticks_of_lif():
    u = drives(1).detach()[:TICKS]
    values = values_of(LifStep(), tau=3.0)
    said, _ = live(LifStep(), u, values)
    ticks = Lif().spikes(u.view(1, TICKS, 1, 1), values)
    assert torch.equal(said, ticks.view(-1))
    assert 0 < said.sum() < TICKS


@pytest.mark.parametrize("u", [0.1, 0.37, 0.9])
def test_an_integrator_fires_as_often_as_its_input_fills_it(u):
    """Over T steps floor(u T / (tau theta)), whatever the threshold: what exceeds it is kept."""
    values = values_of(IfStep(), tau=5.0, theta=0.21)
    said, _ = live(IfStep(), torch.full((1000,), u, dtype=torch.float64), values)
    assert said.sum().item() in (np.floor(1000 * u / 1.05), np.floor(1000 * u / 1.05) - 1)


def test_an_integrator_never_forgets():
    said, kept = live(IfStep(), torch.tensor([0.4, *[0.0] * 30], dtype=torch.float64), values_of(IfStep()))
    assert not said.any()
    assert all(float(each["v"]) == 0.1 for each in kept)


def test_a_neuron_that_does_not_adapt_is_lif_to_the_bit():
    u = drives(2).detach()
    plain, _ = live(LifStep(), u, values_of(LifStep()))
    adaptive, _ = live(AlifStep(), u, values_of(AlifStep(), beta=0.0))
    assert torch.equal(plain, adaptive)


def test_adaptation_follows_the_equations_and_makes_intervals_longer():
    u, tau, theta, beta, tau_a = torch.full((120,), 0.9, dtype=torch.float64), 2.0, 0.2, 1.5, 30.0
    said, kept = live(AlifStep(), u, values_of(AlifStep(), tau=tau, theta=theta, beta=beta, tau_a=tau_a))
    v = a = 0.0
    for t, each in enumerate(u.tolist()):
        A = theta + beta * a
        m = v + (each - v) / tau
        s = float(m > A)
        v, a = m - A * s, a + (s - a) / tau_a
        assert said[t] == s
        assert float(kept[t]["a"]) == pytest.approx(a)
    intervals = np.diff(np.flatnonzero(said))
    assert intervals[0] == 1
    assert intervals[-1] > 2


def test_gradients_follow_the_adaptation_of_the_threshold():
    """A spike's surrogate lowers the next ones through a; by hand for two steps."""
    u = torch.tensor([0.5, 0.6], dtype=torch.float64, requires_grad=True)
    values = values_of(AlifStep(), tau=1.0, theta=0.2, beta=0.8, tau_a=2.0, slope=3.0)
    said, _ = live(AlifStep(), u, values)
    (found,) = torch.autograd.grad(said[1], u)
    A = 0.2 + 0.8 * 0.5
    second = surrogate(0.6 - A, 3.0)
    assert found.tolist() == pytest.approx([second * -0.8 * surrogate(0.3, 3.0) / 2.0, second])


@pytest.mark.parametrize("kind", [LifStep(), IfStep(), AlifStep()])
def test_a_membrane_that_is_not_finite_says_so(kind):
    said, _ = live(kind, torch.tensor([torch.inf, 0.0], dtype=torch.float64), values_of(kind))
    assert said.isnan().all()
