"""Lives of neurons of one kind, without a network around them."""

import dataclasses

import torch

from evogen.neurons import Seen


def values_of(kind, **numbers):
    """A kind's numbers, each (1, 1, 1) float64: its own, or these; what it owns as it is born."""
    found = {item.name: getattr(kind, item.name) for item in dataclasses.fields(kind)}
    found |= {name: own.mean for name, own in kind.nature.owns.items()}
    return {
        name: torch.full((1, 1, 1), float(value), dtype=torch.float64)
        for name, value in (found | numbers).items()
    }


def live(kind, drives, values):
    """What one neuron of a kind without ticks says at these drives, (T,), and what it remembers each step."""
    state = {name: torch.zeros(1, 1, 1).double() for name in kind.nature.remembers}
    said, kept = [], []
    for drive in drives:
        found, state = kind.step(seen(drive.view(1, 1, 1)), state, values)
        said.append(found.view(()))
        kept.append(state)
    return torch.stack(said), kept


def seen(drive, inputs=None):
    """What reaches neurons that are all of one kind."""
    return Seen(drive, torch.ones_like(drive[:, :1]), drive if inputs is None else inputs)
