import numpy as np
import pytest
import torch
from neuron_lives import seen, values_of

from evogen.neurons.adaptive import Adaptive
from evogen.neurons.rowdy import WAVES, Rowdy

U = torch.linspace(-2, 2, 9).double().view(1, 1, -1)


def test_a_slope_is_1_at_birth_and_grows_n_times_as_fast():
    for n in (1.0, 5.0, 10.0):
        values = values_of(Adaptive(), n=n)
        values["slope"].requires_grad_()
        found, _ = Adaptive().step(seen(U), {}, values)
        assert torch.equal(found, U)
        (slope,) = torch.autograd.grad(found[..., -1].sum(), values["slope"])
        assert slope.item() == 2 * n


def test_na_is_the_slope():
    """N a with a = 1/n + slope."""
    found, _ = Adaptive().step(seen(U), {}, values_of(Adaptive(), n=5.0, slope=0.3))
    torch.testing.assert_close(found, 5 * (1 / 5 + 0.3) * U)


def test_rowdy_is_tanh_at_birth():
    values = values_of(Rowdy()) | {"a": torch.zeros(1, WAVES, 1).double()}
    assert torch.equal(Rowdy().step(seen(U), {}, values)[0], torch.tanh(U))


def test_rowdy_adds_sine_waves():
    a = np.array([0.5, -0.2, 0.1, 0.3])
    values = values_of(Rowdy(), n=2.0, w=1.1) | {"a": torch.from_numpy(a).view(1, WAVES, 1)}
    found, _ = Rowdy().step(seen(U), {}, values)
    for u, y in zip(U.view(-1).tolist(), found.view(-1).tolist(), strict=True):
        waves = sum(2 * a[k - 1] * np.sin(k * 2 * 1.1 * u) for k in range(1, 5))
        assert y == pytest.approx(np.tanh(u) + waves)
