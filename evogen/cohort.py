"""Cohort and Evaluation: what is sent out together, and what comes back for each candidate.

A candidate is named by its place, `COHORT:ROW`, because two candidates may have equal genomes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from evogen.genome import Array, Genome


class Outcome(StrEnum):
    """How a candidate ended; every kind but OK ranks last and has no fitness."""

    OK = "ok"
    DIVERGED = "diverged"
    INVALID = "invalid"
    TIMEOUT = "timeout"
    CRASHED = "crashed"

    @property
    def sentence(self) -> str:
        """One sentence for people."""
        return _SENTENCES[self]


_SENTENCES = {
    Outcome.OK: "was developed, trained and scored",
    Outcome.DIVERGED: "became non-finite in its inner loop or its score",
    Outcome.INVALID: "could not be developed from its genome",
    Outcome.TIMEOUT: "did not finish in the time allowed",
    Outcome.CRASHED: "raised an error or killed its worker",
}


class Ref(NamedTuple):
    """The place of a candidate in its run."""

    cohort: int
    row: int

    def __str__(self) -> str:
        return f"{self.cohort}:{self.row}"


@dataclass(frozen=True)
class Individual:
    """A genome and how it came about: the parents' places and the operators' names."""

    genome: Genome
    parents: tuple[Ref, ...] = ()
    operator: str = "random"


@dataclass(frozen=True)
class Cohort:
    """The fixed group of genomes that is developed, batched, dispatched and seeded together.

    Attributes:
        index: in the search.
        individuals: one a row.
        absent: rows that are not evaluated but keep their place, because a race is cut by the whole cohort.
    """

    index: int
    individuals: tuple[Individual, ...]
    absent: frozenset[int] = frozenset()

    @property
    def present(self) -> tuple[int, ...]:
        """The rows that are evaluated, in order."""
        return tuple(row for row in range(len(self.individuals)) if row not in self.absent)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One candidate's outcome.

    Attributes:
        outcome: how it ended.
        fitness: mean score over the born agents on the search's own episodes or folds; None unless OK. Higher
            is better.
        scores: one per born agent, mean over its episodes.
        metrics: further numbers by the names of `evogen.measures` and of metrics, and in a race the `rung`
            (from 1) at which the candidate left, see `evogen.learning.racing`.
        curve: the inner loop's own measure (return or accuracy), evenly spaced from start to end.
        steps: environment steps, or samples, that the inner loop spent.
        tuned: innovation id to the tuned expression of that gene (see Genome); stored for every candidate,
            written back to the genome only under Lamarckian inheritance.
        tuned_rules: tuned O and c, where the inner loop may tune them.
        message: what went wrong, with its traceback; empty for OK.
    """

    outcome: Outcome
    fitness: float | None = None
    scores: tuple[float, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    curve: tuple[float, ...] = ()
    steps: int = 0
    tuned: Mapping[int, Mapping[str, Array]] = field(default_factory=dict)
    tuned_rules: Mapping[str, Array] = field(default_factory=dict)
    message: str = ""

    def __post_init__(self) -> None:
        if (self.fitness is not None) != (self.outcome is Outcome.OK):
            raise ValueError(f"outcome {self.outcome} with fitness {self.fitness}")


def rank(evaluation: Evaluation) -> float:
    """Return the number that selection sorts by, higher is better: the fitness, or -inf."""
    return evaluation.fitness if evaluation.fitness is not None else float("-inf")
