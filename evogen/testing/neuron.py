"""What every neuron kind does: see `evogen.neurons.Neuron`."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor

from evogen.keys import Key

P, B, N = 3, 2, 16


def arguments(neuron: Any, *, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Return (drive, state, values) of random lives, with the kind's own numbers."""
    rng = Key(0).child("neuron").generator()
    drive, state = (torch.from_numpy(rng.normal(size=(P, B, N))).to(dtype) for _ in range(2))
    numbers = {item.name: float(getattr(neuron, item.name)) for item in dataclasses.fields(neuron)}
    return (
        drive,
        state,
        {name: torch.full((P, 1, N), number, dtype=dtype) for name, number in numbers.items()},
    )


def lived(neuron: Any, drive: Tensor, state: Tensor, values: dict[str, Tensor]) -> Tensor:
    """Return what one step leaves: the new state, or for a spiking kind its firing rate; both (P, B, N)."""
    if neuron.spiking:
        rate: Tensor = neuron.spikes(drive.unsqueeze(1), values).mean(1)
        return rate
    after: Tensor = neuron.step(drive, state, values)
    return after


def keeps_the_axes_and_stays_finite(neuron: Any) -> None:
    """The state keeps axes and number type for a hundred steps."""
    for dtype in (torch.float32, torch.float64):
        drive, state, values = arguments(neuron, dtype=dtype)
        for _ in range(100):
            state = lived(neuron, drive, state, values)
            assert state.shape == (P, B, N)
            assert state.dtype == dtype
        assert state.isfinite().all()


def is_stateful_as_it_says(neuron: Any) -> None:
    """The step depends on the last state exactly if `stateful` is true."""
    drive, state, values = arguments(neuron)
    after = lived(neuron, drive, state, values), lived(neuron, drive, state + 1, values)
    assert torch.equal(*after) != neuron.stateful


def leaves_its_arguments_alone(neuron: Any) -> None:
    """A step is pure: nothing is written in place."""
    drive, state, values = arguments(neuron)
    before = drive.clone(), state.clone()
    lived(neuron, drive, state, values)
    assert torch.equal(drive, before[0])
    assert torch.equal(state, before[1])


def is_local_to_candidates_and_lives(neuron: Any) -> None:
    """What one life of one candidate does, even NaN, changes no bit of any other life."""
    drive, state, values = arguments(neuron)
    first = lived(neuron, drive, state, values)
    drive[1, 0] = torch.nan
    second = lived(neuron, drive, state, values)
    others = torch.ones(P, B, dtype=torch.bool)
    others[1, 0] = False
    assert torch.equal(first[others], second[others])
    assert second[~others].isnan().all()


def lets_gradients_through(neuron: Any) -> None:
    """The gradient in the drive is finite and not all zero."""
    drive, state, values = arguments(neuron, dtype=torch.float64)
    drive.requires_grad_()
    (found,) = torch.autograd.grad(lived(neuron, drive, state, values).sum(), drive)
    assert found.isfinite().all()
    assert found.any()


FACTS = (
    keeps_the_axes_and_stays_finite,
    is_stateful_as_it_says,
    leaves_its_arguments_alone,
    is_local_to_candidates_and_lives,
    lets_gradients_through,
)
