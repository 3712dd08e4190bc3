"""P recurrent networks with a linear readout: parameters in a row each, training, energy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning.adam import Adam
from evogen.metrics.energy import conductance
from evogen.studies.baselines import Cell, Said
from evogen.tasks import SequenceTask

LARGEST = 4096  # hidden units that `sized` looks at


class Told(NamedTuple):
    """What networks said: outputs (P, B, T, outputs), and (P,) sums |G| z^2 of a step, the readout's too."""

    output: Tensor
    energy: Tensor


@dataclass(frozen=True)
class Model:
    """A cell with a linear readout.

    Attributes:
        cell: the recurrent layer.
        inputs, outputs: of the task.
    """

    cell: Cell
    inputs: int
    outputs: int

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The parameters of one network by name, without P."""
        drawn = self._drawn(Key(0))
        return {name: array.shape for name, array in drawn.items()}

    @property
    def parameters(self) -> int:
        """How many numbers a network learns."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    def start(self, keys: Sequence[Key]) -> Tensor:
        """Return (P, D) initial parameters, each row drawn from its key."""
        rows = [np.concatenate([part.ravel() for part in self._drawn(key).values()]) for key in keys]
        return torch.from_numpy(np.stack(rows)).float()

    def values(self, flat: Tensor) -> dict[str, Tensor]:
        """Return named views of (P, D) parameters."""
        shapes = self.shapes
        parts = torch.split(flat, [math.prod(shape) for shape in shapes.values()], 1)
        return {
            name: part.reshape(len(flat), *shape)
            for (name, shape), part in zip(shapes.items(), parts, strict=True)
        }

    def live(self, flat: Tensor, inputs: Tensor) -> Tensor:
        """Return the outputs (P, B, T, outputs) along sequences (P, B, T, inputs); differentiable."""
        values = self.values(flat)
        said = torch.stack([one.hidden for one in self._steps(values, inputs)], 2)  # (P, B, T, H)
        read = torch.baddbmm(values["out.b"].unsqueeze(1), said.flatten(1, 2), values["out.W"])
        return torch.unflatten(read, 1, said.shape[1:3])

    @torch.no_grad()
    def tell(self, flat: Tensor, inputs: Tensor) -> Told:
        """Return what `live` does, and the energy of a step, the mean over sequences and steps."""
        values, outputs, energy = self.values(flat), [], torch.zeros(len(flat), dtype=torch.float64)
        for said in self._steps(values, inputs):
            outputs.append(torch.baddbmm(values["out.b"].unsqueeze(1), said.hidden, values["out.W"]))
            acted = (*said.synapses, (values["out.W"], said.hidden))
            energy += sum(conductance(weights, signals) for weights, signals in acted)
        return Told(torch.stack(outputs, 2), energy / inputs.shape[2])

    def _steps(self, values: Mapping[str, Tensor], inputs: Tensor) -> list[Said]:
        state, found = self.cell.start(values, inputs.shape[1]), []
        for seen in inputs.unbind(2):
            said = self.cell.step(values, seen, state)
            state = said.state
            found.append(said)
        return found

    def _drawn(self, key: Key) -> dict[str, np.ndarray]:
        rng, hidden = key.generator(), self.cell.hidden
        edge = hidden**-0.5
        readout = {
            "out.W": rng.uniform(-edge, edge, (hidden, self.outputs)),
            "out.b": rng.uniform(-edge, edge, self.outputs),
        }
        return {**self.cell.draw(rng, self.inputs), **readout}


def sized(kind: Callable[[int], Cell], inputs: int, outputs: int, parameters: int) -> Model:
    """Return the model of this kind whose number of parameters is nearest to the one wanted."""
    best = Model(kind(1), inputs, outputs)
    for hidden in range(2, LARGEST):
        model = Model(kind(hidden), inputs, outputs)
        if abs(model.parameters - parameters) > abs(best.parameters - parameters):
            break
        best = model
    return best


def fitted(
    model: Model,
    task: SequenceTask,
    keys: Sequence[Key],
    *,
    updates: int,
    batch: int,
    rate: float,
    clip: float = 1.0,
) -> Tensor:
    """Return (P, D) parameters after Adam on the training fold, as `evogen.learning.bptt` does it.

    Args:
        model: what is trained.
        task: what on.
        keys: one a network: its start and its sequences.
        updates: gradient steps, over which the learning rate falls linearly to zero.
        batch: sequences of a gradient step.
        rate: Adam's step at the start.
        clip: largest gradient norm of a network.
    """
    flat = model.start([key.child("start") for key in keys])
    optimiser = Adam(flat)
    for number in range(updates):
        asked = task.sequences([key.child("update", number) for key in keys], batch, "train")
        flat.requires_grad_()
        loss = task.loss(model.live(flat, asked.inputs), asked)
        (gradient,) = torch.autograd.grad(loss.sum(), flat)
        flat = flat.detach()
        falling = torch.full((len(keys),), rate * (1 - number / updates))
        optimiser.step(flat, gradient, falling, clip=clip)
    return flat
