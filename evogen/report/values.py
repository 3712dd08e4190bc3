"""The files beside a page, which say as values what it shows.

They are STEM.json, STEM-candidates.csv and STEM-cohorts.csv. The JSON object has `report`, the version of
this form (1); `evogen`, the version that wrote it; and `runs`, each with

    name, path, missing     of the run, and what could not be read
    experiment              the resolved document as text, or null
    environment             of the machine, as it was stored
    fingerprint, planned, told
                            see `evogen fingerprint`; cohorts of the whole search, and those told so far
    outcomes                candidates by how they ended
    leaders                 the best candidates, best first, each with its measures
    winner                  the best one, with its fresh assessment; null while there is none
    baselines               ordinary models on the same task
    candidates              columns by name, as in the CSV
    cohorts                 likewise
    course                  the rises of the best fitness, and the diversity of cohorts
    front, archive          null unless there are several objectives, or an archive
    ancestry, operators     main line of the winner; what each operator's children are worth
    time                    seconds of the clock and of work
    portrait                the winner's verdict (optimism gap), weights, episode or confusion matrix

What is not known, or not finite, is null there and empty in a CSV.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from evogen.analysis.plain import plain
from evogen.cohort import Outcome
from evogen.report import winner
from evogen.report.data import spread
from evogen.report.facts import Facts
from evogen.report.search import archive, course, fronts, operators, phases, phylogeny
from evogen.runs.records import Row

VERSION = 1
_SECTIONS: Mapping[str, Callable[[Facts], Any]] = {
    "course": course.values,
    "front": fronts.values,
    "archive": archive.values,
    "ancestry": phylogeny.values,
    "operators": operators.values,
    "time": phases.values,
    "portrait": winner.values,
}
_CANDIDATE = (
    *("run", "candidate", "cohort", "row", "genome", "parents", "operator", "outcome", "message"),
    *("fitness", "sd", "agents", "steps"),
)
_COHORT = (
    *("run", "cohort", "candidates", "ok", "best", "lower_quartile", "median", "upper_quartile"),
    *("steps", "seconds", "worker", "committed"),
)


def document(found: Sequence[Facts]) -> str:
    """Return the JSON document about these runs."""
    value = {"report": VERSION, "evogen": version("evogen"), "runs": [_run(facts) for facts in found]}
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False) + "\n"


def candidates(found: Sequence[Facts]) -> str:
    """Return the CSV of all candidates of these runs; columns as `evogen export` has them, without genes."""
    metrics = sorted({name for facts in found for row in facts.rows for name in row.metrics})
    lines = (_candidate(facts, row, metrics) for facts in found for row in facts.rows)
    return _csv((*_CANDIDATE, *(f"metric.{name}" for name in metrics)), lines)


def cohorts(found: Sequence[Facts]) -> str:
    """Return the CSV of all cohorts: fitness of those that ended ok, steps of all since the start."""
    return _csv(_COHORT, (line for facts in found for line in _cohorts(facts)))


def _run(facts: Facts) -> dict[str, Any]:
    metrics = sorted({name for row in facts.rows for name in row.metrics})
    columns = (*_CANDIDATE[1:], *(f"metric.{name}" for name in metrics))
    return {
        "name": facts.name,
        "path": str(facts.path),
        "missing": facts.missing,
        "experiment": None if facts.experiment is None else facts.experiment.yaml,
        "environment": facts.environment,
        "fingerprint": facts.fingerprint,
        "planned": facts.planned,
        "told": len(facts.timings),
        "outcomes": {outcome.value: count for outcome, count in facts.outcomes.items()},
        "leaders": [_described(row) for row in facts.leaders],
        "winner": _winner(facts),
        "baselines": [baseline._asdict() for baseline in facts.baselines],
        "candidates": _columns(columns, (_candidate(facts, row, metrics)[1:] for row in facts.rows)),
        "cohorts": _columns(_COHORT[1:], (line[1:] for line in _cohorts(facts))),
        **{name: values(facts) for name, values in _SECTIONS.items()},
    }


def _winner(facts: Facts) -> dict[str, Any] | None:
    if facts.winner is None:
        return None
    fresh = facts.assessment
    return {
        **_described(facts.winner.row),
        "plasticity": {} if facts.winner.genome is None else dict(facts.winner.genome.plasticity),
        "assessment": None if fresh is None else {**fresh._asdict(), "mean": fresh.mean},
    }


def _described(row: Row) -> dict[str, Any]:
    return {
        "candidate": str(row.ref),
        "genome": row.genome,
        "parents": [str(parent) for parent in row.parents],
        "operator": row.operator,
        "fitness": row.fitness,
        "scores": row.scores,
        "steps": row.steps,
        "metrics": row.metrics,
        "curve": row.curve,
    }


def _candidate(facts: Facts, row: Row, metrics: Sequence[str]) -> tuple[Any, ...]:
    last = row.message.strip().splitlines()[-1:]
    parents = " ".join(map(str, row.parents))
    place = (facts.name, str(row.ref), *row.ref, row.genome, parents, row.operator, row.outcome.value)
    measured = (row.fitness, spread(row.scores), len(row.scores), row.steps)
    return (*place, "".join(last), *measured, *(row.metrics.get(name) for name in metrics))


def _cohorts(facts: Facts) -> Iterable[tuple[Any, ...]]:
    steps = 0
    for timing, rows in zip(facts.timings, facts.cohorts, strict=True):
        steps += sum(row.steps for row in rows)
        ok = [row.fitness for row in rows if row.outcome is Outcome.OK and row.fitness is not None]
        quartiles = np.quantile(ok, (0.25, 0.5, 0.75)).tolist() if ok else [None] * 3
        place = (facts.name, timing.cohort, len(rows), len(ok), max(ok, default=None), *quartiles)
        yield (*place, steps, timing.seconds, timing.worker, timing.committed)


def _columns(names: Sequence[str], lines: Iterable[Sequence[Any]]) -> dict[str, list[Any]]:
    columns = list(zip(*lines, strict=True)) or [()] * len(names)
    return {name: list(column) for name, column in zip(names, columns, strict=True)}


def _csv(names: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows(lines)
    return text.getvalue()
