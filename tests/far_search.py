"""Run as a script: search on two workers of the cluster at ADDRESS until COHORTS are committed.

It prints, by line, the nodes that the workers run on, and then each commit. Evaluation needs no torch and
takes PAUSE seconds, so that a host can be lost in the middle of one.
"""

import sys
import time
from pathlib import Path

import ray
from lives import evaluate
from search_fakes import new_run, search

from evogen.distributed.workers import RayEvaluator
from evogen.engine import Committed
from evogen.evaluators import Serial

COHORTS, PAUSE = 24, 0.4


def slowly(cohort):
    time.sleep(PAUSE)
    return evaluate(cohort)


def committed(event):
    if isinstance(event, Committed):
        print("committed", event.told, flush=True)


def far(folder, address):
    with new_run(folder) as run:
        evaluator = RayEvaluator(slowly, workers=2, address=address, log=run.log)
        addresses = {node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]}
        print("hosts", *sorted(addresses), flush=True)
        search(run, COHORTS, evaluator=evaluator, on_event=committed)
        evaluator.close()


def near(folder):
    """Return the fingerprint of the same search in this process."""
    with new_run(folder) as run:
        search(run, COHORTS, evaluator=Serial(evaluate))
        return run.fingerprint()


if __name__ == "__main__":
    far(Path(sys.argv[1]), sys.argv[2])
