"""What a race saves: gradient steps and seconds of cohorts that learn digits, and what their winners lose.

Cohorts of random genomes of `searchspaces/digits.yaml`, whose learning rate (0.001 to 0.3, log-uniform) and
input noise are genes; the same cohorts in every arm.

    all       every candidate learns to the end
    raced     three rungs of 1/4, 1/2 and all of the epochs; half of the candidates go on after each
    half      every candidate of the first half of the cohort learns to the end: as many steps as the race

Steps are gradient steps. Best is the best fitness of a cohort, on the validation fold; test is the accuracy
of ten freshly born agents of that winner on the test fold; both are means over cohorts, with standard
deviations.

`python benchmarks/racing.py [--quick] [--json FILE]`
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import evogen
from evogen.cohort import Cohort, Evaluation, Individual, Ref, rank
from evogen.evaluation import Problem, assess, evaluate
from evogen.experiment.launch import problem
from evogen.keys import Key
from evogen.runs.records import write_back
from evogen.schema import Racing
from evogen.variation.sample import sample

SPEC = Path(__file__).parent.parent / "searchspaces" / "digits.yaml"
BATCH = 32


def posed(epochs: int) -> Problem:
    """Return the problem without a race."""
    overrides = [
        "learner.learning_rate={log: [0.001, 0.3]}",
        f"learner.epochs={epochs}",
        f"learner.batch={BATCH}",
    ]
    return problem(evogen.load(SPEC, overrides), "cpu")


def drawn(of: Problem, size: int, seed: int) -> Cohort:
    """Return a cohort of random genomes."""
    genomes = (sample(of.space, Key(seed).child("racing"), Ref(0, row)) for row in range(size))
    return Cohort(0, tuple(Individual(genome) for genome in genomes))


def entry(
    of: Problem, cohort: Cohort, found: Sequence[Evaluation], seconds: float | None
) -> dict[str, float | None]:
    """Return what these first candidates of a cohort cost, and how good the best of them is."""
    row = max(range(len(found)), key=lambda row: (rank(found[row]), -row))
    tested = assess(of, write_back(cohort.individuals[row].genome, found[row]), agents=10)
    return {
        "steps": sum(one.steps for one in found) / BATCH,
        "seconds": seconds,
        "best": rank(found[row]),
        "test": statistics.fmean(tested),
        "winner": row,
    }


def compared(of: Problem, size: int, seed: int) -> dict[str, dict[str, float | None]]:
    """Return one cohort's entry in every arm."""
    cohort, raced = drawn(of, size, seed), replace(of, racing=Racing(width=size))
    start = time.perf_counter()
    everyone = evaluate(of, cohort)
    middle = time.perf_counter()
    few = evaluate(raced, cohort)
    end = time.perf_counter()
    return {
        "all": entry(of, cohort, everyone, middle - start),
        "raced": entry(of, cohort, few, end - middle),
        "half": entry(of, cohort, everyone[: size // 2], None),
    }


def table(found: Sequence[dict[str, dict[str, float | None]]]) -> list[str]:
    """Return the lines of the table."""
    lines = [f"{'':8}{'steps':>9}{'of all':>8}{'seconds':>9}{'best':>16}{'test':>16}{'same winner':>13}"]
    for arm in found[0]:
        each = {name: [one[arm][name] for one in found] for name in found[0][arm]}
        steps, whole = sum(each["steps"]), sum(one["all"]["steps"] for one in found)
        seconds = "" if None in each["seconds"] else f"{sum(each['seconds']):.1f}"
        same = sum(one[arm]["winner"] == one["all"]["winner"] for one in found)
        lines.append(
            f"{arm:8}{steps:9,.0f}{steps / whole:8.2f}{seconds:>9}{spread(each['best']):>16}"
            f"{spread(each['test']):>16}{f'{same} of {len(found)}':>13}"
        )
    return lines


def spread(values: Sequence[float]) -> str:
    """Return mean and standard deviation."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):.3f} ± {deviation:.3f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one small cohort, four epochs")
    parser.add_argument("--json", metavar="FILE", help="write what is printed there")
    options = parser.parse_args()
    torch.set_num_threads(1)
    size, epochs, seeds = (4, 4, [0]) if options.quick else (16, 12, list(range(4)))
    of = posed(epochs)
    found = [compared(of, size, seed) for seed in seeds]
    print(f"{len(seeds)} cohorts of {size}, {epochs} epochs\n")
    print("\n".join(table(found)))
    if options.json:
        versions = {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()}
        record = {"cohorts": found, "size": size, "epochs": epochs, "seeds": seeds, "versions": versions}
        Path(options.json).write_text(json.dumps(record | {"command": sys.argv}, indent=2))


if __name__ == "__main__":
    main()
