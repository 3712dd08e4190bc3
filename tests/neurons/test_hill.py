import numpy as np
import pytest
import torch
from neuron_lives import live, values_of
from scipy.integrate import solve_ivp

from evogen.neurons.hill import Hill, hill


def response(x, K, n):
    return hill(*(torch.tensor(float(each), dtype=torch.float64) for each in (x, K, n))).item()


@pytest.mark.parametrize("K", [0.1, 1.0, 7.0])
@pytest.mark.parametrize("n", [1.0, 2.0, 4.0])
def test_the_response_is_hills_and_half_at_k(K, n):
    assert response(K, K, n) == pytest.approx(0.5)
    for x in (0.03, 0.9, 12.0):
        assert response(x, K, n) == pytest.approx(x**n / (K**n + x**n), rel=1e-9)


def test_a_repressed_gene_is_silent():
    assert response(-3.0, 1.0, 2.0) == response(0.0, 1.0, 2.0) == pytest.approx(0, abs=1e-15)


def test_expression_ends_where_birth_and_decay_are_equal():
    values = values_of(Hill(), K=0.5, n=3.0, beta=2.0, delta=0.4)
    said, _ = live(Hill(), torch.full((100,), 0.8, dtype=torch.float64), values)
    assert said[-1].item() == pytest.approx(2.0 / 0.4 * 0.8**3 / (0.5**3 + 0.8**3))


def test_without_drive_the_product_decays_exponentially():
    values = values_of(Hill(), delta=0.3)
    said, _ = live(Hill(), torch.tensor([5.0, 0.0, 0.0, 0.0], dtype=torch.float64), values)
    np.testing.assert_allclose(said[1:] / said[:-1], np.exp(-0.3), rtol=1e-6)


def test_a_step_solves_the_differential_equation():
    K, n, beta, delta, drives = 0.7, 2.5, 1.8, 0.9, [0.2, 1.4, -1.0, 0.6]
    values = values_of(Hill(), K=K, n=n, beta=beta, delta=delta)
    said, _ = live(Hill(), torch.tensor(drives, dtype=torch.float64), values)
    g = 0.0
    for u, found in zip(drives, said.tolist(), strict=True):
        H = max(u, 0) ** n / (K**n + max(u, 0) ** n)
        solved = solve_ivp(lambda _, y, H=H: beta * H - delta * y, (0, 1), [g], rtol=1e-10, atol=1e-12)
        g = solved.y[0, -1]
        assert found == pytest.approx(g, rel=1e-7)


def test_a_fold_multiplies_what_a_gene_was_born_with():
    u = torch.tensor([0.4, 0.9], dtype=torch.float64)
    folded = values_of(Hill(), K=1.0, K_fold=np.log(0.5), delta=0.2, delta_fold=np.log(3.0))
    plain = values_of(Hill(), K=0.5, delta=0.6)
    torch.testing.assert_close(live(Hill(), u, folded)[0], live(Hill(), u, plain)[0])


def test_gradients_equal_finite_differences():
    inputs = [torch.tensor([each], dtype=torch.float64).requires_grad_() for each in (0.7, 0.4, 2.3)]
    assert torch.autograd.gradcheck(hill, inputs)
