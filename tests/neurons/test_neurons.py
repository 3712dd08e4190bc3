import pytest
import torch

from evogen.neurons import Seen
from evogen.neurons.activations import ACTIVATIONS
from evogen.neurons.leaky import Leaky
from evogen.neurons.rate import Rate

ONE = torch.ones(1, 1, 1, dtype=torch.float64)


def seen(drive):
    """What reaches neurons that are all of one kind."""
    return Seen(drive, torch.ones_like(drive[:, :1]), drive)


@pytest.mark.parametrize("tau", [1.0, 1.5, 8.0])
def test_leaky_step_response_is_exponential(tau):
    """v_t = u (1 - (1 - 1/tau)^t) for a constant input u from rest."""
    state = {"v": torch.zeros_like(ONE)}
    for t in range(1, 30):
        v, state = Leaky().step(seen(3 * ONE), state, {"tau": tau * ONE})
        assert v.item() == pytest.approx(3 * (1 - (1 - 1 / tau) ** t), rel=1e-12)


def test_leaky_state_without_input_decays_by_1_over_tau():
    v, _ = Leaky().step(seen(0 * ONE), {"v": 5 * ONE}, {"tau": 4 * ONE})
    assert v.item() == pytest.approx(5 * 0.75)


def test_leaky_with_time_constant_1_is_rate_to_the_bit():
    drive, state = torch.randn(2, 3, 4, 64, generator=torch.Generator().manual_seed(0))
    leaky, _ = Leaky().step(seen(drive), {"v": state}, {"tau": torch.ones(3, 1, 64)})
    assert torch.equal(leaky, Rate().step(seen(drive), {}, {})[0])
    assert torch.equal(leaky, drive)


def test_activations_have_their_textbook_values():
    x = torch.tensor([-2.0, 0.0, 1.0]).double()
    found = {name: function(x).tolist() for name, function in ACTIVATIONS.items()}
    assert found == {
        "abs": [2.0, 0.0, 1.0],
        "elu": pytest.approx([-0.8646647167633873, 0.0, 1.0]),
        "gauss": pytest.approx([0.018315638888734, 1.0, 0.3678794411714423]),
        "gelu": pytest.approx([-0.04550026389635842, 0.0, 0.8413447460685429]),
        "hardclip01": [0.0, 0.0, 1.0],
        "hardtanh": [-1.0, 0.0, 1.0],
        "identity": [-2.0, 0.0, 1.0],
        "leaky-relu": pytest.approx([-0.02, 0.0, 1.0]),
        "mish": pytest.approx([-0.25250148269570, 0.0, 0.86509838826731]),
        "relu": [0.0, 0.0, 1.0],
        "selu": pytest.approx([-1.5201664685956, 0.0, 1.0507009873554805]),
        "sigmoid": pytest.approx([0.11920292202211755, 0.5, 0.7310585786300049]),
        "sin": pytest.approx([-0.9092974268256817, 0.0, 0.8414709848078965]),
        "softplus": pytest.approx([0.12692801104297, 0.69314718055995, 1.31326168751822]),
        "square": [4.0, 0.0, 1.0],
        "swish": pytest.approx([-0.23840584404424, 0.0, 0.73105857863]),
        "tanh": pytest.approx([-0.9640275800758169, 0.0, 0.7615941559557649]),
    }


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_an_activation_gives_a_number_the_same_bits_in_any_cohort(name):
    """And gradients too, for hidden levels, which are padded to 64: results must not depend on P."""
    x = 3 * torch.randn(4, 5, 64, generator=torch.Generator().manual_seed(0))
    x.requires_grad_()
    whole = ACTIVATIONS[name](x)
    (slope,) = torch.autograd.grad(whole.sum(), x)
    for row in range(4):
        own = x[row : row + 1].detach().clone().requires_grad_()
        alone = ACTIVATIONS[name](own)
        assert torch.equal(alone[0], whole[row])
        assert torch.equal(torch.autograd.grad(alone.sum(), own)[0][0], slope[row])
