"""Strategies against what they are made after, at equal evaluations.

Evolution strategies minimise three functions of ten plasticity genes in [-5, 5], whose optimum is moved by
U[-2, 2] in every coordinate, anew for each seed and alike for both sides. They are asked and told directly,
in cohorts of one generation. The oracle is another library's own loop over the same vectors (mean 0,
deviation 1, the same folds at the bounds: see evogen.variation.vector) in generations of the same size.

    cmaes    the library `cmaes`
    snes     EvoTorch's SNES (extra `bench`)

Printed: the median over the seeds of the best value found, with a lookahead of 1 and of 4 cohorts; the
oracle's; the two-sided Mann-Whitney p of lookahead 1 against the oracle, and the same by Holm over the whole
table (a loss is a worse median with less than 0.05); milliseconds of CPU to ask and tell a candidate.

`python benchmarks/strategies.py [--quick] [--json FILE]`
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from cmaes import CMA
from scipy.stats import mannwhitneyu

from evogen.cohort import Ref
from evogen.grammar import parse
from evogen.keys import Key
from evogen.space import ArchitectureSpace, SearchSpace, Uniform
from evogen.strategies import Scene, State, Strategy, Told
from evogen.strategies.cmaes import CMAES
from evogen.strategies.generation import size_for
from evogen.strategies.snes import SNES
from evogen.variation.vector import Vector, flat

D, ALPHA, LOOKAHEADS = 10, 0.05, (1, 4)
SPACE = SearchSpace(
    None,
    ArchitectureSpace(parse("<module> @type(module) ::= layer:dense [width,int,1,2,9]")),
    {f"x{i}": Uniform(-5.0, 5.0) for i in range(D)},
)
VIEW = flat(SPACE, Key(0))
Function = Callable[[Vector], float]


def sphere(x: Vector) -> float:
    """0 at 0."""
    return float(x @ x)


def rosenbrock(x: Vector) -> float:
    """0 at 0, which is at 1 in the usual form."""
    y = x + 1
    return float(np.sum(100 * (y[1:] - y[:-1] ** 2) ** 2 + (1 - y[:-1]) ** 2))


def rastrigin(x: Vector) -> float:
    """0 at 0, and a local minimum near every other point of whole numbers."""
    return float(np.sum(x**2 - 10 * np.cos(2 * np.pi * x) + 10))


def moved(function: Function, seed: int) -> Function:
    """Return the function of plasticity genes whose optimum belongs to this seed."""
    optimum = Key(seed).child("optimum").generator().uniform(-2, 2, D)
    return lambda genes: function(genes - optimum)


def genes_of(values: Mapping[str, Any]) -> Vector:
    """Return (D,) genes in order of their names."""
    return np.array([values[name] for name in VIEW.names])


def best_of(
    strategy: Strategy, function: Function, seed: int, lookahead: int, generations: int
) -> tuple[float, float]:
    """Return the best value that a strategy finds and its seconds of CPU; cohorts in the engine's order."""
    key, size = Key(seed).child("strategy"), size_for(D)
    stock: dict[Ref, Any] = {}
    scene = Scene(SPACE, stock.__getitem__, key, key)
    states: list[State] = [strategy.start()]
    best, seconds = np.inf, 0.0
    for cohort in range(generations):
        start = time.process_time()
        asked = strategy.ask(states[max(0, cohort - lookahead + 1)], cohort, size, scene=scene)
        seconds += time.process_time() - start
        stock.update((Ref(cohort, row), one.genome) for row, one in enumerate(asked))
        values = [function(genes_of(one.genome.plasticity)) for one in asked]
        told = [Told(Ref(cohort, row), -value) for row, value in enumerate(values)]
        start = time.process_time()
        states.append(strategy.tell(states[-1], told, scene=scene))
        seconds += time.process_time() - start
        best = min(best, *values)
    return best, seconds


def best_of_cmaes(function: Function, seed: int, generations: int) -> float:
    """Return the best value that the library finds by itself."""
    optimizer, best = CMA(mean=np.zeros(D), sigma=1.0, seed=seed), np.inf
    for _ in range(generations):
        asked = [optimizer.ask() for _ in range(optimizer.population_size)]
        values = [function(genes_of(VIEW.genome(x).plasticity)) for x in asked]
        optimizer.tell(list(zip(asked, values, strict=True)))
        best = min(best, *values)
    return best


def best_of_evotorch(function: Function, seed: int, generations: int) -> float:
    """Return the best value that EvoTorch's SNES finds by itself."""
    import torch
    from evotorch import Problem
    from evotorch.algorithms import SNES as EVOTORCH
    from evotorch.decorators import vectorized

    logging.getLogger("evotorch").setLevel(logging.WARNING)
    found: list[float] = []

    @vectorized  # type: ignore[untyped-decorator]
    def evaluate(asked: torch.Tensor) -> torch.Tensor:
        values = [function(genes_of(VIEW.genome(x).plasticity)) for x in asked.numpy()]
        found.extend(values)
        return torch.tensor(values, dtype=torch.float64)

    problem = Problem(
        "min", evaluate, solution_length=D, initial_bounds=(-1, 1), dtype=torch.float64, seed=seed
    )
    centre = torch.zeros(D, dtype=torch.float64)
    other = EVOTORCH(problem, stdev_init=1.0, center_init=centre, popsize=size_for(D))
    for _ in range(generations):
        other.step()
    assert len(found) == generations * size_for(D)
    return min(found)


