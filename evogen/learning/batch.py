"""Batch: the part of a rollout that one policy update looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning.rollout import forget
from evogen.phenotype import Network, State


@dataclass(frozen=True, eq=False)
class Batch:
    """Steps of a rollout with their advantages.

    All tensors are (P, T, B, ...) as played, or (P, M, ...) with M = T B once flattened.

    Attributes:
        observation, action, chance: see Rollout.
        advantage: normalised to mean 0 and std 1 over each candidate's rollout.
        target: what the critic, or the candidate itself, should have said.
        first: the step is the first of its episode.
        memory: state of the network before the first step, a row an agent; empty for a stateless network.
        lives: B, remembered when flattened, 0 before.
    """

    observation: Tensor
    action: Tensor
    chance: Tensor
    advantage: Tensor
    target: Tensor
    first: Tensor
    memory: State
    lives: int = 0

    def flatten(self) -> Batch:
        """Return the batch with steps and lives on one axis; a flat batch as it is."""
        if self.lives:
            return self
        return replace(self._each(lambda part: part.flatten(1, 2)), lives=self.advantage.shape[2])

    def regroup(self, rows: int) -> Batch:
        """Return an unflattened batch with a candidate's lives (axis 2) split over `rows` / P rows."""

        def split(part: Tensor) -> Tensor:
            copies = rows // part.shape[0]
            apart = part.reshape(*part.shape[:2], copies, -1, *part.shape[3:])
            return apart.transpose(1, 2).flatten(0, 1)  # (rows, T, B / copies, ...)

        return self._each(split)

    def take(self, order: Tensor, axis: int) -> Batch:
        """Return the batch with each row's entries on `axis` in its own order, (P, entries)."""

        def pick(part: Tensor, at: int) -> Tensor:
            index = order.reshape(
                order.shape[:1] + (1,) * (at - 1) + order.shape[1:] + (1,) * (part.ndim - at - 1)
            )
            return part.gather(at, index.expand(part.shape))

        memory = {name: pick(part, 1) for name, part in self.memory.items()}
        return replace(self._each(lambda part: pick(part, axis)), memory=memory)

    def cut(self, start: int, size: int, axis: int) -> Batch:
        """Return `size` consecutive entries on `axis`; on the lives' axis (2), of the memory too."""
        memory = {name: part.narrow(1, start, size) for name, part in self.memory.items()}
        return replace(self._each(lambda part: part.narrow(axis, start, size)), memory=memory)

    def replay(self, network: Network) -> Tensor:
        """Return the outputs (P, M, outputs) to a flat batch, lived through again if there is memory."""
        if not self.memory:
            return network.forward(self.observation)
        memory, outputs = self.memory, []
        observation = torch.unflatten(self.observation, 1, (-1, self.lives))  # (P, T, B, inputs)
        first = torch.unflatten(self.first, 1, (-1, self.lives))
        for t in range(observation.shape[1]):
            if t:
                memory = forget(memory, first[:, t])
            output, memory = network.step(observation[:, t], memory)
            outputs.append(output)
        return torch.stack(outputs, 1).flatten(1, 2)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        return replace(
            self,
            observation=change(self.observation),
            action=change(self.action),
            chance=change(self.chance),
            advantage=change(self.advantage),
            target=change(self.target),
            first=change(self.first),
        )


def sharing(environments: int, minibatches: int, *, memory: bool) -> int:
    """Return how many agents of a candidate live in so many environments: one each.

    But a replayed life is cut over environments, so with memory as many share an agent as there are parts.
    """
    if not memory:
        return environments
    most = environments // minibatches
    return max(count for count in range(1, most + 1) if environments % count == 0)


def parts(batch: Batch, keys: Sequence[Key], *, epochs: int, minibatches: int) -> Iterator[Batch]:
    """Yield the flat minibatches of several passes, each row's entries in an order of its own.

    Steps are shuffled, or, where there is memory, whole lives; what does not fill a part is left out.

    Args:
        batch: unflattened, its rows the agents of the candidates in order.
        keys: one a candidate.
        epochs: passes.
        minibatches: parts of a pass.
    """
    axis = 2 if batch.memory else 1
    whole = batch if batch.memory else batch.flatten()
    rows, entries = whole.first.shape[0], whole.first.shape[axis]
    size = entries // minibatches
    generators = [key.generator() for key in keys for _ in range(rows // len(keys))]
    for _ in range(epochs):
        order = np.stack([generator.permutation(entries) for generator in generators])
        mixed = whole.take(torch.from_numpy(order).to(whole.first.device), axis)
        for number in range(minibatches):
            yield mixed.cut(number * size, size, axis).flatten()
