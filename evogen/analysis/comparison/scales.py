"""Scales: the scores of several tasks brought to one measure.

0 and 1 are the ends of a stated range of the task, or the lowest and highest score that any run has there.
Ranks, and so the claims, do not depend on it. Where a failed run needs a number (means, not ranks), it has
the lower end of the range, or the lowest score of any run on that task, whichever is lower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evogen.analysis.comparison.arms import Arm
from evogen.analysis.statistics import Values
from evogen.errors import RunError


@dataclass(frozen=True)
class Scale:
    """How scores of a task are shown beside those of other tasks: (score - zero) / (one - zero).

    Attributes:
        zero, one: of the scale.
        lowest: what a failed run counts as in means, as a score.
        stated: whether somebody stated the range.
    """

    zero: float
    one: float
    lowest: float
    stated: bool

    def of(self, scores: Values) -> Values:
        """Return scores on the scale."""
        return (scores - self.zero) / (self.one - self.zero)

    def filled(self, scores: Values) -> Values:
        """Return scores with the lowest in the place of those that failed."""
        return np.where(np.isneginf(scores), self.lowest, scores)


def scale_of(task: str, arms: Sequence[Arm], stated: tuple[float, float] | None) -> Scale:
    """Return the scale of a task: the stated range, or from the lowest to the highest score of any run.

    Raises:
        RunError: no run has a score.
    """
    every = np.array([trial.score for arm in arms for trial in arm.trials[task]])
    finite = every[np.isfinite(every)]
    if not len(finite):
        raise RunError(f"no run on {task} has a score: there is nothing to compare")
    if stated is not None:
        return Scale(*stated, min(stated[0], float(finite.min())), stated=True)
    low, high = float(finite.min()), float(finite.max())
    return Scale(low, high if high > low else low + 1.0, low, stated=False)


def scores_of(arm: Arm) -> dict[str, Values]:
    """Return the scores of an arm by task, in the order of its seeds."""
    return {task: np.array([trial.score for trial in trials]) for task, trials in arm.trials.items()}
