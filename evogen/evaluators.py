"""Evaluators: the one seam between the engine and wherever the work is done. This one does it here."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from evogen.cohort import Cohort, Evaluation

Evaluate = Callable[[Cohort], tuple[Evaluation, ...]]


class Result(NamedTuple):
    """A finished cohort: evaluations in row order, seconds of work, and the worker's name."""

    cohort: int
    evaluations: tuple[Evaluation, ...]
    seconds: float
    worker: str


class Evaluator(Protocol):
    """Takes cohorts, gives them back evaluated, in any order."""

    slots: int

    def submit(self, cohort: Cohort) -> None:
        """Take a cohort; may return before it is evaluated."""
        ...

    def collect(self, patience: float = math.inf) -> Result | None:
        """Wait for any submitted cohort to finish and return it; None if none does in `patience` seconds."""
        ...

    def close(self) -> None:
        """Give all workers back."""
        ...


class Serial:
    """Evaluates in this process; the oldest cohort is evaluated when it is collected."""

    slots = 1

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate
        self._waiting: deque[Cohort] = deque()

    def submit(self, cohort: Cohort) -> None:
        """Take a cohort."""
        self._waiting.append(cohort)

    def collect(self, patience: float = math.inf) -> Result | None:
        """Evaluate the oldest cohort and return its result, however long it takes; None without patience."""
        if patience <= 0:
            return None
        cohort = self._waiting.popleft()
        start = time.perf_counter()
        evaluations = self._evaluate(cohort)
        return Result(cohort.index, evaluations, time.perf_counter() - start, "serial")

    def close(self) -> None:
        """Forget what was not collected."""
        self._waiting.clear()
