"""What reading a long run costs: its report, and the questions that are asked of it.

    report     seconds and peak memory of `evogen report RUN`
    commands   seconds of `status`, `show` and `lineage` as whole commands, with the start of Python and all
               imports; `nothing` imports the command line and ends
    inside     seconds that the same questions take once everything is imported, opening the run included

The run has 100,000 candidates: genomes of searchspaces/cartpole.yaml, bred by its genetic strategy, with
invented evaluations (no task is played). Targets: the report in 20 s and 1 GB, every question in 0.2 s
inside. CPU seconds are of this process and its children, and count less of what else the machine does.

`python benchmarks/report.py [--quick] [--json FILE] [--keep FOLDER]`
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from evogen import condition
from evogen.analysis import lineage
from evogen.cohort import Cohort, Evaluation, Outcome, Ref
from evogen.engine import drive
from evogen.evaluators import Serial
from evogen.experiment import Experiment, load
from evogen.keys import Key
from evogen.runs import Run

ROOT = Path(__file__).parent.parent
CANDIDATES, QUICK = 100_000, 2_000
EACH = 250
CURVE = 20
TARGETS = {"report_seconds": 20.0, "report_gigabytes": 1.0, "inside_seconds": 0.2}


_LAUNCH = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen([sys.executable, *sys.argv[1:]], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(json.dumps([time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20]))
sys.exit(process.returncode)
"""  # a process of its own: a child's peak counts from what its parent has


class Cost(NamedTuple):
    """Of one process: seconds of the wall clock, seconds of processors, peak memory in GB."""

    seconds: float
    cpu: float
    gigabytes: float


def invented(cohort: Cohort) -> tuple[Evaluation, ...]:
    """Evaluate at no cost: fitness depends on the genome's numbers, one candidate in fifty diverges."""
    return tuple(_invented(one.genome.id, one.genome.plasticity) for one in cohort.individuals)


def _invented(identity: str, numbers: object) -> Evaluation:
    random = np.random.default_rng(int(identity[:8], 16))
    if random.random() < 0.02:
        return Evaluation(Outcome.DIVERGED, message="non-finite score")
    level = 100.0 * math.tanh(sum(numbers.values())) + 5.0 * random.random()  # type: ignore[attr-defined]
    scores = tuple((level + random.normal(size=6)).tolist())
    return Evaluation(
        Outcome.OK,
        math.fsum(scores) / len(scores),
        scores,
        {"expected_score": level, "neurons": 20.0, "synapses": 300.0, "modules": 2.0, "genes": 16.0},
        tuple((level * np.linspace(0.1, 1.0, CURVE)).tolist()),
        8192,
    )


def make(folder: Path, candidates: int) -> Experiment:
    """Breed the run."""
    cohorts = candidates // EACH
    sizes = [f"search.cohorts={cohorts}", f"search.cohort_size={EACH}", "strategy.population=100"]
    experiment = load(ROOT / "searchspaces/cartpole.yaml", sizes)
    with Run.create(
        folder,
        experiment=experiment.yaml,
        files={"grammar.bnf": experiment.grammar.encode(), **experiment.files},
        environment={"device": "cpu", "versions": {"evogen": version("evogen")}},
    ) as run:
        drive(
            run,
            experiment.strategy,
            Serial(invented),
            space=experiment.space,
            inheritance=experiment.inheritance,
            search=experiment.search,
            key=Key(experiment.seed),
            on_event=lambda _: None,
        )
    return experiment


def cost(command: list[str]) -> Cost:
    """Run a Python command line to its end."""
    done = subprocess.run(
        [sys.executable, "-c", _LAUNCH, *command], check=True, capture_output=True, text=True
    )
    return Cost(*json.loads(done.stdout.splitlines()[-1]))


def inside(folder: Path) -> dict[str, float]:
    """Return the seconds that each question takes, from opening the run on."""
    with Run.open(folder) as run:
        ref = run.resolve("best")
        identity = run.row(ref).genome[:12]
    questions: dict[str, Callable[[Run], object]] = {
        "status": lambda run: list(condition.lines(run)),
        "best": Run.best,
        "row by id": lambda run: run.row(run.resolve(identity)),
        "genome of best": lambda run: run.tuned_genome(ref),
        "ancestors of best": lambda run: list(lineage.ancestors(run, ref)),
        "main line of best": lambda run: lineage.main_line(run, ref),
        "descendants of 0:0": lambda run: list(lineage.descendants(run, Ref(0, 0))),
    }
    found = {}
    for name, ask in questions.items():
        start = time.perf_counter()
        with Run.open(folder) as run:
            ask(run)
        found[name] = time.perf_counter() - start
    return found


def main() -> None:
    """Breed, ask, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} candidates; proves nothing")
    parser.add_argument("--json", metavar="FILE", help="write what is printed there")
    parser.add_argument("--keep", metavar="FOLDER", help="use this run, or make it there and leave it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="evogen-report-") as scratch:
        folder = Path(options.keep or f"{scratch}/run")
        if not folder.exists():
            make(folder, QUICK if options.quick else CANDIDATES)
        with Run.open(folder) as run:
            candidates, _ = run.totals()
        evogen, page = ["-m", "evogen"], str(Path(scratch) / "report.html")
        commands = {
            "nothing": ["-c", "import evogen.cli"],
            "status": [*evogen, "status", str(folder)],
            "show": [*evogen, "show", f"{folder}@best"],
            "lineage": [*evogen, "lineage", f"{folder}@best"],
            "report": [*evogen, "report", str(folder), "-o", page],
        }
        costs = {name: cost(command) for name, command in commands.items()}
        asked = inside(folder)
        database = (folder / "run.db").stat().st_size / 2**20
    print(f"{candidates:,} candidates, run.db of {database:.0f} MB\n")
    print(f"{'command':22}{'seconds':>9}{'cpu':>9}{'GB':>9}")
    for name, (seconds, cpu, gigabytes) in costs.items():
        print(f"{name:22}{seconds:9.2f}{cpu:9.2f}{gigabytes:9.3f}")
    print(f"\n{'inside':22}{'seconds':>9}")
    for name, seconds in asked.items():
        print(f"{name:22}{seconds:9.3f}")
    if options.json:
        versions = {name: version(name) for name in ("evogen", "torch", "numpy")}
        versions["python"] = platform.python_version()
        record = {
            "command": sys.argv,
            "versions": versions,
            "cores": os.cpu_count(),
            "targets": TARGETS,
            "candidates": candidates,
            "costs": {name: found._asdict() for name, found in costs.items()},
            "inside": asked,
        }
        Path(options.json).write_text(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
