"""A trial: one run as a comparison sees it, which is one observation however many candidates it had."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, cast

from evogen.budget import finished
from evogen.errors import RunError
from evogen.experiment import Experiment, experiment_of
from evogen.experiment.document import parsed
from evogen.runs import Run
from evogen.tasks import ControlTask, TaskKind

Settings = Mapping[str, Any]  # by dotted path
_NO_MATTER = ("name", "seed", "search.snapshot_every", "compute.threads")
_CONTROL = (TaskKind.CONTROL, TaskKind.CONTINUOUS)


class Score(StrEnum):
    """What stands for a run."""

    FRESH = "fresh"
    SEARCH = "search"

    @property
    def sentence(self) -> str:
        """What it is, for people."""
        return _SCORES[self]


_SCORES = {
    Score.FRESH: "the winner of a run, scored once more on what its search never saw",
    Score.SEARCH: "the winner of a run by its search's own estimate, by which it was chosen: too high",
}


class Fate(StrEnum):
    """How a run ended, as far as a comparison minds."""

    SCORED = "scored"
    FAILED = "failed"
    UNFINISHED = "unfinished"
    UNCHECKED = "unchecked"

    @property
    def sentence(self) -> str:
        """What it means, for people."""
        return _FATES[self]


_FATES = {
    Fate.SCORED: "it is finished and its winner has a score",
    Fate.FAILED: "it is finished and no candidate has a finite score: it counts as worse than every score",
    Fate.UNFINISHED: "its search has not spent what it may",
    Fate.UNCHECKED: "it is finished, but its winner has no score on what the search never saw",
}


class Climb(NamedTuple):
    """The best fitness so far, and the candidates and steps that it took, each time that it rose."""

    candidates: int
    steps: int
    best: float


@dataclass(frozen=True)
class Trial:
    """One run.

    Attributes:
        path: of the folder, as it was given.
        seed: the root of its randomness.
        task: the settings of its task; runs with equal ones are compared directly.
        settings: all others that may matter, the hashes of its other files among them.
        threshold: the score from which its task counts as solved, where it declares one.
        unit: what one step of the inner loop is.
        fate: how it ended.
        score: mean over agents; `-inf` where it failed, NaN where the fate says that there is none.
        agents: that were born for the score.
        measured: what the score was measured on.
        candidates: evaluated.
        steps: of all inner loops.
        born: agents that were scored during the search.
        seconds: of work, all workers together.
        climbs: of the fitness.
        start: ids of the genomes of the first cohort.
        made: versions, device and revision by name.
        moved: what of these changed midway, where the run went on elsewhere.
        broken: whether its winner breaks a constraint of the search.
    """

    path: Path
    seed: int
    task: Settings
    settings: Settings
    threshold: float | None
    unit: str
    fate: Fate
    score: float
    agents: int
    measured: str
    candidates: int
    steps: int
    born: int
    seconds: float
    climbs: tuple[Climb, ...]
    start: tuple[str, ...]
    made: Mapping[str, str]
    moved: tuple[str, ...] = ()
    broken: bool = False


def read(run: Run, by: Score) -> Trial:
    """Return what a comparison needs of a run.

    Raises:
        EvogenError: the folder is damaged, or its experiment cannot be read here.
    """
    experiment = experiment_of(run)
    every = dict(_flat(parsed(experiment.yaml)))
    files = {name: value[:8] for name, value in run.made_from().items() if name != "experiment.yaml"}
    task = {path.removeprefix("task."): value for path, value in every.items() if path.startswith("task.")}
    settings = {path: value for path, value in every.items() if not path.startswith("task.")} | files
    climbs, start, born = _course(run)
    candidates, steps = run.totals()
    done = finished(run, experiment.search)
    fate, scores, measured = _outcome(run, experiment, by) if done else (Fate.UNFINISHED, (), "")
    score = -math.inf if fate is Fate.FAILED else statistics.fmean(scores) if scores else math.nan
    return Trial(
        path=run.path,
        seed=experiment.seed,
        task=task,
        settings={path: value for path, value in settings.items() if path not in _NO_MATTER},
        threshold=cast("ControlTask", experiment.task).threshold
        if experiment.task.kind in _CONTROL
        else None,
        unit="environment steps" if experiment.task.kind in _CONTROL else "training examples",
        fate=fate,
        score=score,
        agents=len(scores),
        measured=measured,
        candidates=candidates,
        steps=steps,
        born=born,
        seconds=sum(timing.seconds for timing in run.timings()),
        climbs=climbs,
        start=start,
        made=_made(run),
        moved=_moved(run),
        broken=(leader := run.leader()) is not None and leader.violation > 0,
    )


def _outcome(run: Run, experiment: Experiment, by: Score) -> tuple[Fate, tuple[float, ...], str]:
    ref = run.best()
    if ref is None:
        return Fate.FAILED, (), ""
    if by is Score.SEARCH:
        return Fate.SCORED, run.row(ref).scores, "episodes or examples of the search"
    logged = [event.payload for event in run.events() if event.kind == "assessment"]
    found = [payload for payload in logged if payload.get("ref") == str(ref)]
    if not found:
        return Fate.UNCHECKED, (), ""
    try:
        scores = tuple(float(score) for score in found[-1]["scores"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"the assessment in {run.path} is damaged: {error}; restore it from a copy") from error
    if not scores or not all(map(math.isfinite, scores)):
        return Fate.FAILED, (), ""
    return Fate.SCORED, scores, experiment.task.reported


def _course(run: Run) -> tuple[tuple[Climb, ...], tuple[str, ...], int]:
    climbs: list[Climb] = []
    start: list[str] = []
    candidates = steps = born = 0
    for row in run.rows():
        candidates, steps, born = candidates + 1, steps + row.steps, born + len(row.scores)
        if row.ref.cohort == 0:
            start.append(row.genome)
        if row.fitness is not None and (not climbs or row.fitness > climbs[-1].best):
            climbs.append(Climb(candidates, steps, row.fitness))
    return tuple(climbs), tuple(start), born


def _made(run: Run) -> dict[str, str]:
    try:
        environment = json.loads(run.text("environment.json"))
        found = dict(environment.get("versions", {}))
        found |= {name: environment.get(name) for name in ("device", "accelerator", "git")}
    except (AttributeError, TypeError, ValueError) as error:
        raise RunError(f"{run.path}/environment.json is damaged: {error}; restore it from a copy") from error
    return {name: str(value) for name, value in found.items() if value is not None}


def _moved(run: Run) -> tuple[str, ...]:
    logged = [event.payload.get("what") for event in run.events() if event.kind == "environment changed"]
    return tuple(dict.fromkeys(str(text) for what in logged if isinstance(what, list) for text in what))


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    else:
        yield path, value
