"""Recurrent baselines that evogen's own parts are compared with: plain torch, batched over P.

A cell is a frozen dataclass with its size. It says which parameters it has, draws them, and makes one step;
`evogen.studies.baselines.model` puts a linear readout on it and trains P of them at once. No operation mixes
rows of P; the last place of a row's numbers may depend on how many there are, for want of padding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Drawn = Mapping[str, NDArray[np.float64]]
Values = Mapping[str, Tensor]
State = tuple[Tensor, ...]


class Synapses(NamedTuple):
    """What acted in a step: conductances (P, pre, post) or (P, B, pre, post), and signals (P, B, pre)."""

    weights: Tensor
    signals: Tensor


class Said(NamedTuple):
    """One step of a cell.

    Attributes:
        hidden: (P, B, H), what the readout hears.
        state: for the next step.
        synapses: of the step, in no order.
    """

    hidden: Tensor
    state: State
    synapses: tuple[Synapses, ...]


class Cell(Protocol):
    """A recurrent layer of H units."""

    @property
    def hidden(self) -> int:
        """H."""
        ...

    def draw(self, rng: np.random.Generator, inputs: int) -> Drawn:
        """Return the initial parameters of one network; their names and shapes are those of all."""
        ...

    def start(self, values: Values, batch: int) -> State:
        """Return the state in which P x B lives start."""
        ...

    def step(self, values: Values, seen: Tensor, state: State) -> Said:
        """Live one step.

        Args:
            values: (P, ...) parameters by name.
            seen: (P, B, inputs).
            state: from `start` or the step before.
        """
        ...


def uniform(
    rng: np.random.Generator, hidden: int, **shapes: tuple[int, ...]
) -> dict[str, NDArray[np.float64]]:
    """Return arrays ~ U(-1/sqrt(H), 1/sqrt(H)), torch's default for recurrent layers."""
    edge = hidden**-0.5
    return {name: rng.uniform(-edge, edge, shape) for name, shape in shapes.items()}


def zeros(values: Values, batch: int, *shape: int) -> Tensor:
    """Return (P, batch, *shape) zeros like the parameters."""
    first = next(iter(values.values()))
    return first.new_zeros(first.shape[0], batch, *shape)
