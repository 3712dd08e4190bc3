import pytest
import torch

from evogen.learning.adam import Adam

RATE, CLIP, STEPS, D = 0.02, 0.5, 60, 48


def gradients(rows, dtype=torch.float32):
    """Gradients of all sizes: the norms lie on both sides of the clip."""
    generator = torch.Generator().manual_seed(0)
    size = torch.logspace(-3, 1, STEPS, dtype=dtype)[torch.randperm(STEPS, generator=generator)]
    return size[:, None, None] * torch.randn(STEPS, rows, D, generator=generator).to(dtype)


def start(rows, dtype=torch.float32):
    return torch.randn(rows, D, generator=torch.Generator().manual_seed(1)).to(dtype)


def run(parameters, steps, rates, clip=CLIP):
    parameters, optimiser = parameters.clone(), None
    optimiser = Adam(parameters)
    for t, gradient in enumerate(steps):
        optimiser.step(parameters, gradient, rates * (1 - t / STEPS), clip=clip)
    return parameters


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-7)])
def test_each_row_is_torchs_adam_with_its_own_clipped_gradient(dtype, tolerance):
    steps = gradients(3, dtype)
    rates = torch.tensor([RATE, RATE / 10, 2 * RATE], dtype=dtype)
    found = run(start(3, dtype), steps, rates)
    for row in range(3):
        own = torch.nn.Parameter(start(3, dtype)[row].clone())
        reference = torch.optim.Adam([own])
        for t, gradient in enumerate(steps[:, row]):
            for group in reference.param_groups:
                group["lr"] = float(rates[row]) * (1 - t / STEPS)
            own.grad = gradient * min(1.0, CLIP / float(gradient.norm()))
            reference.step()
        torch.testing.assert_close(found[row], own.detach(), rtol=tolerance, atol=tolerance)


def test_rows_do_not_touch():
    steps, rates = gradients(4), torch.full((4,), RATE)
    healthy = run(start(4), steps, rates)
    broken = steps.clone()
    broken[10:, 2] = torch.nan
    others = [0, 1, 3]
    found = run(start(4), broken, rates)
    assert torch.equal(found[others], healthy[others])
    assert found[2].isnan().all()
    for row in range(4):
        alone = run(start(4)[row : row + 1], steps[:, row : row + 1], rates[row : row + 1])
        assert torch.equal(alone[0], healthy[row])


def test_a_row_at_rate_zero_keeps_its_bits():
    found = run(start(2), gradients(2), torch.tensor([0.0, RATE]))
    assert torch.equal(found[0], start(2)[0])
    assert not torch.equal(found[1], start(2)[1])


def test_no_gradient_moves_nothing():
    assert torch.equal(run(start(2), torch.zeros(STEPS, 2, D), torch.full((2,), RATE)), start(2))


def test_the_first_step_is_the_rate_in_every_coordinate():
    (first, *_) = gradients(1)
    moved = start(1) - run(start(1), [first], torch.tensor([RATE]))
    torch.testing.assert_close(moved, RATE * first.sign(), rtol=1e-3, atol=0)
