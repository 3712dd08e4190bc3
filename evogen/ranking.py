"""Who is best in a run, by the goals of its search."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import chain

from evogen.runs import Run
from evogen.strategies import Told
from evogen.strategies.goals import Goals


def leaders(run: Run, count: int) -> list[Told]:
    """Return the best candidates by `Told.merit`, best first, the first told of equals first."""
    return heapq.nlargest(count, _scored(run), key=lambda told: told.merit)


def front(run: Run) -> list[Told]:
    """Return the candidates that no other one dominates, best by the first objective first.

    One dominates another that breaks the constraints by more, or as much if it is at least as good by every
    objective and better by one (Deb 2000). The first told stands for all that are equal in everything.
    """
    found: list[Told] = []
    for told in _scored(run):
        if not any(_covers(other, told) for other in found):
            found = [other for other in found if not _covers(told, other)]
            found.append(told)
    return sorted(found, key=lambda told: told.merit, reverse=True)


def objectives(goals: Goals, told: Told) -> dict[str, float]:
    """Return the values of the objectives by their names, as they were measured; empty unless it ended OK."""
    if told.fitness is None:
        return {}
    pairs = zip(goals.objectives.items(), (told.fitness, *told.others), strict=True)
    return {name: value if direction == "maximise" else -value for (name, direction), value in pairs}


def _scored(run: Run) -> Iterator[Told]:
    goals = run.goals
    cohorts = chain.from_iterable(run.results(cohort, goals) for cohort in range(run.told))
    return (told for told in cohorts if told.fitness is not None)


def _covers(one: Told, other: Told) -> bool:
    """Whether one dominates the other or equals it."""
    if one.violation != other.violation:
        return one.violation < other.violation
    pairs = zip((one.fitness, *one.others), (other.fitness, *other.others), strict=True)
    return all(a is not None and b is not None and a >= b for a, b in pairs)
