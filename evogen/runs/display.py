"""What a notebook shows of a run: pandas tables, and a card.

    candidates   place (`cohort`, `row`), genome, parents, operator, outcome, fitness, sd, agents, steps, and
                 a column for each measure; the index is COHORT:ROW
    cohorts      seconds, worker, time of commit, and of its candidates: how many, ok, best and median fitness
    events       time, kind and payload of what was logged

Tables need pandas (the extra `notebook`), cards nothing.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from evogen.cards import card, facts_of
from evogen.cohort import Outcome
from evogen.errors import RunError, SpecError, near
from evogen.runs.records import Row

if TYPE_CHECKING:
    import pandas

    from evogen.runs.run import Run


def table(run: Run, of: str) -> pandas.DataFrame:
    """Return the `candidates`, `cohorts` or `events` of a run; see the top of this module.

    Raises:
        SpecError: no such table, or pandas is not installed.
    """
    if of not in _TABLES:
        raise SpecError(f"'{of}': no table of a run has that name{near(of, _TABLES)}")
    try:
        import pandas as pd
    except ImportError:
        raise SpecError("tables need pandas: pip install 'evogen[notebook]'") from None
    return _TABLES[of](run, pd)


def run_card(run: Run) -> str:
    """Return how far a run is and who is best, as HTML; a damaged one says so."""
    name = run.path.resolve().name
    try:
        outcomes = {str(end): count for end, count in run.outcomes().items() if count}
        best = run.best()
        facts: dict[str, object] = {
            "folder": str(run.path),
            "cohorts": run.told,
            "candidates": sum(outcomes.values()),
            "outcomes": ", ".join(f"{count} {end}" for end, count in outcomes.items()) or None,
            "best": None if best is None else f"candidate {best}, fitness {run.row(best).fitness:.4g}",
            "tables": "run.frame(), run.frame('cohorts'), run.frame('events')",
            "figures": "evogen.figures(run), evogen.figure(run, 'fitness')",
        }
    except RunError as error:
        facts = {"folder": str(run.path), "cannot be read": str(error)}
    return card(f"evogen run {name}", facts_of(facts))


def _candidates(run: Run, pd: Any) -> pandas.DataFrame:
    rows = list(run.rows())
    frame = pd.DataFrame.from_records([_candidate(row) for row in rows], columns=_columns(rows))
    frame.index = pd.Index([str(row.ref) for row in rows], name="candidate", dtype=object)
    return frame


def _columns(rows: list[Row]) -> list[str]:
    measures = dict.fromkeys(name for row in rows for name in row.metrics)
    return [*_PLACE, *sorted(measures)]


_PLACE = ("cohort", "row", "genome", "parents", "operator", "outcome", "fitness", "sd", "agents", "steps")


def _candidate(row: Row) -> Mapping[str, Any]:
    measures = {name: value for name, value in row.metrics.items() if name not in _PLACE}
    return measures | {
        "cohort": row.ref.cohort,
        "row": row.ref.row,
        "genome": row.genome,
        "parents": " ".join(map(str, row.parents)),
        "operator": row.operator,
        "outcome": str(row.outcome),
        "fitness": float("nan") if row.fitness is None else row.fitness,
        "sd": statistics.stdev(row.scores) if len(row.scores) > 1 else float("nan"),
        "agents": len(row.scores),
        "steps": row.steps,
    }


def _cohorts(run: Run, pd: Any) -> pandas.DataFrame:
    frame = pd.DataFrame.from_records(list(_each_cohort(run, pd)), columns=_COHORT)
    return frame.set_index("cohort")


_COHORT = ("cohort", "candidates", "ok", "best", "median", "steps", "seconds", "worker", "committed")


def _each_cohort(run: Run, pd: Any) -> Iterator[Mapping[str, Any]]:
    for timing in run.timings():
        rows = list(run.rows(begin=timing.cohort, end=timing.cohort + 1))
        scored = [row.fitness for row in rows if row.fitness is not None]
        yield {
            "cohort": timing.cohort,
            "candidates": len(rows),
            "ok": sum(row.outcome is Outcome.OK for row in rows),
            "best": max(scored, default=float("nan")),
            "median": statistics.median(scored) if scored else float("nan"),
            "steps": sum(row.steps for row in rows),
            "seconds": timing.seconds,
            "worker": timing.worker,
            "committed": pd.Timestamp(timing.committed, unit="s", tz="UTC"),
        }


def _events(run: Run, pd: Any) -> pandas.DataFrame:
    rows = [
        (pd.Timestamp(time, unit="s", tz="UTC"), kind, dict(payload)) for time, kind, payload in run.events()
    ]
    return pd.DataFrame.from_records(rows, columns=["time", "kind", "payload"])


_TABLES: Mapping[str, Callable[[Run, Any], pandas.DataFrame]] = {
    "candidates": _candidates,
    "cohorts": _cohorts,
    "events": _events,
}