FUNCTIONS: Mapping[str, tuple[Function, int]] = {  # and generations
    "sphere": (sphere, 150),
    "rosenbrock": (rosenbrock, 400),
    "rastrigin": (rastrigin, 250),
}
ORACLES: Mapping[str, tuple[Strategy, Callable[[Function, int, int], float], str]] = {
    "cmaes": (CMAES(), best_of_cmaes, "cmaes"),
    "snes": (SNES(), best_of_evotorch, "evotorch"),
}


@dataclass
class Row:
    """Best values by seed, for each lookahead and for the oracle (None where it is not installed)."""

    function: str
    strategy: str
    evaluations: int
    found: dict[int, list[float]]
    oracle: list[float] | None
    cpu_ms: float
    p: float | None = None
    holm: float | None = None

    @property
    def loss(self) -> bool:
        """Whether the oracle is better, by more than chance."""
        if self.oracle is None or self.holm is None:
            return False
        return self.holm < ALPHA and statistics.median(self.found[1]) > statistics.median(self.oracle)


def evolution_strategies(seeds: int, share: float) -> list[Row]:
    """Return the rows of the evolution strategies.

    Args:
        seeds: of every row, from 0.
        share: of the generations that are run.
    """
    rows = []
    for name, (function, full) in FUNCTIONS.items():
        generations = max(int(full * share), 1)
        count = generations * size_for(D)
        for label, (strategy, oracle, package) in ORACLES.items():
            runs = {
                lookahead: [
                    best_of(strategy, moved(function, seed), seed, lookahead, generations)
                    for seed in range(seeds)
                ]
                for lookahead in LOOKAHEADS
            }
            seconds = sum(spent for each in runs.values() for _, spent in each)
            other = (
                [oracle(moved(function, seed), seed, generations) for seed in range(seeds)]
                if find_spec(package)
                else None
            )
            found = {lookahead: [best for best, _ in each] for lookahead, each in runs.items()}
            cpu_ms = 1e3 * seconds / (len(LOOKAHEADS) * seeds * count)
            rows.append(Row(name, label, count, found, other, cpu_ms))
    return judged(rows)


def judged(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with their p, and with it adjusted by Holm's step-down over all of them."""
    tested = [row for row in rows if row.oracle is not None]
    for row in tested:
        assert row.oracle is not None
        row.p = float(mannwhitneyu(np.log(row.found[1]), np.log(row.oracle), alternative="two-sided").pvalue)
    least = 0.0
    for rank, row in enumerate(sorted(tested, key=lambda row: row.p or 0.0)):
        least = max(least, min(1.0, (len(tested) - rank) * (row.p or 0.0)))
        row.holm = least
    return list(rows)


def table(rows: Sequence[Row], seeds: int) -> list[str]:
    """Return the lines of the table."""
    head = f"{f'median of {seeds} seeds':24}{'evaluations':>12}{'lookahead 1':>13}{'lookahead 4':>13}"
    lines = [f"{head}{'oracle':>11}{'p':>8}{'Holm':>8}{'CPU ms':>9}"]
    for row in rows:
        ahead = "".join(f"{statistics.median(row.found[n]):13.2e}" for n in LOOKAHEADS)
        judged = "  not installed" if row.oracle is None else f"{statistics.median(row.oracle):11.2e}"
        judged += "" if row.p is None else f"{row.p:8.3f}{row.holm:8.3f}"
        name = f"{row.function}, {row.strategy}"
        lines.append(f"{name:24}{row.evaluations:12,}{ahead}{judged:27}{row.cpu_ms:9.3f}")
    losses = [f"{row.function}, {row.strategy}" for row in rows if row.loss]
    return [*lines, f"significant losses: {'; '.join(losses) or 'none'}"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="three seeds, a tenth of the generations")
    parser.add_argument("--json", metavar="FILE", help="write what is printed there")
    options = parser.parse_args()
    seeds, share = (3, 0.1) if options.quick else (20, 1.0)
    rows = evolution_strategies(seeds, share)
    print("\n".join(table(rows, seeds)))
    if options.json:
        packages = ("evogen", "numpy", "scipy", "cmaes", *(["evotorch"] if find_spec("evotorch") else []))
        record = {
            "evolution_strategies": [asdict(row) | {"loss": row.loss} for row in rows],
            "seeds": list(range(seeds)),
            "versions": {name: version(name) for name in packages} | {"python": platform.python_version()},
            "command": sys.argv,
        }
        Path(options.json).write_text(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
