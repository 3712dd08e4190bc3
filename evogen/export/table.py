"""The table of a run's candidates: its columns, and its rows one at a time.

    candidate, cohort, row       place
    genome, parents, operator    the genome's id, the parents' places, how it was bred
    outcome, message             how it ended, and the last line of what went wrong
    fitness, sd, agents          mean and standard deviation over the scores of so many born agents
    steps                        of the inner loop
    violation                    by how much it breaks the constraints; 0 keeps them all
    committed, seconds, worker   UTC of its cohort's commit, and the seconds and the worker of its evaluation
    metric.NAME                  the measures of evogen.measures beside fitness and steps
    NAME.NAME                    genes of the plasticity chromosome, such as learner.learning_rate

What a candidate does not have is None.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from evogen.experiment import experiment_of
from evogen.runs import Run
from evogen.strategies.goals import measured_in

WHOLE = ("cohort", "row", "agents", "steps")
NUMBERS = ("fitness", "sd", "violation", "seconds")
_FIXED = (
    *("candidate", "cohort", "row", "genome", "parents", "operator", "outcome", "message"),
    *("fitness", "sd", "agents", "steps", "violation", "committed", "seconds", "worker"),
)


class Columns(NamedTuple):
    """Names in order: those that every run has, measures, and plasticity genes."""

    fixed: tuple[str, ...]
    metrics: tuple[str, ...]
    genes: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Return all names as the table has them."""
        return (*self.fixed, *(f"metric.{name}" for name in self.metrics), *self.genes)


def columns(run: Run) -> Columns:
    """Return the columns of a run; reads it once."""
    metrics = dict.fromkeys(name for row in run.rows() for name in row.metrics)
    return Columns(_FIXED, tuple(sorted(metrics)), tuple(sorted(experiment_of(run).space.plasticity)))


def records(run: Run, names: Columns) -> Iterator[dict[str, Any]]:
    """Iterate over the candidates as values by column, one cohort in memory."""
    goals, timings = run.goals, run.timings()
    for row, genome in run.born():
        if row.ref.cohort == len(timings):  # committed since: a search goes on
            return
        timing = timings[row.ref.cohort]
        judged = goals.told(row.ref, measured_in(row.fitness, row.metrics, row.steps))
        values = {
            "candidate": str(row.ref),
            "cohort": row.ref.cohort,
            "row": row.ref.row,
            "genome": row.genome,
            "parents": " ".join(str(parent) for parent in row.parents),
            "operator": row.operator,
            "outcome": row.outcome.value,
            "message": row.message.rstrip().rpartition("\n")[2] or None,
            "fitness": row.fitness,
            "sd": statistics.stdev(row.scores) if len(row.scores) > 1 else None,
            "agents": len(row.scores),
            "steps": row.steps,
            "violation": None if judged.fitness is None else judged.violation,
            "committed": datetime.fromtimestamp(timing.committed, UTC).isoformat(timespec="milliseconds"),
            "seconds": timing.seconds,
            "worker": timing.worker,
        }
        values |= {f"metric.{name}": row.metrics.get(name) for name in names.metrics}
        yield values | {name: genome["plasticity"].get(name) for name in names.genes}
