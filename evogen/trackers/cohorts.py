"""What trackers are told: numbers of each committed cohort, and the experiment as flat settings.

fitness/best, median, sd        of the cohort's candidates that have a fitness
fitness/best_so_far             of the whole search until then
objective/NAME                  the cohort's best by each further objective
outcome/NAME                    candidates that ended so
diversity/distinct              share of the cohort's genomes that differ
search/candidates, steps        in all until then
search/seconds                  of work on the cohort
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from evogen.cohort import Outcome
from evogen.experiment.document import parsed
from evogen.runs import Run
from evogen.runs.records import Row
from evogen.strategies.goals import measured_in


class Told(NamedTuple):
    """One cohort: its number, the Unix time of its commit, and numbers by name."""

    cohort: int
    time: float
    values: Mapping[str, float]


class Tally:
    """Goes through a run's cohorts in order."""

    def __init__(self) -> None:
        self.told = 0
        self._best: float | None = None
        self._candidates = self._steps = 0

    def new(self, run: Run, *, begin: int) -> Iterator[Told]:
        """Iterate over the committed cohorts from `begin` on; those before only count in sums."""
        timings, goals = run.timings(), run.goals
        for cohort in range(self.told, len(timings)):
            rows = tuple(run.rows(begin=cohort, end=cohort + 1))
            scored = [row.fitness for row in rows if row.fitness is not None]
            self._best = max([*scored, *([] if self._best is None else [self._best])], default=None)
            self._candidates += len(rows)
            self._steps += sum(row.steps for row in rows)
            self.told = cohort + 1
            if cohort < begin:
                continue
            values = {
                **_fitness(scored),
                **({} if self._best is None else {"fitness/best_so_far": self._best}),
                **_objectives(goals.objectives, rows),
                **{f"outcome/{end}": float(sum(row.outcome is end for row in rows)) for end in Outcome},
                "diversity/distinct": len({row.genome for row in rows}) / len(rows),
                "search/candidates": float(self._candidates),
                "search/steps": float(self._steps),
                "search/seconds": timings[cohort].seconds,
            }
            yield Told(cohort, timings[cohort].committed, values)


def _fitness(scored: Sequence[float]) -> dict[str, float]:
    if not scored:
        return {}
    spread = {"fitness/sd": statistics.stdev(scored)} if len(scored) > 1 else {}
    return {"fitness/best": max(scored), "fitness/median": statistics.median(scored), **spread}


def _objectives(objectives: Mapping[str, str], rows: Sequence[Row]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, direction in objectives.items():
        measured = [measured_in(row.fitness, row.metrics, row.steps) for row in rows]
        known = [values[name] for values in measured if values is not None and name in values]
        if name != "fitness" and known:
            found[f"objective/{name}"] = max(known) if direction == "maximise" else min(known)
    return found


def identity(run: Run) -> str:
    """Return what tells this search from all others, wherever it lies: when and of what it was made."""
    created = run.events()[0]
    return sha256(json.dumps([created.time, run.made_from()], sort_keys=True).encode()).hexdigest()[:32]


def flat(run: Run) -> dict[str, str | float | bool]:
    """Return the settings of experiment.yaml by dotted path; a list is one JSON text.

    Raises:
        SpecError: the file is damaged.
    """
    return dict(_flattened("", parsed(run.text("experiment.yaml"))))


def _flattened(path: str, value: Any) -> Iterator[tuple[str, str | float | bool]]:
    if isinstance(value, Mapping) and value:
        for name, each in value.items():
            yield from _flattened(f"{path}.{name}" if path else str(name), each)
    elif value is not None:
        yield path, value if isinstance(value, str | int | float | bool) else json.dumps(value)
