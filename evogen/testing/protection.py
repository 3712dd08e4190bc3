"""What every protection against forgetting does: see `evogen.learning.stages.Protection`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from evogen.learning.protections.none import Unprotected
from evogen.learning.stages import Pass, Respond, learn
from evogen.phenotype import Phenotype
from evogen.tasks import Stage, TaskKind
from evogen.testing import tiny

TASK = tiny.TASKS[TaskKind.CONTINUAL]


def keeps_rows_apart(protection: Any) -> None:
    """A penalty has a finite number a row, with a gradient in that row only, the same alone as in company."""
    together, slope = _penalty(protection, (0, 1, 2))
    alone, own = _penalty(protection, (1,))
    assert together.shape == (3,)
    assert together.isfinite().all()
    assert torch.equal(alone[0], together[1])
    assert torch.equal(own[0], slope[1])


def changes_no_first_stage(protection: Any) -> None:
    """Nothing is protected before something was learnt, whatever the strength."""
    assert torch.equal(_learnt(protection, 0.0, stages=1), _learnt(protection, 5.0, stages=1))


def weighs_nothing_without_strength(protection: Any) -> None:
    """At strength 0 later stages are learnt as without it."""
    assert torch.equal(_learnt(protection, 0.0, stages=2), _learnt(Unprotected(), 1.0, stages=2))


def _stages() -> list[Stage]:
    return [TASK.stage(number, "train") for number in range(2)]  # type: ignore[attr-defined]


def _penalty(protection: Any, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return the penalty at other parameters than those kept, (P,), and its gradient (P, D)."""
    found, keys = tiny.phenotype(TASK, rows), tiny.keys(rows)
    respond = _respond(found)
    state = protection.keep(None, respond, found.flat, _stages()[0], [key.child("keep") for key in keys])
    guard = protection.guard(state, respond, keys, batches=3, size=8)
    moved = (found.flat + 0.1).requires_grad_()
    if guard is None:
        return torch.zeros(len(rows)), torch.zeros_like(found.flat)
    penalty = guard(moved, 1)
    (slope,) = torch.autograd.grad(penalty.sum(), moved)
    return penalty.detach(), slope


def _learnt(protection: Any, strength: float, *, stages: int) -> Tensor:
    found = tiny.phenotype(TASK)
    course = learn(
        _respond(found),
        found.flat,
        _stages()[:stages],
        tiny.keys(),
        Pass(epochs=1, batch=8, clip=1.0),
        protection=protection,
        strength=torch.full((3,), strength),
        rate=torch.full((3,), 0.01),
    )
    return course.after[-1]


def _respond(found: Phenotype) -> Respond:
    def respond(flat: Tensor, inputs: Tensor) -> Tensor:
        return found.network(flat).forward(inputs)

    return respond


FACTS = (keeps_rows_apart, changes_no_first_stage, weighs_nothing_without_strength)
