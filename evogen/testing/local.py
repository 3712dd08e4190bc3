"""What every error source and every phase schedule does: see `evogen.learning.errors` and `.schedules`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from evogen.errors import SpecError
from evogen.learning.local import Local
from evogen.registry import known
from evogen.tasks import ClassificationTask, TaskKind
from evogen.testing import tiny

EXAMPLES = 12


def finds_updates_of_every_weight_and_bias(part: Any) -> None:
    """Updates are finite and shaped as what they change."""
    for learner in _learners(part):
        phenotype = tiny.phenotype(tiny.TASKS[TaskKind.CLASSIFICATION])
        network = phenotype.network(phenotype.flat)
        for wanted, found in zip((*network.weights, *network.biases), updates(learner), strict=True):
            assert found.shape == wanted.shape
            assert found.isfinite().all()


def updates_a_candidate_alone_as_in_company(part: Any) -> None:
    """A candidate's update is the one it has alone, to the last bit."""
    for learner in _learners(part):
        for one, all_ in zip(updates(learner, [1]), updates(learner), strict=True):
            assert torch.equal(one[0], all_[1])


def keeps_a_broken_candidate_to_itself(part: Any) -> None:
    """A candidate whose parameters are NaN changes no bit of the others."""
    for learner in _learners(part):
        for broken, sound in zip(updates(learner, broken=1), updates(learner), strict=True):
            assert torch.equal(broken[[0, 2]], sound[[0, 2]])


def updates(learner: Local, numbers: Sequence[int] = (0, 1, 2), broken: int | None = None) -> list[Tensor]:
    """Return what a learner asks of the tiny candidates of these numbers at some examples."""
    task = cast("ClassificationTask", tiny.TASKS[TaskKind.CLASSIFICATION])
    phenotype = tiny.phenotype(task, numbers)
    flat = phenotype.flat.clone()
    if broken is not None:
        flat[broken] = torch.nan
    x, y = (part[:EXAMPLES].expand(len(numbers), *part[:EXAMPLES].shape) for part in task.examples("train"))
    fixed = learner.fixed(phenotype, tiny.keys(numbers))
    return learner.updates(phenotype.network(flat).detach(), x, y, fixed)[0]


def _learners(part: Any) -> list[Local]:
    """Return a learner for every partner that a part can work with; there is one at least."""
    found = []
    for kind, name in (("schedule", "error"), ("error", "schedule")):
        if type(part) not in known(name).values():
            continue
        for partner in known(kind).values():
            learner = dataclasses.replace(Local(), **{name: part, kind: partner()})
            try:
                learner.schedule.check(learner.error)
            except SpecError:
                continue
            found.append(learner)
    assert found
    return found


FACTS = (
    finds_updates_of_every_weight_and_bias,
    updates_a_candidate_alone_as_in_company,
    keeps_a_broken_candidate_to_itself,
)
