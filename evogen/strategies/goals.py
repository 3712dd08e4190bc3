"""Goals: what a search is told to maximise, minimise and keep within bounds.

A bound b on a measure m is broken by max(0, m - b) / max(1, |b|), and the excesses of all bounds are added
up: candidates are compared by violation first, by objectives only among equals (Deb 2000).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

from evogen.cohort import Ref
from evogen.strategies import Told

Direction = Literal["maximise", "minimise"]
Bound = Literal["at_most", "at_least"]


UNKNOWN = 1e9  # the violation of a bound on what could not be measured; a state in JSON holds no infinity


def measured_in(fitness: float | None, metrics: Mapping[str, float], steps: int) -> dict[str, float] | None:
    """Return all measures of a candidate by name; None unless it ended OK."""
    return None if fitness is None else {**metrics, "fitness": fitness, "steps": float(steps)}


class Goals(NamedTuple):
    """Objectives by the name of their measure, the first one first, and bounds likewise."""

    objectives: Mapping[str, Direction] = {"fitness": "maximise"}
    constraints: Mapping[str, Mapping[Bound, float]] = {}

    def told(self, ref: Ref, metrics: Mapping[str, float] | None) -> Told:
        """Return what a strategy is told of a candidate; None for one that did not end OK."""
        if metrics is None:
            return Told(ref, None)
        values = [_turned(metrics, *goal) for goal in self.objectives.items()]
        if not all(map(math.isfinite, values)):
            return Told(ref, None)
        return Told(ref, values[0], tuple(values[1:]), self._violation(metrics), metrics)

    def _violation(self, metrics: Mapping[str, float]) -> float:
        return math.fsum(
            _excess(metrics.get(name, math.nan), bound, limit)
            for name, bounds in self.constraints.items()
            for bound, limit in bounds.items()
        )


def _turned(metrics: Mapping[str, float], name: str, direction: Direction) -> float:
    value = metrics.get(name, math.nan)
    return value if direction == "maximise" else -value


def _excess(value: float, bound: Bound, limit: float) -> float:
    over = value - limit if bound == "at_most" else limit - value
    return max(0.0, over) / max(1.0, abs(limit)) if math.isfinite(over) else UNKNOWN
