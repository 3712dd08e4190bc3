"""What every neuron kind does: see `evogen.neurons`."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.neurons import Contacts, Seen, Shape

P, B, N, I, M = 3, 2, 16, 5, 12
OWN = 13  # neurons of the level that are of the kind; the rest is padding
LENGTHS = {"neurons": N, "inputs": I, "sources": M}


class Case(NamedTuple):
    """Random lives: what reaches a level's neurons, what they remember, their numbers and what they own."""

    drive: Tensor
    inputs: Tensor
    pre: Tensor
    weight: Tensor
    state: dict[str, Tensor]
    values: dict[str, Tensor]

    @property
    def arrived(self) -> tuple[Tensor, ...]:
        """What reaches the neurons, all of it with the axes (P, B)."""
        return self.drive, self.inputs, self.pre


def _sizes(shape: Shape) -> tuple[int, ...]:
    return tuple(LENGTHS[axis] if isinstance(axis, str) else axis for axis in shape)


def case(neuron: Any, *, dtype: torch.dtype = torch.float32) -> Case:
    """Return random lives with the kind's own numbers; in padding, what neurons own is 0."""
    rng = Key(0).child("neuron").generator()

    def drawn(*shape: int) -> Tensor:
        return torch.from_numpy(rng.normal(size=shape)).to(dtype)

    drive = drawn(P, B, N)
    nature = neuron.nature
    remembered = {name: drawn(P, B, *_sizes(shape)) for name, shape in nature.remembers.items()}
    numbers = {item.name: float(getattr(neuron, item.name)) for item in dataclasses.fields(neuron)}
    values = {name: torch.full((P, 1, N), number, dtype=dtype) for name, number in numbers.items()}
    own = _own(dtype)
    for name, item in nature.owns.items():
        part = item.mean + (0.1 + item.deviation) * drawn(P, *(_sizes(item.shape) or (1,)), N)
        values[name] = part * (own if part.ndim == 3 else own.unsqueeze(1))
    weight = drawn(P, M, N) * own
    return Case(drive, drawn(P, B, I), drawn(P, B, M), weight, remembered, values)


def _own(dtype: torch.dtype) -> Tensor:
    own = torch.zeros(P, 1, N, dtype=dtype)
    own[..., :OWN] = 1
    return own


def lived(neuron: Any, of: Case) -> tuple[Tensor, dict[str, Tensor]]:
    """Return what one step gives, (P, B, N), and leaves; of a kind with ticks its firing rate."""
    own = _own(of.drive.dtype)
    if neuron.nature.spiking:
        return neuron.spikes(of.drive.unsqueeze(1), of.values).mean(1), {}
    seen = Seen(of.drive, own, of.inputs)
    contacts = Contacts(of.pre, of.weight, of.weight[:, :1], own)
    found, state = neuron.step(contacts if neuron.nature.synaptic else seen, of.state, of.values)
    return found, dict(state)


def keeps_the_axes_and_stays_finite(neuron: Any) -> None:
    """What it gives and remembers keeps axes and number type for a hundred steps."""
    for dtype in (torch.float32, torch.float64):
        of = case(neuron, dtype=dtype)
        for _ in range(100):
            found, state = lived(neuron, of)
            assert found.shape == (P, B, N)
            assert found.dtype == dtype
            assert found.isfinite().all()
            assert {name: part.shape for name, part in state.items()} == {
                name: part.shape for name, part in of.state.items()
            }
            assert all(part.dtype == dtype and part.isfinite().all() for part in state.values())
            of = of._replace(state=state)


def remembers_what_it_says(neuron: Any) -> None:
    """Two steps with other memories differ exactly if it remembers anything; without ticks, at least."""
    of = case(neuron)
    other = of._replace(state={name: part + 1 for name, part in of.state.items()})
    assert bool(neuron.nature.remembers) != same(lived(neuron, of), lived(neuron, other))


def same(first: tuple[Tensor, dict[str, Tensor]], second: tuple[Tensor, dict[str, Tensor]]) -> bool:
    """Return whether two steps gave and left the same, bit for bit."""
    parts = zip(first[1].values(), second[1].values(), strict=True)
    return torch.equal(first[0], second[0]) and all(torch.equal(*pair) for pair in parts)


def leaves_its_arguments_alone(neuron: Any) -> None:
    """A step is pure: nothing is written in place."""
    of, before = case(neuron), case(neuron)
    lived(neuron, of)
    assert all(torch.equal(*pair) for pair in zip(of.arrived, before.arrived, strict=True))
    assert all(torch.equal(part, before.state[name]) for name, part in of.state.items())
    assert all(torch.equal(part, before.values[name]) for name, part in of.values.items())


def is_local_to_candidates_and_lives(neuron: Any) -> None:
    """What one life of one candidate does, even NaN, changes no bit of any other life."""
    of = case(neuron)
    first, left = lived(neuron, of)
    for part in of.arrived:
        part[1, 0] = torch.nan
    second, after = lived(neuron, of)
    others = torch.ones(P, B, dtype=torch.bool)
    others[1, 0] = False
    assert torch.equal(first[others], second[others])
    assert all(torch.equal(part[others], after[name][others]) for name, part in left.items())
    assert second[~others][..., :OWN].isnan().all()


def lives_alone_as_in_company(neuron: Any) -> None:
    """A candidate gives and leaves alone, bit for bit, what it does in a cohort."""
    of = case(neuron)
    found, left = lived(neuron, of)
    one = slice(1, 2)

    def repeated(part: Tensor) -> Tensor:
        return part[one].expand(P, *part.shape[1:]).clone()

    alone = Case(
        repeated(of.drive),
        repeated(of.inputs),
        repeated(of.pre),
        repeated(of.weight),
        {name: repeated(part) for name, part in of.state.items()},
        {name: repeated(part) for name, part in of.values.items()},
    )
    beside, after = lived(neuron, alone)
    assert torch.equal(found[1], beside[2])
    assert all(torch.equal(part[1], after[name][2]) for name, part in left.items())


def lets_gradients_through(neuron: Any) -> None:
    """The gradients in what arrives and in all that it owns are finite; that in what arrives is not 0."""
    of = case(neuron, dtype=torch.float64)
    owned = [of.values[name] for name in neuron.nature.owns]
    wanted = [*of.arrived, *owned]
    for part in wanted:
        part.requires_grad_()
    total = torch.zeros((), dtype=torch.float64)
    for _ in range(3):  # memories may begin to matter later only
        found, state = lived(neuron, of)
        total = total + found.square().sum() + found.sum()
        of = of._replace(state=state)
    grads = torch.autograd.grad(total, wanted, allow_unused=True)
    assert all(part is None or part.isfinite().all() for part in grads)
    assert any(part is not None and part.any() for part in grads[:3])
    assert all(part is not None and part.any() for part in grads[3:])


FACTS = (
    keeps_the_axes_and_stays_finite,
    remembers_what_it_says,
    leaves_its_arguments_alone,
    is_local_to_candidates_and_lives,
    lives_alone_as_in_company,
    lets_gradients_through,
)
