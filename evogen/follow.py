"""What `evogen status --follow` shows: the same as the process that searches, read from the run's folder."""

from __future__ import annotations

import time
from collections.abc import Iterator

from rich.console import Console

from evogen.budget import finished, length, share, spent
from evogen.cohort import Cohort, Evaluation
from evogen.engine import Committed
from evogen.experiment import experiment_of
from evogen.progress import tally_of, watch
from evogen.runs import Run, store
from evogen.schema import Search

_PATIENCE = 2  # looks in a row without a writer: a new folder is locked a moment after it was made


def follow(console: Console, run: Run, *, seconds: float = 1.0) -> bool:
    """Show a run that another process writes to; return whether it is finished once nobody is at work on it.

    Args:
        console: to show it on: a live display on a terminal, elsewhere a line per committed cohort.
        run: open for reading.
        seconds: between two looks.
    """
    search = experiment_of(run).search
    tally = tally_of(run, search, slots=_slots(run))
    absent = 0
    with watch(console, tally) as see:
        if not console.is_terminal:
            console.print(tally.line(), highlight=False, soft_wrap=True)
        while True:
            search = experiment_of(run).search  # `resume --set` may have changed it
            tally.cohorts = length(search)
            for event in _news(run, tally.told, search):
                see(event)
            if finished(run, search):
                return True
            absent = 0 if store.writer(run.path) is not None else absent + 1
            if absent >= _PATIENCE:
                return False
            time.sleep(seconds)


def _news(run: Run, told: int, search: Search) -> Iterator[Committed]:
    """Iterate over the cohorts committed since `told` of them were."""
    now, timings = run.told, run.timings()
    spent_now = share(search, spent(run))
    end = length(search)
    for index in range(told, now):
        evaluations = tuple(
            Evaluation(row.outcome, row.fitness, row.scores, row.metrics, row.curve, row.steps)
            for row in run.rows(begin=index, end=index + 1)
        )
        left = search.lookahead if end is None else max(min(search.lookahead, end - index - 1), 0)
        _, seconds, worker, _ = timings[index]
        yield Committed(Cohort(index, ()), evaluations, seconds, worker, index + 1, left, spent_now)


def _slots(run: Run) -> int:
    """Return the workers that the last session began with."""
    found = [event.payload["slots"] for event in run.events() if "slots" in event.payload]
    return int(found[-1]) if found else 1
