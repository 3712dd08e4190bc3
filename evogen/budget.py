"""How far a search is: what it may spend, what it has spent, and how a drive of it ended.

A search ends with the first of its limits. Cohorts and candidates are known before (candidates are rounded up
to whole cohorts); steps are those of the committed evaluations in the order of their cohorts, so that end is
the same wherever it is computed. Hours are those in which a process was at work on the run: where they end
depends on the machine and cannot be reproduced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from evogen.cohort import Evaluation
from evogen.runs import Run

if TYPE_CHECKING:
    from evogen.schema import Search

BEGUN = ("started", "resumed")


class Ending(StrEnum):
    """How a drive ended."""

    COMPLETE = "complete"
    STOPPED = "stopped"
    TERMINATED = "terminated"

    @property
    def sentence(self) -> str:
        """One sentence for people."""
        return _SENTENCES[self]


_SENTENCES = {
    Ending.COMPLETE: "the search has spent what it may",
    Ending.STOPPED: "stopped on request; what was in flight is evaluated again on resume",
    Ending.TERMINATED: "ended by SIGTERM; what was in flight is evaluated again on resume",
}


@dataclass(frozen=True)
class Spent:
    """What the committed cohorts of a run took; `seconds` are of the wall clock, over all its sessions."""

    cohorts: int = 0
    candidates: int = 0
    steps: int = 0
    seconds: float = 0.0

    def after(self, evaluations: Sequence[Evaluation]) -> Spent:
        """Return what is spent with one more cohort."""
        steps = self.steps + sum(evaluation.steps for evaluation in evaluations)
        return replace(
            self, cohorts=self.cohorts + 1, candidates=self.candidates + len(evaluations), steps=steps
        )


def spent(run: Run) -> Spent:
    """Return what a run has spent so far, without a session that is still at work."""
    return Spent(run.told, *run.totals(), _seconds(run))


def length(search: Search) -> int | None:
    """Return the number of cohorts after which a search ends at the latest; None if that is not known."""
    ends = [] if search.cohorts is None else [search.cohorts]
    if search.candidates is not None:
        ends.append(-(-search.candidates // search.cohort_size))
    return min(ends, default=None)


def share(search: Search, spent: Spent) -> float:
    """Return the part that is spent of the limit that is nearest, in [0, 1]; 1 is the end of the search."""
    parts = [
        (spent.cohorts, length(search)),
        (max(spent.steps, spent.candidates), search.steps),  # a candidate counts as one: failures take none
        (spent.seconds, None if search.hours is None else 3600 * search.hours),
    ]
    return min(max(have / limit for have, limit in parts if limit is not None), 1.0)


def finished(run: Run, search: Search) -> bool:
    """Whether a run has reached the end of its search."""
    return share(search, spent(run)) >= 1.0


def ended(run: Run) -> Ending | None:
    """Return how the last session of a run ended; None if it did not, or was killed."""
    kinds = [event.kind for event in run.events() if event.kind in (*BEGUN, *Ending)]
    return Ending(kinds[-1]) if kinds and kinds[-1] not in BEGUN else None


def _seconds(run: Run) -> float:
    """Return the sum over sessions; one that was killed counts up to its last commit."""
    moments = [(event.time, event.kind) for event in run.events() if event.kind in (*BEGUN, *Ending)]
    moments += [(timing.committed, "") for timing in run.timings()]
    total, began, last = 0.0, None, 0.0
    for moment, kind in sorted(moments):
        if began is not None and kind in (*BEGUN, *Ending):
            total += (last if kind in BEGUN else moment) - began
            began = None
        if kind in BEGUN:
            began = moment
        last = moment
    return total if began is None else total + last - began
