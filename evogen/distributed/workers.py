"""Evaluation on a Ray cluster: long-lived actors, one cohort at a time each.

A worker that dies is replaced, and what it held runs again with the same keys. A cohort that killed DEATHS
workers is taken apart into its candidates; a candidate that killed as many ends CRASHED. At most one cohort
is outstanding per worker, and no object reference outlives its result, so memory is bounded by what was
submitted.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import ray
from ray import exceptions

from evogen.cohort import Cohort, Evaluation, Outcome
from evogen.distributed.actor import Actor, Returned
from evogen.errors import WorkerError
from evogen.evaluation import Evaluate, Result

DEATHS = 3
PATIENCE = 30
_KNOCK_SECONDS = 10.0
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_LOST = (
    exceptions.RayActorError,
    exceptions.WorkerCrashedError,
    exceptions.OutOfMemoryError,
    exceptions.ObjectLostError,
)


@dataclass(frozen=True)
class _Job:
    """Consecutive candidates of a cohort from `row` on, and the number of workers that died of them."""

    cohort: Cohort
    row: int = 0
    deaths: int = 0

    def apart(self) -> list[_Job]:
        index = self.cohort.index
        return [_Job(Cohort(index, (one,)), row) for row, one in enumerate(self.cohort.individuals)]


@dataclass
class _Open:
    """What has come back of a submitted cohort."""

    size: int
    rows: dict[int, Evaluation] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class _Lease:
    """A worker and its job; without one it is starting, or idle."""

    name: str
    actor: Any
    job: _Job | None = None


class RayEvaluator:
    """Evaluates on Ray actors; equal results whatever their number, order and deaths.

    Args:
        evaluate: picklable, such as a `partial` of a module's function and its problem; placed in the object
            store once. It gives a candidate alone the bits that it gives it in a cohort.
        workers: number of actors, one CPU each.
        address: of a running cluster; None starts one on this machine, which `close` ends.
        threads: of each worker's linear algebra, set before its libraries load.
        log: is told of lost workers, with a kind and JSON values by name, as Run.log is.

    Raises:
        WorkerError: there is no cluster at the address.
    """

    def __init__(
        self,
        evaluate: Evaluate,
        *,
        workers: int,
        address: str | None = None,
        threads: int = 1,
        log: Callable[..., None],
    ) -> None:
        self.slots = workers
        self._log = log
        self._joined = _join(workers, address)
        variables = dict.fromkeys(_THREADS, str(threads))
        if address is None:
            variables["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        self._actor: Any = ray.remote(num_cpus=1, runtime_env={"env_vars": variables})(Actor)
        self._evaluate = ray.put(evaluate)
        self._queue: deque[_Job] = deque()
        self._open: dict[int, _Open] = {}
        self._done: deque[Result] = deque()
        self._idle: deque[_Lease] = deque()
        self._busy: dict[Any, _Lease] = {}
        self._started = self._barren = 0
        for _ in range(workers):
            self._start()

    def submit(self, cohort: Cohort) -> None:
        """Take a cohort; it runs as soon as a worker is free."""
        self._open[cohort.index] = _Open(len(cohort.individuals))
        self._queue.append(_Job(cohort))
        self._dispatch()

    def collect(self) -> Result:
        """Wait for any submitted cohort to finish and return it.

        Raises:
            WorkerError: evaluation raised, a worker cannot start, or PATIENCE workers died in a row.
        """
        while not self._done:
            self._dispatch()
            ready, _ = ray.wait(list(self._busy), num_returns=1)
            self._settle(ready[0], self._busy.pop(ready[0]))
        return self._done.popleft()

    def close(self) -> None:
        """End the workers, and the cluster if it was started here; what is in flight is dropped."""
        for lease in (*self._busy.values(), *self._idle):
            ray.kill(lease.actor)
        self._busy.clear()
        self._idle.clear()
        if self._joined:
            ray.shutdown()

    def _start(self) -> None:
        actor = self._actor.remote(self._evaluate)
        self._busy[actor.ready.remote()] = _Lease(f"worker-{self._started}", actor)
        self._started += 1

    def _dispatch(self) -> None:
        while self._queue and self._idle:
            job, lease = self._queue.popleft(), self._idle.popleft()
            self._busy[lease.actor.work.remote(job.cohort)] = replace(lease, job=job)

    def _settle(self, reference: Any, lease: _Lease) -> None:
        try:
            returned = ray.get(reference)
        except _LOST as error:
            self._replace(lease, error)
            return
        except exceptions.RayError as error:
            raise WorkerError(f"evaluation failed on {lease.name}:\n{_plain(error)}") from error
        self._idle.append(replace(lease, job=None))
        if lease.job is not None:
            self._barren = 0
            self._fill(lease, lease.job, returned)

    def _fill(self, lease: _Lease, job: _Job, returned: Returned) -> None:
        index = job.cohort.index
        found = self._open[index]
        found.rows.update(enumerate(returned.evaluations, job.row))
        found.seconds += returned.seconds
        if len(found.rows) == found.size:
            del self._open[index]
            rows = tuple(found.rows[row] for row in range(found.size))
            self._done.append(Result(index, rows, found.seconds, lease.name))

    def _replace(self, lease: _Lease, error: exceptions.RayError) -> None:
        self._barren += 1
        if getattr(error, "actor_init_failed", False):
            raise WorkerError(f"{lease.name} cannot start:\n{_plain(error)}") from error
        if self._barren == PATIENCE:
            raise WorkerError(
                f"{PATIENCE} workers died in a row without finishing anything:\n{_plain(error)}"
            )
        ray.kill(lease.actor)
        self._start()
        if lease.job is None:
            self._log("worker lost", worker=lease.name, error=_plain(error))
        else:
            self._retry(lease, replace(lease.job, deaths=lease.job.deaths + 1), _plain(error))

    def _retry(self, lease: _Lease, job: _Job, error: str) -> None:
        place = {"cohort": job.cohort.index, "row": job.row, "candidates": len(job.cohort.individuals)}
        self._log("worker lost", worker=lease.name, **place, deaths=job.deaths, error=error)
        if job.deaths < DEATHS:
            self._queue.appendleft(job)
        elif len(job.cohort.individuals) > 1:
            self._queue.extendleft(reversed(job.apart()))
        else:
            message = f"killed {DEATHS} workers, the last so:\n{error}"
            self._fill(lease, job, Returned((Evaluation(Outcome.CRASHED, message=message),), 0.0))


def _plain(error: exceptions.RayError) -> str:
    return re.sub(r"\x1b\[\d*m", "", str(error))  # Ray colours its tracebacks


def _join(workers: int, address: str | None) -> bool:
    """Join a cluster, or start one here; False if this process is in one already."""
    if ray.is_initialized():
        return False
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address is None:
            ray.init(address="local", num_cpus=workers, include_dashboard=False, **quiet)
        else:
            _knock(address)
            ray.init(address=address, **quiet)
    except Exception as error:  # Ray raises it bare where a node starts too late
        where = "this machine, try again when it is less busy" if address is None else address
        raise WorkerError(f"cannot use Ray on {where}; or evaluate without workers: {error}") from error
    return True


def _knock(address: str) -> None:
    """Fail in seconds where nothing listens at HOST:PORT; Ray itself tries for minutes."""
    host, _, port = address.rpartition(":")
    if "/" not in address and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_KNOCK_SECONDS).close()
