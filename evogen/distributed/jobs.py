"""The books of distributed evaluation: jobs, leases, who is to blame for a lost worker. No Ray here.

A job is some candidates of one cohort; a lease is one dispatch of a job. What is lost is leased again, with
the same keys. A cohort that killed DEATHS workers, or hung once, is halved, and so on down to single
candidates: one that kills DEATHS workers by itself ends CRASHED, one that hangs TIMEOUT.

Where a candidate alone gives the bits that it gives in its cohort, the halves' results are kept. Where it
does not (a race), halves only find the guilty, and the rest of the cohort then runs once more, together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from evogen.cohort import Cohort, Evaluation, Outcome

DEATHS = 3
MOVES = 10


class Fault(StrEnum):
    """Why a lease ended without a result."""

    DIED = "died"  # at work, for want of memory or of its own
    OVERDUE = "overdue"  # its time was over, so it was killed
    LEFT = "left"  # the node left or cannot be reached: nobody's fault, but after MOVES such losses a death
    IDLE = "idle"  # it died before it began with the job: nobody's fault


@dataclass(frozen=True)
class Job:
    """Candidates of a cohort.

    Attributes:
        cohort: the whole cohort.
        rows: of the candidates.
        deaths: workers that died of it.
        moves: nodes that left under it.
        part: it is a part of what was halved, so that one death is enough to halve it again.
        last: it is what was left of a raced cohort; it is not halved once more.
    """

    cohort: Cohort
    rows: tuple[int, ...]
    deaths: int = 0
    moves: int = 0
    part: bool = False
    last: bool = False

    def halves(self) -> tuple[Job, Job]:
        """Return its two parts, which begin anew."""
        cut = len(self.rows) // 2
        return Job(self.cohort, self.rows[:cut], part=True), Job(self.cohort, self.rows[cut:], part=True)


@dataclass(frozen=True)
class Lease:
    """One dispatch of a job: its own epoch, and what to evaluate."""

    epoch: int
    job: Job
    cohort: Cohort


class Finished(NamedTuple):
    """A whole cohort: see `evogen.evaluators.Result`."""

    cohort: int
    evaluations: tuple[Evaluation, ...]
    seconds: float
    worker: str


@dataclass
class _Open:
    """What is known of a submitted cohort: evaluations by row, and rows that were found to be innocent."""

    rows: dict[int, Evaluation] = field(default_factory=dict)
    innocent: set[int] = field(default_factory=set)
    seconds: float = 0.0


class Ledger:
    """Which jobs wait, which are leased, which cohorts are finished; the queue is first in, first out.

    Args:
        raced: whether a candidate's bits depend on the others of its cohort.
        limit: seconds that a lease may take, for the text of TIMEOUT.
        log: is told of faults and late results, with a kind and JSON values by name.
    """

    def __init__(self, *, raced: bool, limit: float | None, log: Callable[..., None]) -> None:
        self._raced = raced
        self._limit = limit
        self._log = log
        self._queue: deque[Job] = deque()
        self._open: dict[int, _Open] = {}
        self._leased: dict[int, Job] = {}
        self._epochs = 0
        self.finished: deque[Finished] = deque()

    @property
    def waiting(self) -> bool:
        """Whether a job waits for a worker."""
        return bool(self._queue)

    def submit(self, cohort: Cohort) -> None:
        """Take a cohort."""
        self._open[cohort.index] = _Open()
        self._queue.append(Job(cohort, cohort.present))

    def lease(self) -> Lease:
        """Give out the next job."""
        job = self._queue.popleft()
        lease = Lease(self._epochs, job, self._cut(job))
        self._epochs += 1
        self._leased[lease.epoch] = job
        return lease

    def fill(self, lease: Lease, evaluations: Sequence[Evaluation], seconds: float, *, worker: str) -> bool:
        """Take what came back of a lease; False, and nothing is taken, if it had ended before."""
        job = self._leased.pop(lease.epoch, None)
        if job is None:
            self._log("late result dropped", worker=worker, epoch=lease.epoch, **_place(lease.job))
            return False
        found = self._open[job.cohort.index]
        found.seconds += seconds
        if self._raced and job.part:
            found.innocent.update(job.rows)
        else:
            found.rows.update(zip(job.rows, evaluations, strict=True))
        self._close(job, worker)
        return True

    def fail(self, lease: Lease, fault: Fault, error: str, *, worker: str) -> None:
        """Take note that a lease ended without a result; its job waits again, whole or in halves, or ends."""
        job = self._leased.pop(lease.epoch, None)
        if job is None:
            return
        counts = fault is Fault.DIED or (fault is Fault.LEFT and job.moves >= MOVES)
        job = replace(job, deaths=job.deaths + counts, moves=job.moves + (fault is Fault.LEFT))
        self._log(
            "worker lost", worker=worker, fault=fault.value, **_place(job), deaths=job.deaths, error=error
        )
        one = len(job.rows) == 1 or job.last
        if fault is Fault.OVERDUE and one:
            text = f"did not finish within compute.timeout, {self._limit:g} seconds"
            self._end(job, Evaluation(Outcome.TIMEOUT, message=text), worker)
        elif not one and (fault is Fault.OVERDUE or job.deaths >= (1 if job.part else DEATHS)):
            self._queue.extendleft(reversed(job.halves()))
        elif job.deaths >= DEATHS:
            text = f"killed {job.deaths} workers, the last so:\n{error}"
            self._end(job, Evaluation(Outcome.CRASHED, message=text), worker)
        else:
            self._queue.appendleft(job)

    def _cut(self, job: Job) -> Cohort:
        """Return what to evaluate; in a race the others keep their places, for the whole cohort cuts it."""
        cohort = job.cohort
        if job.rows == cohort.present:
            return cohort
        if self._raced:
            return replace(cohort, absent=frozenset(range(len(cohort.individuals))) - {*job.rows})
        return Cohort(cohort.index, tuple(cohort.individuals[row] for row in job.rows))

    def _end(self, job: Job, evaluation: Evaluation, worker: str) -> None:
        self._open[job.cohort.index].rows.update(dict.fromkeys(job.rows, evaluation))
        self._close(job, worker)

    def _close(self, job: Job, worker: str) -> None:
        """Finish a cohort of which everything is known, or send what is left of a raced one out again."""
        cohort, found = job.cohort, self._open[job.cohort.index]
        if len(found.rows) + len(found.innocent) < len(cohort.present):
            return
        if found.innocent:
            self._queue.appendleft(Job(cohort, tuple(sorted(found.innocent)), last=True))
            found.innocent.clear()
            return
        del self._open[cohort.index]
        rows = tuple(found.rows[row] for row in cohort.present)
        self.finished.append(Finished(cohort.index, rows, found.seconds, worker))


def _place(job: Job) -> dict[str, int]:
    return {"cohort": job.cohort.index, "row": job.rows[0], "candidates": len(job.rows)}
