"""Comparison of arms: what every run came to, what is claimed, and how far that can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from evogen.analysis import statistics
from evogen.analysis.comparison import fairness
from evogen.analysis.comparison.arms import Arm
from evogen.analysis.comparison.contrasts import Contrast, contrasts
from evogen.analysis.comparison.fairness import Budget, Unfinished
from evogen.analysis.comparison.scales import Scale, scale_of, scores_of
from evogen.analysis.comparison.trials import Score, Trial
from evogen.analysis.statistics import Interval, Reached, Values
from evogen.errors import RunError
from evogen.keys import Key

_LEVELS = 101
_KEY = Key(0).child("report", "compare")


@dataclass(frozen=True)
class Options:
    """How a comparison is made.

    Attributes:
        by: what stands for a run.
        against: the arm that all others are compared with; None compares all pairs.
        unfinished: what becomes of runs that are not finished.
        anyway: whether arms with other tasks or budgets are compared, which is then said.
        ranges: by task, the scores that become 0 and 1.
        thresholds: by task, the fitness whose reaching is shown; the task's own by default.
    """

    by: Score = Score.FRESH
    against: str | None = None
    unfinished: Unfinished = Unfinished.REFUSED
    anyway: bool = False
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """How an arm did.

    Attributes:
        arm: which.
        scores: by task, one a seed, in the order of the seeds; `-inf` where it failed.
        middle: interquartile mean over all runs, on the scale, failed ones as the lowest.
        by_task: the same by task, as scores.
        profile: share of runs above each level, and the ends of its interval.
        reached: by task, when the fitness reached the threshold; a task without one is left out.
    """

    arm: Arm
    scores: Mapping[str, Values]
    middle: Interval
    by_task: Mapping[str, Interval]
    profile: tuple[Values, Values, Values]
    reached: Mapping[str, Reached]


@dataclass(frozen=True)
class Comparison:
    """All that is said of some arms.

    Attributes:
        tasks: that every arm has runs on.
        scales: by task.
        levels: of the profiles, on the scale.
        standings: one an arm.
        contrasts: one a comparison that was made.
        budgets: what was spent.
        thresholds: by task.
        measured: what the scores were measured on.
        loud: what a reader has to know first.
        options: how it was made.
    """

    tasks: tuple[str, ...]
    scales: Mapping[str, Scale]
    levels: Values
    standings: tuple[Standing, ...]
    contrasts: tuple[Contrast, ...]
    budgets: tuple[Budget, ...]
    thresholds: Mapping[str, float]
    measured: str
    loud: tuple[str, ...]
    options: Options

    @property
    def scaled(self) -> bool:
        """Whether the middle of an arm is on a scale, and no score."""
        return len(self.tasks) > 1 or any(scale.stated for scale in self.scales.values())


def compare(arms: Sequence[Arm], options: Options) -> Comparison:
    """Compare arms.

    Raises:
        RunError: fewer than two arms, a run without a score, or arms that cannot be compared honestly.
    """
    if options.against is not None and options.against not in (known := [arm.name for arm in arms]):
        raise RunError(f"--against {options.against}: no such arm; there are: {', '.join(known)}")
    arms, said = fairness.settled(arms, options.unfinished)
    spent = fairness.budgets(arms)
    objections = fairness.objections(arms, spent)
    if objections and not options.anyway:
        raise RunError(
            "; ".join(objections) + "; give --anyway to compare them all the same, which is then said"
        )
    tasks = [task for task in arms[0].trials if all(task in arm.trials for arm in arms)]
    if not tasks:
        raise RunError("the arms have no task in common, so nothing can be compared")
    scales = {task: scale_of(task, arms, options.ranges.get(task)) for task in tasks}
    scaled = len(tasks) > 1 or any(scale.stated for scale in scales.values())
    levels = _levels(arms, scales if scaled else {})
    thresholds = _thresholds(arms, tasks, options)
    return Comparison(
        tasks=tuple(tasks),
        scales=scales,
        levels=levels,
        standings=tuple(_standing(arm, scales, levels, thresholds, scaled=scaled) for arm in arms),
        contrasts=contrasts(arms, scales, options.against, _KEY),
        budgets=spent,
        thresholds=thresholds,
        measured="; ".join(dict.fromkeys(_measures(arms, tasks))),
        loud=tuple(
            [f"compared all the same: {text}" for text in objections]
            + said
            + fairness.warnings(arms, spent, options.by)
        ),
        options=options,
    )


def _levels(arms: Sequence[Arm], scales: Mapping[str, Scale]) -> Values:
    every = [
        (scales[task].of(scores) if task in scales else scores)
        for arm in arms
        for task, scores in scores_of(arm).items()
        if not scales or task in scales
    ]
    finite = np.concatenate(every)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return np.zeros(1)
    low, high = float(finite.min()), float(finite.max())
    margin = 0.0 if high > low else 0.05 * abs(low) or 1.0  # around equal scores, so that a step is seen
    return np.linspace(low - margin, high + margin, _LEVELS)


def _standing(
    arm: Arm, scales: Mapping[str, Scale], levels: Values, thresholds: Mapping[str, float], *, scaled: bool
) -> Standing:
    key = _KEY.child("arm", arm.name)
    scores = {task: values for task, values in scores_of(arm).items() if task in scales}
    filled = {task: scales[task].filled(values) for task, values in scores.items()}

    def shown(values: Mapping[str, Values]) -> list[Values]:
        return [scales[task].of(each) if scaled else each for task, each in values.items()]

    seeds = [[one.seed for one in arm.trials[task]] for task in scores]
    return Standing(
        arm,
        scores,
        statistics.iqm_interval(shown(filled), key.child("middle"), seeds),
        {task: statistics.iqm_interval([each], key.child("task", task)) for task, each in filled.items()},
        statistics.profile(shown(scores), levels, key.child("profile"), seeds),
        {task: _reached(arm.trials[task], level) for task, level in thresholds.items()},
    )


def _thresholds(arms: Sequence[Arm], tasks: Sequence[str], options: Options) -> dict[str, float]:
    found = {task: options.thresholds.get(task, arms[0].trials[task][0].threshold) for task in tasks}
    return {task: level for task, level in found.items() if level is not None}


def _reached(trials: Sequence[Trial], level: float) -> Reached:
    """Return when the fitness of these runs reached a level; those whose never did are censored."""
    moments = [next((climb for climb in one.climbs if climb.best >= level), None) for one in trials]
    counted = any(trial.steps for trial in trials)  # a learner that takes no steps is counted in candidates
    last = [trial.steps if counted else trial.candidates for trial in trials]
    steps = [
        end if moment is None else moment.steps if counted else moment.candidates
        for moment, end in zip(moments, last, strict=True)
    ]
    return statistics.reached(np.array(steps, float), np.array([moment is not None for moment in moments]))


def _measures(arms: Sequence[Arm], tasks: Sequence[str]) -> list[str]:
    return [
        f"{task}: {trial.measured}" if len(tasks) > 1 else trial.measured
        for task in tasks
        for arm in arms
        for trial in arm.trials[task]
        if trial.measured
    ]
