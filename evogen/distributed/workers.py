"""Evaluation on Ray actors: long-lived, one job at a time each; `evogen.distributed.jobs` keeps the books.

A worker that dies is replaced at once, without waiting for the new one to start. Actors that the cluster has
no room for wait there and begin when a node joins. Results are equal whatever the number of workers, their
order and their deaths. At most one job is outstanding per worker, and no object reference outlives its
result, so memory is bounded by what was submitted.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray import cloudpickle, exceptions

from evogen import stopwatch
from evogen.cohort import Cohort
from evogen.distributed.actor import Actor, Greeting, Returned, differences, versions
from evogen.distributed.cluster import Room, is_alive, join, plain
from evogen.distributed.jobs import Fault, Lease, Ledger
from evogen.errors import MemoryShortageError, WorkerError
from evogen.evaluators import Evaluate, Result

PATIENCE = 30
ROOM_SECONDS = 60.0
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_LOST = (
    exceptions.RayActorError,
    exceptions.WorkerCrashedError,
    exceptions.OutOfMemoryError,
    exceptions.ObjectLostError,
    exceptions.NodeDiedError,
)
_AWAY = (exceptions.ActorUnavailableError, exceptions.ObjectLostError, exceptions.NodeDiedError)


@dataclass(frozen=True)
class _Worker:
    """An actor; `node` is the Ray id of where it runs, once it has greeted."""

    name: str
    actor: Any
    node: str = ""


@dataclass(frozen=True)
class _Task:
    """What a worker is at; without a lease it is starting.

    Attributes:
        alive: resolves to a greeting if the worker was alive when it took the job.
        due: when the lease ends, on the monotonic clock.
    """

    worker: _Worker
    lease: Lease | None = None
    alive: Any = None
    due: float = math.inf


class RayEvaluator:
    """Evaluates on Ray actors. It returns from its constructor when the first worker is at hand, or is late.

    Args:
        evaluate: picklable, such as a `partial` of a module's function and its problem; placed in the object
            store once.
        workers: number of actors.
        cpus, gpus: of each; fractions are shares of one.
        address: of a running cluster; None starts one on this machine, which `close` ends.
        threads: of each worker's linear algebra, set before its libraries load.
        timeout: seconds for one job of any size; then its worker is killed, and halves of it run. None: any.
        raced: whether a candidate's bits depend on the others of its cohort.
        log: is told of what befalls workers, with a kind and JSON values by name, as Run.log is; not before
            the first `submit`.

    Raises:
        WorkerError: there is no cluster at the address, or a worker cannot evaluate there.
    """

    def __init__(
        self,
        evaluate: Evaluate,
        *,
        workers: int,
        cpus: float = 1.0,
        gpus: float = 0.0,
        address: str | None = None,
        threads: int = 1,
        timeout: float | None = None,
        raced: bool = False,
        log: Callable[..., None],
    ) -> None:
        self.slots = workers
        self._log = log
        self._room = Room(workers, cpus, gpus)
        self._limit = math.inf if timeout is None else timeout
        self._ledger = Ledger(raced=raced, limit=timeout, log=log)
        self._idle: deque[_Worker] = deque()
        self._busy: dict[Any, _Task] = {}
        self._late: dict[Any, _Task] = {}
        self._retired: list[_Worker] = []
        self._started = self._barren = 0
        self._proven = False
        self._versions = versions()
        self._joined = join(self._room, address)
        try:
            variables = dict.fromkeys(_THREADS, str(threads))
            if address is None:
                variables["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
            room: dict[str, Any] = {"num_cpus": cpus, "num_gpus": gpus}
            self._actor: Any = ray.remote(**room, runtime_env={"env_vars": variables})(Actor)
            self._parcel = ray.put(cloudpickle.dumps(evaluate))
            for _ in range(workers):
                self._start()
            ready, _ = ray.wait(list(self._busy), num_returns=1, timeout=ROOM_SECONDS)
            self._roomless = not ready
            for reference in ready:
                self._meet(reference)
        except BaseException:
            self.close()
            raise

    def submit(self, cohort: Cohort) -> None:
        """Take a cohort; it runs as soon as a worker is free."""
        self._ledger.submit(cohort)
        self._dispatch()

    def collect(self, patience: float = math.inf) -> Result | None:
        """Wait for any submitted cohort to finish and return it; None if none does in `patience` seconds.

        Raises:
            WorkerError: evaluation raised, no worker can start, or PATIENCE workers died in a row.
        """
        end = time.monotonic() + patience
        while not self._ledger.finished:
            self._dispatch()
            due = min([end, *(task.due for task in self._busy.values())])
            left = None if math.isinf(due) else max(due - time.monotonic(), 0.0)
            ready, _ = ray.wait(list(self._busy) + list(self._late), num_returns=1, timeout=left)
            for reference in ready:
                self._settle(reference)
            self._expire()
            if not ready and time.monotonic() >= end:
                return None
        return Result(*self._ledger.finished.popleft())

    def close(self) -> None:
        """End the workers, and the cluster if it was started here; what is in flight is dropped."""
        tasks = (*self._busy.values(), *self._late.values())
        for worker in (*(task.worker for task in tasks), *self._idle, *self._retired):
            ray.kill(worker.actor)
        for held in (self._busy, self._late, self._idle, self._retired):
            held.clear()
        if self._joined:
            ray.shutdown()

    def _start(self) -> None:
        actor = self._actor.remote(self._versions, self._parcel)
        self._busy[actor.greet.remote()] = _Task(_Worker(f"worker-{self._started}", actor))
        self._started += 1

    def _meet(self, reference: Any) -> None:
        """Settle the first greeting, unless the worker was lost: `collect` sees to that, and may log it."""
        try:
            ray.get(reference)
        except _LOST as error:
            if not getattr(error, "actor_init_failed", False):
                return
        except exceptions.RayError:
            pass
        self._settle(reference)

    def _dispatch(self) -> None:
        if self._roomless:
            self._roomless = False
            wanted = {"CPU": self._room.cpus, "GPU": self._room.gpus}
            self._log("waiting for room", each_worker=wanted, cluster=ray.cluster_resources())
        while self._ledger.waiting and self._idle:
            lease, worker = self._ledger.lease(), self._idle.popleft()
            alive = worker.actor.greet.remote()  # an actor does one thing after the other
            reference = worker.actor.work.remote(lease.cohort)
            self._busy[reference] = _Task(worker, lease, alive, time.monotonic() + self._limit)

    def _settle(self, reference: Any) -> None:
        late = reference in self._late
        task = self._late.pop(reference) if late else self._busy.pop(reference)
        try:
            found = ray.get(reference)
        except exceptions.RayError as error:
            if not late:
                self._fail(task, error)
        else:
            self._take(task, found)

    def _take(self, task: _Task, found: Greeting | Returned) -> None:
        if task.lease is None:
            assert isinstance(found, Greeting)
            self._welcome(task.worker, found)
            return
        assert isinstance(found, Returned)
        stopwatch.add(found.parts)
        if self._ledger.fill(task.lease, found.evaluations, found.seconds, worker=task.worker.name):
            self._idle.append(task.worker)
            self._barren, self._proven = 0, True

    def _welcome(self, worker: _Worker, greeting: Greeting) -> None:
        where = f"{worker.name} on {greeting.host} (node {greeting.node[:8]})"
        if found := differences(self._versions, greeting.versions):
            python = f"python {self._versions['python']} here, {greeting.versions['python']} there"
            text = f"{', '.join(found)} ({python}): install the same versions"
            self._refuse(worker, f"{where} has other versions: {text}")
        elif greeting.trouble:
            self._refuse(worker, f"{where} cannot start: it cannot read its work\n{greeting.trouble}")
        else:
            self._idle.append(replace(worker, node=greeting.node))

    def _refuse(self, worker: _Worker, text: str) -> None:
        """Do without a worker for good; its actor is kept, so that no other one is started in its place."""
        self._retired.append(worker)
        if not self._proven or len(self._retired) == self.slots:
            raise WorkerError(text)
        self._log("worker refused", worker=worker.name, error=text)

    def _fail(self, task: _Task, error: exceptions.RayError) -> None:
        """Take a lost worker, one that cannot start, want of memory, or an error that ends the search."""
        if isinstance(error, _LOST) and not getattr(error, "actor_init_failed", False):
            self._lose(task, _fault(task, error), plain(error))
        elif task.lease is None:
            node = getattr(error, "ip", "an unknown node")
            self._refuse(task.worker, f"{task.worker.name} on {node} cannot start:\n{plain(error)}")
        elif isinstance(getattr(error, "cause", None), MemoryError | MemoryShortageError):
            self._lose(task, Fault.DIED, plain(error))
        else:
            raise WorkerError(f"evaluation failed on {task.worker.name}:\n{plain(error)}") from error

    def _lose(self, task: _Task, fault: Fault, error: str) -> None:
        """Replace a worker, and say whose fault it was."""
        self._barren += fault in (Fault.DIED, Fault.IDLE)
        if self._barren == PATIENCE:
            raise WorkerError(f"{PATIENCE} workers died in a row without finishing anything:\n{error}")
        ray.kill(task.worker.actor)
        self._start()
        if task.lease is None:
            self._log("worker lost", worker=task.worker.name, fault=fault.value, error=error)
        else:
            self._ledger.fail(task.lease, fault, error, worker=task.worker.name)

    def _expire(self) -> None:
        """End the leases whose time is over, but for those whose result has come meanwhile."""
        now = time.monotonic()
        due = [reference for reference, task in self._busy.items() if task.due <= now]
        ready, over = ray.wait(due, num_returns=len(due), timeout=0) if due else ([], [])
        for reference in ready:
            self._settle(reference)
        for reference in over:
            task = self._late[reference] = self._busy.pop(reference)
            self._lose(task, Fault.OVERDUE, f"killed after {self._limit:g} seconds (compute.timeout)")


def _fault(task: _Task, error: exceptions.RayError) -> Fault:
    """Return why a worker was lost: the node's fault where Ray says so, nobody's if it did not work yet."""
    if isinstance(error, _AWAY) or "its node has died" in str(error):
        return Fault.LEFT
    if task.worker.node and not is_alive(task.worker.node):
        return Fault.LEFT
    if task.lease is None:
        return Fault.IDLE
    try:
        ray.get(task.alive, timeout=0)
    except (exceptions.RayError, exceptions.GetTimeoutError):
        return Fault.IDLE
    return Fault.DIED
