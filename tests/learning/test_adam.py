import pytest
import torch

from evogen.learning.adam import Adam
from evogen.phenotype.pace import OWN, Pace
from evogen.phenotype.rows import gather

RATE, CLIP, STEPS, D = 0.02, 0.5, 60, 48


def gradients(rows, dtype=torch.float32):
    """Gradients of all sizes: the norms lie on both sides of the clip."""
    generator = torch.Generator().manual_seed(0)
    size = torch.logspace(-3, 1, STEPS, dtype=dtype)[torch.randperm(STEPS, generator=generator)]
    return size[:, None, None] * torch.randn(STEPS, rows, D, generator=generator).to(dtype)


def start(rows, dtype=torch.float32):
    return torch.randn(rows, D, generator=torch.Generator().manual_seed(1)).to(dtype)


def run(parameters, steps, rates, clip=CLIP, pace=None):
    parameters, optimiser = parameters.clone(), None
    optimiser = Adam(parameters, pace)
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


def paced(rows, *, share=1.0, momentum=OWN, dtype=torch.float32):
    """Half of the entries of every row learn in this way, the others as ever."""
    half = torch.arange(D) < D // 2
    parts = [
        torch.where(half, torch.tensor(number, dtype=dtype), torch.tensor(other, dtype=dtype)).repeat(rows, 1)
        for number, other in ((share, 1.0), (momentum, OWN))
    ]
    return Pace(*parts), half


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_plain_descent_is_torchs_with_momentum(momentum):
    steps, rates = gradients(2, torch.float64), torch.tensor([RATE, RATE / 5], dtype=torch.float64)
    pace, half = paced(2, share=0.5, momentum=momentum, dtype=torch.float64)
    found = run(start(2, torch.float64), steps, rates, pace=pace)
    for row in range(2):
        own = torch.nn.Parameter(start(2, torch.float64)[row].clone())
        reference = torch.optim.SGD([own], lr=1.0, momentum=momentum)
        for t, gradient in enumerate(steps[:, row]):
            for group in reference.param_groups:
                group["lr"] = 0.5 * float(rates[row]) * (1 - t / STEPS)
            own.grad = gradient * min(1.0, CLIP / float(gradient.norm()))
            reference.step()
        torch.testing.assert_close(found[row][half], own.detach()[half], rtol=1e-7, atol=1e-7)
    assert torch.equal(found[:, ~half], run(start(2, torch.float64), steps, rates)[:, ~half])


def test_frozen_entries_keep_their_bits_and_count_in_no_norm():
    steps, rates = gradients(2), torch.full((2,), RATE)
    pace, half = paced(2, share=0.0)
    found = run(start(2), steps, rates, pace=pace)
    assert torch.equal(found[:, half], start(2)[:, half])
    broken = torch.where(half, torch.nan, steps)
    assert torch.equal(run(start(2), broken, rates, pace=pace), found)
    alone = run(start(2)[:, ~half], steps[..., ~half], rates)
    torch.testing.assert_close(found[:, ~half], alone, rtol=1e-5, atol=1e-6)


def test_what_one_row_asks_for_changes_no_bit_of_the_others():
    steps, rates = gradients(3), torch.full((3,), RATE)
    share, momentum = torch.ones(3, D), torch.full((3, D), OWN)
    share[1, :20], momentum[1, 30:], share[1, 20:30] = 0.0, 0.5, 3.0
    found, plain = run(start(3), steps, rates, pace=Pace(share, momentum)), run(start(3), steps, rates)
    assert torch.equal(found[[0, 2]], plain[[0, 2]])
    assert not torch.equal(found[1], plain[1])


def test_rows_of_optimisers_are_gathered_with_their_paces():
    steps, rates = gradients(2), torch.full((2,), RATE)
    paces = [
        paced(2, share=0.0)[0],
        Pace(torch.ones(1, D).expand(2, D), torch.full((1, D), OWN).expand(2, D)),
    ]
    mixed = Pace(*(torch.stack([first[0], second[1]]) for first, second in zip(*paces, strict=True)))
    whole = run(start(2), steps, rates, pace=mixed)
    optimisers, parameters = [], []
    for pace in paces:
        optimisers.append(Adam(start(2), pace))
        parameters.append(start(2))
        for t in range(STEPS // 2):
            optimisers[-1].step(parameters[-1], steps[t], rates * (1 - t / STEPS), clip=CLIP)
    optimiser, both = gather(optimisers, [[0], [1]]), torch.stack([parameters[0][0], parameters[1][1]])
    for t in range(STEPS // 2, STEPS):
        optimiser.step(both, steps[t], rates * (1 - t / STEPS), clip=CLIP)
    assert torch.equal(both, whole)
