"""Firing: from what reaches the neurons of a level to what they say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from evogen.neurons import Contacts, Seen, SpikingNeuron
from evogen.neurons.activations import ACTIVATIONS
from evogen.phenotype.layout import NEURON, Layout, Level
from evogen.phenotype.traits import Traits, fields
from evogen.registry import find

LANES = 32  # numbers that torch computes together, at most


class Arrived(NamedTuple):
    """What reaches a level in a step.

    Attributes:
        drive: summed input and bias, (P, B, N).
        inputs: what the task's input neurons fire, (P, B, I).
        contacts: activity (P, B, M) of all that the level hears, weights (P, M, N) and bias (P, 1, N); None
            where no neuron weighs its inputs itself.
    """

    drive: Tensor
    inputs: Tensor
    contacts: tuple[Tensor, Tensor, Tensor] | None = None


def memory(layout: Layout, at: int, kind: str) -> dict[str, tuple[int, ...]]:
    """Return what neurons of a kind remember at a level: name to shape, without (P, B)."""
    heard = sum(layout.levels[link.pre].size for link in layout.links if link.post == at)
    lengths = {"neurons": layout.levels[at].size, "inputs": layout.levels[0].size, "sources": heard}
    return {
        name: tuple(lengths[axis] if isinstance(axis, str) else axis for axis in shape)
        for name, shape in find("neuron", kind).nature.remembers.items()
    }


def synaptic(level: Level) -> bool:
    """Return whether some neurons of a level weigh their inputs themselves."""
    return any(find("neuron", kind).nature.synaptic for kind in level.neurons)


def live(level: Level, traits: Traits, at: int, arrived: Arrived, new: dict[str, Tensor]) -> Tensor:
    """Return what the neurons without ticks of level `at` say, (P, B, N).

    Args:
        level: that level.
        traits: of the network.
        at: number of the level.
        arrived: what reaches it.
        new: state of the life; that of this level is replaced.
    """
    if level.neurons == (NEURON,):  # whose potential is its drive
        return fire(traits, at, arrived.drive)
    total: Tensor | None = None
    for kind in level.neurons:
        potential = _stepped(f"{at}.{kind}", kind, traits, arrived, new)
        if len(level.neurons) > 1:
            name = f"{at}.{kind}"
            potential = potential * traits.neuron[name]
        total = potential if total is None else total + potential
    assert total is not None
    return fire(traits, at, total)


def _stepped(name: str, kind: str, traits: Traits, arrived: Arrived, new: dict[str, Tensor]) -> Tensor:
    """Return the potential of the neurons of one kind; their state in `new` is replaced."""
    unit: Any = find("neuron", kind)()
    values, own = fields(traits.neuron, name), traits.neuron[name]
    state = {item: new[f"{name}.{item}"] for item in unit.nature.remembers}
    if unit.nature.synaptic:
        assert arrived.contacts is not None
        potential, after = unit.step(Contacts(*arrived.contacts, own), state, values)
    else:
        potential, after = unit.step(Seen(arrived.drive, own, arrived.inputs), state, values)
    new |= {f"{name}.{item}": part for item, part in after.items()}
    found: Tensor = potential
    return found


def spike(
    level: Level, traits: Traits, at: int, current: Tensor, arrived: Arrived | None, new: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """Return the mean activity (P, B, N) of a spiking level, and that at each tick (P, T or 1, B, N).

    Args:
        level: that level.
        traits: of the network.
        at: number of the level.
        current: into the level at each tick, (P, T or 1, B, N).
        arrived: what reaches its neurons without ticks in a step, on average; None if it has none.
        new: state of the life.
    """
    each = mean = None
    if arrived is not None:
        mean = live(level, traits, at, arrived, new)
        each = mean.unsqueeze(1)  # (P, 1, B, N)
    for kind in level.spiking:
        name = f"{at}.{kind}"
        spikes = spiking(kind).spikes(current, fields(traits.neuron, name))  # (P, T, B, N)
        rate = spikes.mean(1)  # exact: a sum of few zeros and ones
        if each is None or mean is None:
            each, mean = spikes, rate
            continue
        mask = traits.neuron[name] > 0
        each, mean = torch.where(mask.unsqueeze(1), spikes, each), torch.where(mask, rate, mean)
    assert each is not None
    assert mean is not None
    return mean, each


def fire(traits: Traits, at: int, potential: Tensor) -> Tensor:
    """Return the activation functions of level `at` at its potentials (P, B, N)."""
    functions = traits.functions[at]
    if len(functions) == 1:
        return ACTIVATIONS[functions[0]](potential)
    masks = tuple(traits.activation[f"{at}.{name}"] for name in functions)
    if not torch.compiler.is_compiling() and potential.shape[1] % LANES == 0:  # traced: for any batch
        return _apart(functions, masks, potential)
    first, *others = functions
    activity = ACTIVATIONS[first](potential)
    for name, mask in zip(others, masks[1:], strict=True):
        # where, not a product: a neuron's bits are those of its own function alone
        activity = torch.where(mask, ACTIVATIONS[name](potential), activity)
    return activity


def spiking(kind: str) -> SpikingNeuron:
    """Return the neuron kind of this name that spikes."""
    unit: SpikingNeuron = find("neuron", kind)()
    return unit


class _Straight(torch.autograd.Function):
    """Returns its input; the gradient comes back contiguous, as where all neurons have one function.

    A transposed one would go through other products of matrices, and come out with other bits.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, potential: Tensor) -> Tensor:  # noqa: ARG004
        """Return a view of the input."""
        return potential.view_as(potential)

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> Tensor:  # noqa: ARG004
        """Return the gradient, laid out in order."""
        return gradients[0].contiguous()


def _apart(functions: Sequence[str], masks: tuple[Tensor, ...], potential: Tensor) -> Tensor:
    """Let each function see its own neurons alone, which is four times as fast, with the same bits.

    torch computes what does not fill its vectors by other formulas: the batch must be a multiple of LANES.
    """
    rows, batch, neurons = potential.shape
    own, back = _sorted(masks, rows)
    straight: Tensor = _Straight.apply(potential)  # type: ignore[no-untyped-call]
    lines = straight.transpose(1, 2).reshape(rows * neurons, batch)  # (P N, B)
    parts = [
        ACTIVATIONS[name](lines.index_select(0, members))
        for name, members in zip(functions, own, strict=True)
    ]
    activity = torch.cat(parts).index_select(0, back).view(rows, neurons, batch)
    return activity.transpose(1, 2).contiguous()  # (P, B, N)


@lru_cache(maxsize=64)
def _sorted(masks: tuple[Tensor, ...], rows: int) -> tuple[tuple[Tensor, ...], Tensor]:
    """Return which of P N neurons have each function, and where each neuron comes among them.

    Padding takes the first function. Tensors are told apart by identity; the cache keeps them alive.

    Args:
        masks: (P, 1, N) or (1, 1, N) bool, one a function.
        rows: P.
    """
    flat = [mask.expand(rows, -1, -1).reshape(-1) for mask in masks]
    flat[0] = ~torch.stack(flat[1:]).any(0)
    own = tuple(torch.nonzero(mask)[:, 0] for mask in flat)
    return own, torch.argsort(torch.cat(own))
