"""What a learner from replayed experience keeps: a ring of transitions, random numbers in blocks, returns.

Every candidate has its own ring, but all rings fill at the same pace, so one position serves the cohort.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype.rows import rowwise


class Transitions(NamedTuple):
    """M steps of P candidates.

    Attributes:
        observation: (P, M, inputs), what the action answered.
        action: (P, M) int64.
        reward: (P, M).
        terminated: (P, M) bool; a truncated step is not terminated.
        after: (P, M, inputs), the observation that followed, before any reset.
    """

    observation: Tensor
    action: Tensor
    reward: Tensor
    terminated: Tensor
    after: Tensor


@rowwise()
class Replay:
    """The last `capacity` transitions of P candidates; the oldest are overwritten."""

    def __init__(self, capacity: int, copies: int) -> None:
        """Begin empty.

        Args:
            capacity: transitions of each candidate, rounded down to a multiple of `copies` (at least one).
            copies: transitions of each candidate in one `add`.
        """
        self._copies = copies
        self._capacity = max(capacity // copies, 1) * copies
        self._kept: Transitions | None = None
        self._added = 0

    def __len__(self) -> int:
        """Transitions held of each candidate."""
        return min(self._added, self._capacity)

    def add(self, step: Transitions) -> None:
        """Keep one step of every environment, (P, copies, ...)."""
        if self._kept is None:
            self._kept = Transitions(*(self._room(part) for part in step))
        at = self._added % self._capacity
        for kept, part in zip(self._kept, step, strict=True):
            kept[:, at : at + self._copies] = part
        self._added += self._copies

    def take(self, index: Tensor) -> Transitions:
        """Return each candidate's own choice, (P, M) positions below the length."""
        assert self._kept is not None
        row = torch.arange(len(index), device=index.device).unsqueeze(1)
        return Transitions(*(part[row, index] for part in self._kept))

    def _room(self, part: Tensor) -> Tensor:
        return part.new_zeros(len(part), self._capacity, *part.shape[2:])


@rowwise()
class Stream:
    """Uniform numbers of P candidates, `block` draws at a time.

    Draw t of a row is entry t mod `block` of what the row's key gives for its child (name, t // block).
    """

    def __init__(self, keys: Sequence[Key], name: str, *, shape: tuple[int, ...], block: int) -> None:
        """Begin at the first draw.

        Args:
            keys: one a row.
            name: of the stream.
            shape: of one draw of one row.
            block: draws made together.
        """
        self._keys, self._name, self._shape, self._block = list(keys), name, (block, *shape), block
        self._drawn = 0
        self._numbers = torch.zeros(())

    def draw(self, device: torch.device) -> Tensor:
        """Return the next draw of every row, (P, *shape) float64 ~ U[0, 1)."""
        block, at = divmod(self._drawn, self._block)
        if at == 0:
            generators = [key.child(self._name, block).generator() for key in self._keys]
            numbers = np.stack([generator.random(self._shape) for generator in generators])
            self._numbers = torch.from_numpy(numbers).to(device)  # (P, block, *shape)
        self._drawn += 1
        return self._numbers[:, at]


@rowwise()
class Returns:
    """Mean return of the episodes that ended since one last asked."""

    def __init__(self, rows: int, copies: int, device: torch.device) -> None:
        """Begin with B = copies episodes of each of P candidates."""
        self._carried = torch.zeros(rows, copies, dtype=torch.float64, device=device)
        self._sum, self._count, self._latest = (torch.zeros_like(self._carried[:, 0]) for _ in range(3))

    def add(self, reward: Tensor, ended: Tensor) -> None:
        """Count one step: (P, B) rewards, and which episodes it ended."""
        self._carried = self._carried + reward
        self._sum = self._sum + self._carried.masked_fill(~ended, 0.0).sum(1)
        self._count = self._count + ended.sum(1)
        self._carried = self._carried.masked_fill(ended, 0.0)

    def close(self) -> Tensor:
        """Return (P,) means and begin anew; where no episode ended, the last such mean (0 before any)."""
        self._latest = torch.where(self._count > 0, self._sum / self._count.clamp_min(1), self._latest)
        self._sum, self._count = torch.zeros_like(self._sum), torch.zeros_like(self._count)
        return self._latest
