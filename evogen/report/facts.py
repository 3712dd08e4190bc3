"""What a report says of one run, read from its folder; what cannot be read becomes a note, not an end."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from evogen.analysis.diversity import Diversity, diversity
from evogen.analysis.portrait import Portrait, portrait
from evogen.budget import finished, length
from evogen.cohort import Outcome, Ref
from evogen.errors import EvogenError, RunError
from evogen.experiment import Experiment, experiment_of
from evogen.genome import Genome
from evogen.grammar.architecture import plan_of
from evogen.grammar.plan import Plan
from evogen.keys import Key
from evogen.ranking import best
from evogen.runs import Run
from evogen.runs.records import Logged, Row, Timing, digest
from evogen.runs.salvage import salvage
from evogen.strategies.goals import Goals, measured_in

LEADERS = 10
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
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
        goals: what the search is for.
        events: what happened to the run, oldest first.
        diversity: of its cohorts; None where it cannot be measured.
        portrait: of the winner, developed again; None where it cannot be.
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
    goals: Goals
    events: tuple[Logged, ...]
    diversity: Diversity | None
    portrait: Portrait | None
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
    """Read everything that the report shows; of a damaged run, what can be salvaged.

    Raises:
        RunError: nothing can be read.
    """
    try:
        return _gathered(run)
    except RunError:
        if run.lost:
            raise
        with salvage(run.path) as what:
            return _gathered(what)


def _gathered(run: Run) -> Facts:
    missing = [*run.lost]
    experiment = _read(lambda: experiment_of(run), "the experiment", missing)
    environment = _read(lambda: json.loads(run.text("environment.json")), "the environment", missing)
    told = run.told  # what a writer commits from here on is not looked at
    rows = tuple(run.rows(end=told))
    missing += _holes(run, rows, told)
    events = run.events()
    logged = {event.kind: event.payload for event in events}
    started = [event.payload["cohorts"] for event in events if "cohorts" in event.payload]
    planned = started[-1] if started and isinstance(started[-1], int) else None
    if experiment is not None:
        planned = run.told if finished(run, experiment.search) else length(experiment.search)
    leaders, best_one = _leaders(rows, run.goals), run.best()
    if best_one is not None and best_one.cohort >= told:
        best_one = leaders[0].ref if leaders else None
    winner = _winner(run, best_one, experiment, missing)
    ended = Counter(row.outcome for row in rows)
    return Facts(
        path=run.path,
        name=run.path.resolve().name,
        experiment=experiment,
        environment=environment if isinstance(environment, dict) else {},
        rows=rows,
        timings=run.timings()[:told],
        outcomes={outcome: ended[outcome] for outcome in Outcome},
        planned=planned,
        leaders=leaders,
        winner=winner,
        assessment=_read(lambda: _assessment(logged.get("assessment"), winner), "the assessment", missing),
        baselines=_read(lambda: _baselines(logged.get("baselines")), "the baselines", missing) or (),
        goals=run.goals,
        events=events,
        diversity=_read(lambda: _diversity(run, experiment, told), "the diversity of the cohorts", missing),
        portrait=_portrait(run, winner, missing),
        fingerprint=digest(rows),
        missing=tuple(missing),
    )


def _leaders(rows: Sequence[Row], goals: Goals) -> tuple[Row, ...]:
    told = (goals.told(row.ref, measured_in(row.fitness, row.metrics, row.steps)) for row in rows)
    by_ref = {row.ref: row for row in rows}
    return tuple(by_ref[one.ref] for one in best(told, LEADERS))


def _holes(run: Run, rows: Sequence[Row], told: int) -> Iterator[str]:
    """Say how many candidates of the first `told` cohorts were committed and are not there."""
    stands = run.standing()
    lost = stands.candidates - len(rows) if stands.told == told else 0
    sizes = Counter(row.ref.cohort for row in rows)
    ends = {row.ref.cohort: row.ref.row + 1 for row in rows}  # the last row of each cohort stays
    lost = max(lost, sum(ends.values()) - sum(sizes.values()))
    empty = told - len(sizes)
    if lost > 0 or empty:
        yield (
            f"Candidates are missing that were committed: {lost or 'an unknown number'}"
            f"{f', and with them all of {empty} cohorts' if empty else ''}."
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


def _portrait(run: Run, winner: Winner | None, missing: list[str]) -> Portrait | None:
    if winner is None or winner.plan is None:  # what that follows from has a note already
        return None
    return _read(lambda: portrait(run, winner.row.ref), "the winner's born network", missing)


def _diversity(run: Run, experiment: Experiment | None, told: int) -> Diversity:
    if experiment is None:
        found = diversity(run, {}, key=Key(0).child("report"))
    else:
        found = diversity(run, experiment.space.plasticity, key=Key(experiment.seed).child("report"))
    known = sum(cohort < told for cohort in found.cohorts)
    distances = {part: values[:known] for part, values in found.distances.items()}
    return replace(found, cohorts=found.cohorts[:known], distances=distances)


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
    except (EvogenError, *_UNREADABLE) as error:
        missing.append(
            f"{what} cannot be read, so what follows from it is left out ({type(error).__name__}: {error})"
        )
        return None
