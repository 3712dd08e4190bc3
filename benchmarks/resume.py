"""A driver that is killed again and again: does its search end as the unbroken one does?

`evogen run` on a small CartPole experiment (genetic wiring rules; nothing is learnt, so cohorts are quick)
is killed with SIGKILL after a random number of committed cohorts and up to 50 ms more, then resumed, and so
on; some kills come before the folder is there. At the end the search is completed, and every row is compared
with those of a search that was left alone.

`python benchmarks/resume.py [--kills N] [--quick] [--json FILE]`
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path

from evogen.runs import Run, records

SEED = 7
LINES = 6  # that a session prints at most before the wait for its kill
COHORTS = 12  # of the search for every kill, enough for all sessions
EXPERIMENT = """\
name: resume
task: {kind: cartpole, episodes: 1}
wiring: synaptogen
birth: {agents: 2}
rules: {genes: 4, min_genes: 2, max_genes: 8}
architecture: {grammar: small.bnf, start: reflex}
learner: none
strategy: {kind: genetic, population: 4}
search: {cohort_size: 4, lookahead: 3, snapshot_every: 7}
"""
GRAMMAR = "<reflex> @type(module) ::= layer:dense [width,int,1,2,4] act:tanh readout:sum plastic:none\n"


def command(folder: Path, run: Path, cohorts: int) -> list[str]:
    """Return the command that begins the search, or goes on with it."""
    evogen = [sys.executable, "-m", "evogen"]
    if (run / "run.db").exists():
        return [*evogen, "resume", str(run)]
    return [*evogen, "run", str(folder / "resume.yaml"), "--set", f"search.cohorts={cohorts}", "-o", str(run)]


def killed(folder: Path, run: Path, cohorts: int, chance: random.Random) -> bool:
    """Start a driver and kill it; False if it was finished before."""
    process = subprocess.Popen(
        command(folder, run, cohorts), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    for _ in range(chance.randint(0, LINES)):
        process.stdout.readline()
    time.sleep(chance.uniform(0, 0.05))
    alive = process.poll() is None
    process.kill()
    process.communicate()
    return alive


def rows(run: Path) -> list[str]:
    """Return what equal runs agree in, a line a candidate."""
    with Run.open(run) as found:
        return [records.fingerprint(row) for row in found.rows()]


def main() -> None:
    """Kill, resume, compare, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100, help="of the driver (100)")
    parser.add_argument("--quick", action="store_true", help="3 kills")
    parser.add_argument("--json", metavar="FILE", help="write what is printed there")
    options = parser.parse_args()
    kills = 3 if options.quick else options.kills
    cohorts, chance, landed = (kills + 1) * COHORTS, random.Random(SEED), 0
    with tempfile.TemporaryDirectory(prefix="resume-") as name:
        folder = Path(name)
        (folder / "resume.yaml").write_text(EXPERIMENT)
        (folder / "small.bnf").write_text(GRAMMAR)
        broken, whole = folder / "broken", folder / "whole"
        while landed < kills and killed(folder, broken, cohorts, chance):
            landed += 1
        for run in (broken, whole):
            subprocess.run(command(folder, run, cohorts), check=True, capture_output=True)
        pairs = list(zip_longest(rows(broken), rows(whole)))
        with Run.open(broken) as run:
            sessions = sum(event.kind in ("started", "resumed") for event in run.events())
    found = {
        "kills": landed,
        "sessions_that_began_work": sessions,
        "cohorts": cohorts,
        "candidates": len(pairs),
        "differences": sum(one != other for one, other in pairs),
    }
    print("\n".join(f"{name:28}{value:>8}" for name, value in found.items()))
    if options.json:
        versions = {name: version(name) for name in ("evogen", "torch", "numpy")}
        versions["python"] = platform.python_version()
        record = {**found, "versions": versions, "command": sys.argv, "seeds": [SEED]}
        Path(options.json).write_text(json.dumps(record, indent=2))
    if landed < kills or found["differences"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
