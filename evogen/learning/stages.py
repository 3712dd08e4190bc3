"""Learning stage after stage: minibatch gradient descent on cross-entropy, all rows in one program.

    L_p = -mean_b log softmax(f_p(x_b) over the stage's heads)[y_b] + strength_p G_p(theta_p)

G is the protection of what was learnt in earlier stages (`evogen.learning.protections`), nothing in the
first. Adam begins anew in every stage, at the same learning rate: which stage is the last one is not known
while learning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning import deadline
from evogen.learning.adam import Adam
from evogen.phenotype.pace import Pace
from evogen.tasks import Stage

Respond = Callable[[Tensor, Tensor], Tensor]
"""(P, D) parameters, (P, B, inputs) -> (P, B, outputs), differentiable in the parameters."""

Guard = Callable[[Tensor, int], Tensor]
"""(P, D) parameters, number of the minibatch -> (P,) penalty."""


class Protection(Protocol):
    """What keeps earlier stages from being forgotten."""

    def guard(
        self, state: Any, respond: Respond, keys: Sequence[Key], *, batches: int, size: int
    ) -> Guard | None:
        """Return the penalty of one pass; None: there is none.

        Args:
            state: what was kept, None in the first stage.
            respond: the networks.
            keys: one a row, of this pass.
            batches: minibatches of the pass.
            size: examples in each.
        """
        ...

    def keep(self, state: Any, respond: Respond, flat: Tensor, stage: Stage, keys: Sequence[Key]) -> Any:
        """Return the state after a stage.

        Args:
            state: before it, None after the first stage.
            respond: the networks.
            flat: (P, D) parameters with which the stage ended.
            stage: its training examples.
            keys: one a row, of this stage.
        """
        ...


class Pass(NamedTuple):
    """How one stage is learnt: passes, examples in a minibatch, the largest gradient norm of a row."""

    epochs: int
    batch: int
    clip: float


@dataclass(frozen=True, eq=False)
class Course:
    """What was learnt.

    Attributes:
        after: (P, D) parameters after each stage.
        curve: (P, K) accuracies on each pass's own minibatches.
        seen: examples that each row was shown, rehearsed ones left out.
    """

    after: tuple[Tensor, ...]
    curve: Tensor
    seen: int


def learn(
    respond: Respond,
    flat: Tensor,
    stages: Sequence[Stage],
    keys: Sequence[Key],
    how: Pass,
    *,
    protection: Protection,
    strength: Tensor,
    rate: Tensor,
    pace: Pace | None = None,
) -> Course:
    """Learn stages in their order.

    Args:
        respond: the networks.
        flat: (P, D) parameters at the start; not written into.
        stages: training examples.
        keys: one a row; all of its randomness.
        how: each stage is learnt.
        protection: of earlier stages.
        strength: (P,) weights of its penalty.
        rate: (P,) learning rates.
        pace: shares of the learning rate; None: all take the whole.
    """
    after, curve, seen, state = [], [], 0, None
    flat = flat.detach().clone()
    for number, stage in enumerate(stages):
        optimiser = Adam(flat, pace)
        own = [key.child("stage", number) for key in keys]
        examples = stage.labels.shape[-1]
        size = min(how.batch, examples)
        batches = examples // size
        for epoch in range(how.epochs):
            deadline.check()
            order = _orders(own, epoch, examples).to(flat.device)
            guard = None
            if number:
                rehearsal = [key.child("guard", epoch) for key in own]
                guard = protection.guard(state, respond, rehearsal, batches=batches, size=size)
            hits = torch.zeros(len(keys), device=flat.device, dtype=torch.float64)
            for batch in range(batches):
                index = order[:, batch * size : (batch + 1) * size]  # (P, B)
                moving = flat.requires_grad_()
                loss, correct = loss_of(respond(moving, taken(stage.inputs, index)), stage, index)
                if guard is not None:
                    loss = loss + strength * guard(moving, batch)
                (gradient,) = torch.autograd.grad(loss.sum(), moving)
                flat = flat.detach()
                optimiser.step(flat, gradient, rate, clip=how.clip)
                hits += correct
            curve.append(hits / (batches * size))
            seen += batches * size
        state = protection.keep(state, respond, flat, stage, [key.child("keep") for key in own])
        after.append(flat.clone())
    return Course(tuple(after), torch.stack(curve, 1), seen)


def loss_of(output: Tensor, stage: Stage, index: Tensor) -> tuple[Tensor, Tensor]:
    """Return (P,) mean cross-entropies of (P, B, outputs) outputs, and how many were right."""
    labels = taken(stage.labels, index)
    allowed = output.masked_fill(~stage.heads, -torch.inf)
    chance = torch.log_softmax(allowed, -1).gather(-1, labels.unsqueeze(-1)).squeeze(-1)  # (P, B)
    return -chance.mean(-1), (allowed.argmax(-1) == labels).double().sum(-1)


def taken(part: Tensor, index: Tensor) -> Tensor:
    """Return the examples (P, B, ...) of these (P, B) numbers, of all rows' or each row's own."""
    if part.ndim == (2 if part.is_floating_point() else 1):  # (M, inputs) or (M,): the same for all rows
        return part[index]
    return part[torch.arange(len(index), device=part.device)[:, None], index]


def _orders(keys: Sequence[Key], epoch: int, size: int) -> Tensor:
    drawn = [key.child("epoch", epoch).generator().permutation(size) for key in keys]
    return torch.from_numpy(np.stack(drawn))  # (P, M)
