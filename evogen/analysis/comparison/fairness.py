"""Whether arms may be compared at all: the same tasks, equal budgets, equal versions, runs that ended."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from evogen.analysis.comparison.arms import Arm, mixed
from evogen.analysis.comparison.trials import Fate, Score, Trial
from evogen.errors import RunError

APART = 0.01  # of the larger budget
_SHOWN = 4


class Unfinished(StrEnum):
    """What becomes of runs that are not finished."""

    REFUSED = "refused"
    FAILED = "failed"
    LEFT_OUT = "left-out"


class Budget(NamedTuple):
    """What the runs of an arm spent on a task, each; means over runs.

    Attributes:
        arm, task: which.
        runs: that are counted here; unfinished ones are not.
        candidates: evaluated.
        steps: of all inner loops together.
        unit: of a step.
        born: agents that the search scored.
        seconds: of work, all workers together.
    """

    arm: str
    task: str
    runs: int
    candidates: float
    steps: float
    unit: str
    born: float
    seconds: float


def settled(arms: Sequence[Arm], unfinished: Unfinished) -> tuple[list[Arm], list[str]]:
    """Return the arms without what is left out, and what is said of it.

    Raises:
        RunError: fewer than two arms are left, or a run that neither has a score nor may do without.
    """
    every = [trial for arm in arms for trial in arm.every]
    if unchecked := [str(trial.path) for trial in every if trial.fate is Fate.UNCHECKED]:
        raise RunError(
            f"{_few(unchecked)}: {Fate.UNCHECKED.sentence}; 'evogen resume {unchecked[0]}' gives it one, "
            "--by search does without"
        )
    open_ones = [str(trial.path) for trial in every if trial.fate is Fate.UNFINISHED]
    if open_ones and unfinished is Unfinished.REFUSED:
        raise RunError(
            f"{_few(open_ones)}: {Fate.UNFINISHED.sentence}; 'evogen resume {open_ones[0]}' goes on with it; "
            "--unfinished failed counts such runs as failed, --unfinished left-out leaves them out"
        )
    failed = unfinished is Unfinished.FAILED
    found = [arm for arm in (_without(arm, failed=failed) for arm in arms) if arm.trials]
    if len(found) < 2:
        raise RunError(_one_arm(found) if len(arms) < 2 else _none_left(arms, found))
    does = "count as failed" if failed else "are left out, which favours an arm whose bad runs do not end"
    return found, [f"of the runs, {len(open_ones)} unfinished {does}: {_few(open_ones)}"] if open_ones else []


def _without(arm: Arm, *, failed: bool) -> Arm:
    def settled(trials: Sequence[Trial]) -> tuple[Trial, ...]:
        if failed:
            return tuple(
                replace(one, score=-math.inf) if one.fate is Fate.UNFINISHED else one for one in trials
            )
        return tuple(one for one in trials if one.fate is not Fate.UNFINISHED)

    kept = {task: settled(trials) for task, trials in arm.trials.items()}
    return replace(arm, trials={task: trials for task, trials in kept.items() if trials})


def _one_arm(arms: Sequence[Arm]) -> str:
    name = f" ('{arms[0].name}')" if arms else ""
    tasks = f", on {' and '.join(arms[0].trials)}" if arms and len(arms[0].trials) > 1 else ""
    return (
        f"wanted two arms or more, found {len(arms)}{name}{tasks}: runs are one arm if they differ in "
        "nothing but seed, name and task; give runs of another experiment, or name arms by --arm NAME=RUN,RUN"
    )


def _none_left(arms: Sequence[Arm], kept: Sequence[Arm]) -> str:
    empty = " and ".join(f"'{arm.name}'" for arm in arms if arm.name not in {one.name for one in kept})
    return (
        f"no run of {empty} is finished, so leaving unfinished ones out leaves fewer than two arms: "
        "go on with them by 'evogen resume RUN', or give --unfinished failed"
    )


def budgets(arms: Sequence[Arm]) -> tuple[Budget, ...]:
    """Return what each arm spent on each of its tasks."""
    return tuple(
        _budget(arm.name, task, ended)
        for arm in arms
        for task, trials in arm.trials.items()
        if (ended := [trial for trial in trials if trial.fate is not Fate.UNFINISHED])
    )


def objections(arms: Sequence[Arm], spent: Sequence[Budget]) -> list[str]:
    """Say why no honest comparison can be made of these arms; empty if one can."""
    return [*_tasks(arms), *_budgets(spent)]


def warnings(arms: Sequence[Arm], spent: Sequence[Budget], by: Score) -> list[str]:
    """Say what a reader has to know before he believes a comparison."""
    return [
        *_versions(arms),
        *(f"scores: {by.sentence}" for _ in [by] if by is Score.SEARCH),
        *_moved(arms),
        *_goals(arms),
        *_failures(arms),
        *_scoring(spent),
        *_mixtures(arms),
    ]


def _budget(arm: str, task: str, trials: Sequence[Trial]) -> Budget:
    def mean(name: str) -> float:
        return statistics.fmean(getattr(trial, name) for trial in trials)

    measured = [mean(name) for name in ("candidates", "steps", "born", "seconds")]
    candidates, steps, born, seconds = measured
    return Budget(arm, task, len(trials), candidates, steps, trials[0].unit, born, seconds)


def _tasks(arms: Sequence[Arm]) -> Iterator[str]:
    every = dict.fromkeys(task for arm in arms for task in arm.trials)
    for arm in arms:
        if lost := [task for task in every if task not in arm.trials]:
            yield f"the tasks differ: '{arm.name}' has no run on {', '.join(lost)}"


def _budgets(spent: Sequence[Budget]) -> Iterator[str]:
    for task in dict.fromkeys(one.task for one in spent):
        here = [one for one in spent if one.task == task]
        for name in ("candidates", "steps"):
            amounts = {one.arm: float(getattr(one, name)) for one in here}
            least, most = min(amounts, key=amounts.__getitem__), max(amounts, key=amounts.__getitem__)
            if amounts[most] - amounts[least] > APART * amounts[most]:
                what = "candidates" if name == "candidates" else here[0].unit
                yield (
                    f"the budgets differ on {task}: {amounts[least]:,.0f} {what} a run in '{least}', "
                    f"{amounts[most]:,.0f} in '{most}'"
                )


def _versions(arms: Sequence[Arm]) -> Iterator[str]:
    made = {arm.name: [trial.made for trial in arm.every] for arm in arms}
    for name in dict.fromkeys(name for every in made.values() for one in every for name in one):
        by_arm = {arm: sorted({one.get(name, "none") for one in every}) for arm, every in made.items()}
        values = sorted({value for found in by_arm.values() for value in found})
        if len(values) > 1:
            said = "; ".join(
                f"{' and '.join(map(_brief, found))} in '{arm}'" for arm, found in by_arm.items()
            )
            apart = all(len(found) == 1 for found in by_arm.values())
            also = ": what the arms differ in may be this" if apart else ""
            what = name if name in ("device", "accelerator") else f"version of {name}"
            yield f"runs were made with more than one {what} ({said}){also}"


def _moved(arms: Sequence[Arm]) -> Iterator[str]:
    if gone := [trial for arm in arms for trial in arm.every if trial.moved]:
        what = dict.fromkeys(text for trial in gone for text in trial.moved)
        yield f"{_few([str(trial.path) for trial in gone])}: went on with other versions ({_few(list(what))})"


def _goals(arms: Sequence[Arm]) -> Iterator[str]:
    """Say whose winner is not simply the candidate of the best fitness, which is what is compared."""
    for arm in arms:
        found = {
            path.removeprefix("search.objectives."): value
            for trial in arm.every
            for path, value in trial.settings.items()
            if path.startswith("search.objectives.")
        }
        if found and list(found.items()) != [("fitness", "maximise")]:
            aims = ", ".join(f"{name} ({aim})" for name, aim in found.items())
            yield f"'{arm.name}' searched for {aims}: compared is the fitness of the best by these goals"
        if broken := [str(trial.path) for trial in arm.every if trial.broken]:
            yield f"winners of '{arm.name}' break a constraint ({_few(broken)}): they count as they are"


def _failures(arms: Sequence[Arm]) -> Iterator[str]:
    for arm in arms:
        for task, trials in arm.trials.items():
            failed = [str(trial.path) for trial in trials if trial.fate is Fate.FAILED]
            if failed:
                yield (
                    f"{len(failed)} of {len(trials)} runs of '{arm.name}' on {task} failed, no candidate has "
                    f"a score ({', '.join(failed)}): each counts as worse than every score"
                )


def _scoring(spent: Sequence[Budget]) -> Iterator[str]:
    for task in dict.fromkeys(one.task for one in spent):
        born = {one.arm: one.born for one in spent if one.task == task}
        if max(born.values()) - min(born.values()) > APART * max(born.values()):
            said = ", ".join(f"{amount:,.0f} in '{arm}'" for arm, amount in born.items())
            yield f"what scoring cost differs on {task}, in agents scored a run: {said}"


def _mixtures(arms: Sequence[Arm]) -> Iterator[str]:
    for arm in arms:
        if varying := mixed(arm):
            yield f"the runs of '{arm.name}' differ in more than seed and task: {_few(varying)}"
    agents = sorted({trial.agents for arm in arms for trial in arm.every if trial.fate is Fate.SCORED})
    if len(agents) > 1:
        yield f"scores are means over {agents[0]} to {agents[-1]} agents: not all are equally sure"


def _brief(value: str) -> str:
    """Cut a revision's hash."""
    return value[:12] + value[40:] if len(value) >= 40 else value


def counts(trials: Mapping[str, Sequence[Trial]]) -> dict[Fate, int]:
    """Return the number of runs by fate, zeros included."""
    fates = [trial.fate for of_one in trials.values() for trial in of_one]
    return {fate: fates.count(fate) for fate in Fate}


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
