"""How far a run is: what `evogen status` says. It imports no torch, so that it answers at once."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from evogen import ranking
from evogen.budget import Ending, ended
from evogen.runs import Run, store
from evogen.strategies.goals import Goals
from evogen.terminal import number


def lines(run: Run) -> Iterator[str]:
    """Say how far a run is, how it goes and who is at work on it."""
    said = [event.payload.get("cohorts") for event in run.events() if "cohorts" in event.payload]
    planned = [count for count in said if count is None or type(count) is int]
    outcomes, timings = run.outcomes(), run.timings()
    ago = f", the last one {_ago(timings[-1].committed)}" if timings else ""
    yield f"run       {run.path}"
    yield f"cohorts   {run.told}/{(planned[-1] if planned else None) or '?'} committed{ago}"
    if (leader := run.leader()) is not None:
        row, goals = run.row(leader.ref), run.goals
        yield f"best      {scored(row.fitness, row.scores)}, candidate {leader.ref}"
        if goals != Goals():
            yield f"          by {aims(ranking.objectives(goals, leader), leader.violation)}"
    yield f"outcomes  {'  '.join(f'{outcome} {count}' for outcome, count in outcomes.items())}"
    if (repairs := run.repairs()) is not None:
        yield f"repairs   {repairs[0]} in {repairs[1]} of the candidates, to keep the constraints"
    yield from (f"mirror    {text}" for text in _mirror(run))
    whole = ended(run) is Ending.COMPLETE or bool(planned and planned[-1] and run.told >= planned[-1])
    if (writer := store.writer(run.path)) is not None:
        yield f"writer    {writer}"
    elif not whole:
        yield f"unfinished, and no process is at work on it: go on with 'evogen resume {run.path}'"


def scored(fitness: float | None, scores: Sequence[float]) -> str:
    """Return `mean ± standard deviation` over the born agents."""
    if fitness is None:
        return "none"
    spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
    return f"{number(fitness)} ± {spread:.2g} (sd over {len(scores)} born agents)"


def aims(values: Mapping[str, float], violation: float | None) -> str:
    """Return the values of the objectives, and by how much the constraints are broken."""
    said = ", ".join(f"{name} {number(value)}" for name, value in values.items())
    return f"{said or 'none'}{f'; breaks the constraints by {number(violation)}' if violation else ''}"


def _mirror(run: Run) -> Iterator[str]:
    """Say where the newest state of each mirror is, and what failed since."""
    last = {
        str(event.payload.get("url")): event
        for event in run.events()
        if event.kind in ("mirrored", "mirror failed")
    }
    for url, event in last.items():
        failed = event.kind == "mirror failed"
        said = (
            f"failed: {event.payload.get('what')}" if failed else f"has {event.payload.get('told')} cohorts"
        )
        yield f"{url} {said}, {_ago(event.time)}"


def _ago(moment: float) -> str:
    return f"{timedelta(seconds=round(time.time() - moment))} ago"
