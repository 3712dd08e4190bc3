"""Who is best in a run, by the goals of its search."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from evogen.runs import Run
from evogen.strategies import Told
from evogen.strategies.goals import Goals


def leaders(run: Run, count: int) -> list[Told]:
    """Return the best candidates by `Told.merit`, best first, the first told of equals first."""
    return best(_scored(run), count)


def best(told: Iterable[Told], count: int) -> list[Told]:
    """Return the best of these by `Told.merit`, best first, the first of equals first."""
    scored = (one for one in told if one.fitness is not None)
    return heapq.nlargest(count, scored, key=lambda one: one.merit)


def front(run: Run) -> list[Told]:
    """Return the candidates that no other one dominates, best by the first objective first."""
    return dominant(list(_scored(run)))


def dominant(told: Sequence[Told]) -> list[Told]:
    """Return those with a fitness that no other one dominates, best by the first objective first.

    One dominates another that breaks the constraints by more, or as much if it is at least as good by every
    objective and better by one (Deb 2000). The first told stands for all that are equal in everything.
    """
    scored = [one for one in told if one.fitness is not None]
    least = min((one.violation for one in scored), default=0.0)
    kept = [one for one in scored if one.violation == least]
    values = np.array([(one.fitness, *one.others) for one in kept], dtype=float)
    found = [kept[at] for at in sorted(_uncovered(values))]
    return sorted(found, key=lambda one: one.merit, reverse=True)


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


def _uncovered(values: npt.NDArray[np.float64]) -> list[int]:
    """Return the rows of (P, M) that no other, nor an earlier equal one, is at least as good as throughout.

    In descending lexicographic order whoever is left first is covered by no one.
    """
    found: list[int] = []
    left = np.lexsort((np.arange(len(values)), *-values.T[::-1])) if len(values) else np.arange(0)
    if left.size and values.shape[1] == 2:  # whose second number beats all before, at no cost of pairs
        second = values[left, 1]
        best = np.maximum.accumulate(np.concatenate([[-np.inf], second[:-1]]))
        return [int(at) for at in left[second > best]]
    while left.size:
        first, left = left[0], left[1:]
        found.append(int(first))
        left = left[np.any(values[left] > values[first], axis=1)]
    return found
