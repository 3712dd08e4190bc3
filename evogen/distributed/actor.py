"""What runs inside a worker process; imports nothing that the evaluate function does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from evogen.cohort import Cohort, Evaluation


class Returned(NamedTuple):
    """Evaluations in row order, and the seconds that they took."""

    evaluations: tuple[Evaluation, ...]
    seconds: float


class Actor:
    """Holds the evaluate function for as long as the worker lives."""

    def __init__(self, evaluate: Callable[[Cohort], tuple[Evaluation, ...]]) -> None:
        self._evaluate = evaluate

    def ready(self) -> None:
        """Return as soon as the worker has started."""

    def work(self, cohort: Cohort) -> Returned:
        """Evaluate a cohort."""
        start = time.perf_counter()
        evaluations = self._evaluate(cohort)
        return Returned(evaluations, time.perf_counter() - start)
