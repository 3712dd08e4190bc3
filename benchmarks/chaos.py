"""What disturbances cost: throughput and bits of a search that is disturbed, beside the same one at peace.

Eight Ray workers on a cluster of two nodes on this machine evaluate cohorts of 8; a candidate sleeps 0.1 s
and does some arithmetic. In the disturbed run

    a worker is killed with SIGKILL every 10 s
    a node is removed after a third of the time, and another one is added as soon as it is gone
    1 % of the candidates raise, one hangs for ever, one allocates until it is killed (at a limit of its own)

Both runs last equally long, are stored, and are compared: candidates committed, candidates lost or counted
twice, and the bits of every candidate that did not misbehave. The strategy is random search, so that the two
breed the same genomes although outcomes differ.

`python benchmarks/chaos.py [--quick] [--json FILE]`
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import ray
from ray.cluster_utils import Cluster

from evogen.budget import Ending
from evogen.cohort import Cohort, Evaluation, Individual, Outcome
from evogen.distributed.workers import RayEvaluator
from evogen.engine import Committed, Event, drive
from evogen.genome import Gene, Genome, Rules, frozen
from evogen.keys import Key
from evogen.runs import Run, records
from evogen.schema import Inheritance, Search
from evogen.strategies import Scene, State

KEY = Key(4)
WORKERS, SIZE, LOOKAHEAD = 8, 8, 256
NAP = 0.1  # seconds of a candidate
ROOM = 128 * 2**20  # bytes that the greedy one may take
HANGS, GREEDY = (6, 3), (9, 5)  # cohort, row


@dataclass(frozen=True)
class Plan:
    """How long, and how often what happens; seconds."""

    length: float
    kill_every: float
    timeout: float


def genome(cohort: int, row: int) -> Genome:
    """Return the candidate of this place: the only thing that decides what becomes of it."""
    random = KEY.child("genome", cohort, row).generator()
    rules = Rules((0, 1, 2), frozen(random.normal(size=(3, 3))), frozen(random.normal(size=(2, 4))))
    return Genome(rules, Gene(0, ()), (Gene(1, (3, 1, 4)),), {})


class Blind:
    """Random search, told of nothing."""

    def start(self) -> State:
        return {}

    def ask(self, state: State, cohort: int, size: int, *, scene: Scene) -> tuple[Individual, ...]:  # noqa: ARG002
        return tuple(Individual(genome(cohort, row)) for row in range(size))

    def tell(self, state: State, results: object, *, scene: Scene) -> State:  # noqa: ARG002
        return state


def raises(name: str) -> bool:
    """Whether the candidate with this id is one of the 1 % that raise."""
    return int(name[:8], 16) < 0.01 * 2**32


def evaluate(folder: Path, disturbed: bool, cohort: Cohort) -> tuple[Evaluation, ...]:
    """Evaluate, and misbehave where it is due."""
    (folder / str(os.getpid())).touch()
    names = [individual.genome.id for individual in cohort.individuals]
    if disturbed and genome(*HANGS).id in names:
        time.sleep(3600)
    if disturbed and genome(*GREEDY).id in names:
        grow()
    return tuple(one(name, disturbed) for name in names)


def one(name: str, disturbed: bool) -> Evaluation:
    random = KEY.child("life", name).generator()
    matrix = random.normal(size=(64, 64))
    score = float(np.linalg.norm(matrix @ matrix))
    time.sleep(NAP)
    if disturbed and raises(name):
        return Evaluation(Outcome.CRASHED, message="it raised")
    return Evaluation(Outcome.OK, fitness=score, scores=(score,), steps=64)


def grow() -> None:
    """Allocate until there is no more, then die as the kernel's killer would have it."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, used + ROOM))
    hoard = []
    with suppress(MemoryError):
        while True:
            hoard.append(np.ones(2**21))
    os.kill(os.getpid(), signal.SIGKILL)


