"""Confusion: what born agents take the examples of the report's fold for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.tasks import ClassificationTask, Fold
from evogen.tasks.digits_life import DigitsLife
from evogen.tasks.play import answers, greedy, hits
from evogen.tasks.table import Table, cut

FOLD = "test"
LIVES = 40_000  # answers, of all agents together


class Confusion(NamedTuple):
    """Counts of examples.

    Attributes:
        counts: (A, class, answer); an agent whose output is not finite gives no answer.
        examples: (class,) in the fold, once for each life; rows of `counts` sum to them.
        scores: (A,) of the agents by the task's own measure.
        lives: of each agent, in all of which it is asked.
        names: of the classes; empty: they are numbers.
    """

    counts: npt.NDArray[np.int64]
    examples: npt.NDArray[np.int64]
    scores: tuple[float, ...]
    lives: int = 1
    names: tuple[str, ...] = ()

    @property
    def recall(self) -> npt.NDArray[np.float64]:
        """(A, class) share of a class's examples that are taken for it; NaN for a class without any."""
        right = np.diagonal(self.counts, axis1=1, axis2=2)
        return np.where(self.examples > 0, right / np.maximum(self.examples, 1), np.nan)


def lives(task: ClassificationTask) -> int:
    """Return how many agents can be shown the whole fold within LIVES."""
    return max(1, LIVES // max(len(task.examples(FOLD)[1]), 1))


def confused(task: ClassificationTask, agents: Network) -> Confusion:
    """Let agents answer to the report's fold."""
    features, labels = task.examples(FOLD)
    output = answers(agents, features)  # (A, M, classes)
    scores = tuple(float(score) for score in task.rate(output, labels.to(agents.device)))
    taken = torch.where(output.isfinite().all(-1), greedy(output), -1)
    names = cut(task)[0].classes if isinstance(task, Table) else ()
    return _counted(taken, labels.expand(agents.rows, -1), task.outputs, scores)._replace(names=names)


def taught(task: DigitsLife, agents: Network, key: Key) -> Confusion:
    """Let agents learn in their lives and answer to the report's fold then."""
    keys = [key.child(agent) for agent in range(agents.rows)]
    output, labels, sane = task.questioned(agents, keys, Fold.REPORT)
    whole = output.isfinite().all(-1) & sane  # (Q, A, B)
    taken = torch.where(whole, greedy(output), -1).movedim(0, -1)  # (A, B, Q)
    right = hits(output, labels.unsqueeze(-1)).mean(0).masked_fill(~sane, torch.nan).mean(-1)
    asked = labels.T.unsqueeze(1).expand(-1, task.lives, -1)
    scores = tuple(float(score) for score in right)
    return _counted(taken.flatten(1), asked.flatten(1), task.outputs, scores)._replace(lives=task.lives)


def _counted(taken: Tensor, labels: Tensor, classes: int, scores: tuple[float, ...]) -> Confusion:
    """Count the answers (A, M), -1 where there is none, to examples with these labels (A, M)."""
    answered, asked = taken.cpu().numpy(), labels.cpu().numpy()
    counts = np.zeros((len(answered), classes, classes), dtype=np.int64)
    for own, given, wanted in zip(counts, answered, asked, strict=True):
        np.add.at(own, (wanted[given >= 0], given[given >= 0]), 1)
    return Confusion(counts, np.bincount(asked[0], minlength=classes), scores)
