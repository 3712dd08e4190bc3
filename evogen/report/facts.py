"""What a report says of one run, read from its folder; what cannot be read becomes a note, not an end."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from evogen.budget import finished, length
from evogen.cohort import Outcome, Ref
from evogen.errors import EvogenError
from evogen.experiment import Experiment, experiment_of
from evogen.genome import Genome
from evogen.grammar.architecture import plan_of
from evogen.grammar.plan import Plan
from evogen.ranking import leaders
from evogen.records import Row, Timing
from evogen.runs import Run

LEADERS = 10
_T = TypeVar("_T")


@dataclass(frozen=True)
class Winner:
    """The best candidate by the goals of the search; `genome` is as its life tuned it.

    `genome` is None where its arrays cannot be read, `plan` where the architecture cannot be derived.
    """

    row: Row
    genome: Genome | None
    plan: Plan | None


class Assessment(NamedTuple):
    """Scores of the winner's freshly born agents, on what the search never saw.

    Attributes:
        title: what the scores were measured on.
        scores: one per agent.
        episodes: behind each score; None where the title says it, or there are none.
    """

    title: str
    scores: tuple[float, ...]
    episodes: int | None

    @property
    def mean(self) -> float:
        """Mean over the agents."""
        return statistics.fmean(self.scores)


class Baseline(NamedTuple):
    """An ordinary model on the winner's task: scores, and its number of weights and biases."""

    name: str
    validation: float
    test: float
    parameters: int


@dataclass(frozen=True)
class Facts:
    """One run.

    Attributes:
        path: of the folder, as it was given.
        name: of the folder.
        experiment: None where experiment.yaml cannot be read.
        environment: the content of environment.json.
        rows: all committed candidates in order.
        timings: one per committed cohort.
        outcomes: candidates by how they ended.
        planned: cohorts of the whole search; None where nothing says it.
        leaders: the best candidates by the goals of the search, best first.
        winner: None while no candidate has a fitness.
        assessment: of the winner; None where none was logged, or only that of an earlier winner.
        baselines: those that were logged last.
        fingerprint: of the run as it is now.
        missing: sentences on what could not be read.
    """

    path: Path
    name: str
    experiment: Experiment | None
    environment: Mapping[str, Any]
    rows: tuple[Row, ...]
    timings: tuple[Timing, ...]
    outcomes: Mapping[Outcome, int]
    planned: int | None
    leaders: tuple[Row, ...]
    winner: Winner | None
    assessment: Assessment | None
    baselines: tuple[Baseline, ...]
    fingerprint: str
    missing: tuple[str, ...]

    @property
    def cohorts(self) -> list[list[Row]]:
        """The candidates, cohort by cohort."""
        found: list[list[Row]] = [[] for _ in self.timings]
        for row in self.rows:
            found[row.ref.cohort].append(row)
        return found


def gather(run: Run) -> Facts:
    """Read everything that the report shows.

    Raises:
        RunError: the database cannot be read.
    """
    missing: list[str] = []
    experiment = _read(lambda: experiment_of(run), "the experiment", missing)
    environment = _read(lambda: json.loads(run.text("environment.json")), "the environment", missing)
    rows = tuple(run.rows())
    events = run.events()
    logged = {event.kind: event.payload for event in events}
    started = [event.payload["cohorts"] for event in events if "cohorts" in event.payload]
    planned = started[-1] if started else None
    if experiment is not None:
        planned = run.told if finished(run, experiment.search) else length(experiment.search)
    winner = _winner(run, run.best(), experiment, missing)
    return Facts(
        path=run.path,
        name=run.path.resolve().name,
        experiment=experiment,
        environment=environment if isinstance(environment, dict) else {},
        rows=rows,
        timings=run.timings(),
        outcomes=run.outcomes(),
        planned=planned,
        leaders=tuple(run.row(told.ref) for told in leaders(run, LEADERS)),
        winner=winner,
        assessment=_read(lambda: _assessment(logged.get("assessment"), winner), "the assessment", missing),
        baselines=_read(lambda: _baselines(logged.get("baselines")), "the baselines", missing) or (),
        fingerprint=run.fingerprint(),
        missing=tuple(missing),
    )


def _winner(run: Run, ref: Ref | None, experiment: Experiment | None, missing: list[str]) -> Winner | None:
    if ref is None:
        return None
    row = run.row(ref)
    genome = _read(lambda: run.tuned_genome(ref), "the winner's genome", missing)
    derived = None
    if genome is not None and experiment is not None:
        derived = _read(lambda: _plan(genome, experiment), "the winner's architecture", missing)
    return Winner(row, genome, derived)


def _assessment(payload: Mapping[str, Any] | None, winner: Winner | None) -> Assessment | None:
    if payload is None or winner is None or payload["ref"] != str(winner.row.ref):
        return None
    scores = tuple(float(score) for score in payload["scores"])
    return Assessment(str(payload["title"]), scores, payload["episodes"])


def _baselines(payload: Mapping[str, Any] | None) -> tuple[Baseline, ...]:
    return tuple(
        Baseline(str(row["name"]), float(row["validation"]), float(row["test"]), int(row["parameters"]))
        for row in ([] if payload is None else payload["rows"])
    )


def _plan(genome: Genome, experiment: Experiment) -> Plan:
    task = experiment.task
    return plan_of(experiment.space.architecture, genome, task.inputs, task.outputs)


def _read(get: Callable[[], _T], what: str, missing: list[str]) -> _T | None:
    try:
        return get()
    except (EvogenError, KeyError, TypeError, ValueError) as error:
        missing.append(
            f"{what} cannot be read, so what follows from it is left out ({type(error).__name__}: {error})"
        )
        return None