class Trouble:
    """Kills workers and exchanges a node from a thread of its own, and counts what it did."""

    def __init__(self, cluster: Cluster, node: object, folder: Path, plan: Plan) -> None:
        self.kills = self.removed = self.added = 0
        self._cluster, self._node, self._folder, self._plan = cluster, node, folder, plan
        self._over = threading.Event()
        self._threads = [threading.Thread(target=work) for work in (self._kill, self._exchange)]

    @contextmanager
    def about(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        yield
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _kill(self) -> None:
        chance = random.Random(0)
        while not self._over.wait(self._plan.kill_every):
            alive = sorted(int(path.name) for path in self._folder.iterdir() if is_worker(int(path.name)))
            if alive:
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(alive), signal.SIGKILL)
                    self.kills += 1

    def _exchange(self) -> None:
        if not self._over.wait(self._plan.length / 3):
            self._cluster.remove_node(self._node, allow_graceful=False)
            self.removed += 1
            while not self.added and not self._over.is_set():
                with suppress(Exception):  # Ray raises it bare where a node starts too late
                    self._cluster.add_node(num_cpus=WORKERS // 2)
                    self.added += 1


def is_worker(pid: int) -> bool:
    """Whether a worker that left its process id is still the process of that id."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::")
    return False


@dataclass
class Told:
    """When cohorts were committed, on the monotonic clock."""

    moments: list[float]

    def see(self, event: Event) -> None:
        if isinstance(event, Committed):
            self.moments.append(time.monotonic())


def session(folder: Path, plan: Plan, *, disturbed: bool) -> tuple[Run, dict[str, object]]:
    """Search for so long on a fresh cluster; return the run, open, and what is known of the session."""
    pids = folder / "pids"
    pids.mkdir(parents=True)
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": WORKERS // 2, "include_dashboard": False},
        shutdown_at_exit=False,  # its hooks want the main thread
    )
    try:
        node = cluster.add_node(num_cpus=WORKERS // 2)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        run = Run.create(folder / "run", experiment="name: chaos\n", files={}, environment={})
        evaluator = RayEvaluator(
            partial(evaluate, pids, disturbed), workers=WORKERS, timeout=plan.timeout, log=run.log
        )
        warm_up(evaluator)
        trouble, told = Trouble(cluster, node, pids, plan), Told([time.monotonic()])
        with trouble.about() if disturbed else nullcontext():
            ending = drive(
                run,
                Blind(),
                evaluator,
                space=None,
                inheritance=Inheritance.BALDWINIAN,
                search=Search(hours=plan.length / 3600, cohort_size=SIZE, lookahead=LOOKAHEAD),
                key=KEY,
                on_event=told.see,
            )
            told.moments.append(time.monotonic())
        evaluator.close()
    finally:
        ray.shutdown()
        cluster.shutdown()
    return run, {
        "complete": ending is Ending.COMPLETE,
        "seconds": told.moments[-1] - told.moments[0],
        "longest_wait": max(np.diff(told.moments)),
        "kills": trouble.kills,
        "nodes_removed": trouble.removed,
        "nodes_added": trouble.added,
    }


def warm_up(evaluator: RayEvaluator) -> None:
    """Wait until every worker has worked, under indices that the search does not use."""
    seen: set[str] = set()
    index = -1
    while len(seen) < WORKERS:
        for _ in range(WORKERS):
            evaluator.submit(Cohort(index, (Individual(genome(index + 10**6, 0)),)))
            index -= 1
        for _ in range(WORKERS):
            result = evaluator.collect()
            assert result is not None
            seen.add(result.worker)


def compare(peace: Run, war: Run) -> dict[str, object]:
    """Return what the disturbed run did to whom."""
    rows = {row.ref: records.fingerprint(row) for row in peace.rows()}
    found = list(war.rows())
    places = [row.ref for row in found]
    wanted = {(cohort, row) for cohort in range(war.told) for row in range(SIZE)}
    bad = {genome(*HANGS).id: Outcome.TIMEOUT, genome(*GREEDY).id: Outcome.CRASHED}
    meek = [row for row in found if row.genome not in bad and not raises(row.genome)]
    common = [row for row in meek if row.ref in rows]
    return {
        "lost": len(wanted - {tuple(ref) for ref in places}),
        "twice": len(places) - len(set(places)),
        "behaved": len(common),
        "different": sum(rows[row.ref] != records.fingerprint(row) for row in common),
        "blamed": sum(row.outcome is not Outcome.OK for row in meek),
        "raised": sum(raises(row.genome) and row.outcome is Outcome.CRASHED for row in found),
        "hanging": next((row.outcome.value for row in found if row.ref == HANGS), "not reached"),
        "greedy": next((row.outcome.value for row in found if row.ref == GREEDY), "not reached"),
        "worker_lost": sum(event.kind == "worker lost" for event in war.events()),
    }


def table(peace: dict[str, object], war: dict[str, object], found: dict[str, object]) -> list[str]:
    """Return the lines that are printed."""
    both = ("candidates", "seconds", "candidates_per_s", "longest_wait")
    lines = [f"{'':24}{'at peace':>12}{'disturbed':>12}"]
    lines += [f"{name:24}{peace[name]:>12.4g}{war[name]:>12.4g}" for name in both]
    lines += [f"{name:36}{war[name]:>12}" for name in ("kills", "nodes_removed", "nodes_added")]
    lines += [f"{name:36}{value!s:>12}" for name, value in found.items()]
    ratio = f"{war['candidates_per_s'] / peace['candidates_per_s']:.3f}"  # type: ignore[operator]
    return [*lines, f"{'throughput, disturbed / at peace':36}{ratio:>12}"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="30 seconds instead of 2 minutes")
    parser.add_argument("--json", metavar="FILE", help="write what is printed there")
    options = parser.parse_args()
    plan = Plan(30.0, 10.0, 5.0) if options.quick else Plan(120.0, 10.0, 5.0)
    runs, sessions = [], []
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        for disturbed in (False, True):
            run, known = session(Path(folder) / str(disturbed), plan, disturbed=disturbed)
            candidates, _ = run.totals()
            known |= {"candidates": candidates, "candidates_per_s": candidates / plan.length}
            runs.append(run)
            sessions.append(known)
        found = compare(*runs)
        for run in runs:
            run.close()
    print("\n".join(table(*sessions, found)))
    if options.json:
        versions = {"ray": ray.__version__, "numpy": np.__version__, "python": platform.python_version()}
        record = {
            "at_peace": sessions[0],
            "disturbed": sessions[1],
            "found": found,
            "ratio": sessions[1]["candidates"] / sessions[0]["candidates"],  # type: ignore[operator]
            "plan": vars(plan),
            "versions": versions,
            "command": sys.argv,
            "seeds": [4, 0],
        }
        Path(options.json).write_text(json.dumps(record, indent=2, default=float))


if __name__ == "__main__":
    main()
