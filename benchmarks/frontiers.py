"""nsga2 and map-elites against the libraries they are made of, at equal evaluations.

NSGA-II minimises ZDT1 to ZDT3 of 30 plasticity genes in [0, 1] (Zitzler, Deb, Thiele 2000) in populations
of 40; hypervolume of the last one below (11, 11), DEAP's reference point. The oracle is the loop of DEAP's
own example from the same first population, twice: with evogen's crossover and mutation, which compares
the algorithms, and with DEAP's simulated binary crossover and polynomial mutation (eta 20), as it stands.

MAP-Elites fills a grid of 20 x 20 cells with the postures of an arm of ten joints: measures are where the
hand is, fitness is minus the variance of the angles (Cully et al. 2015), QD score the sum of fitness + 1/4,
so that nobody is below 0. The oracle is `ribs` with the same grid and batch of 32, with its Gaussian emitter
of the same sigma, and with its iso-line emitter.

Seeds below 200 chose how both strategies vary plasticity genes by default, so others are measured.

Printed: median and quartiles over the seeds, random search beside it; the two-sided Mann-Whitney p of evogen
against the row, and the same by Holm over the whole table (a loss is a worse median with less than 0.05).

`python benchmarks/frontiers.py [--quick] [--json FILE] [--generations N] [--first SEED]`
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import moocore
import numpy as np
from deap import base, benchmarks, tools
from ribs.archives import GridArchive
from ribs.emitters import GaussianEmitter, IsoLineEmitter
from ribs.schedulers import Scheduler
from scipy.stats import mannwhitneyu

from evogen.analysis.statistics import holm
from evogen.cohort import Ref
from evogen.genome import Genome
from evogen.grammar import parse
from evogen.keys import Key
from evogen.space import ArchitectureSpace, SearchSpace, Uniform
from evogen.strategies import Scene, State, Strategy, Told
from evogen.strategies.map_elites import MAPElites, standing
from evogen.strategies.nsga2 import NSGA2
from evogen.variation.breed import breed, rates
from evogen.variation.sample import innovations

ALPHA, POPULATION, WORST = 0.05, 40, (11.0, 11.0)
GENES, JOINTS, BATCH, CELLS, FLOOR = 30, 10, 32, 20, -0.25
OURS, DRAWN = "evogen", "random search"
LOOP, CLASSIC = "DEAP's loop, same variation", "DEAP's loop, SBX, polynomial"
GAUSSIAN, LINE = "ribs, Gaussian emitter", "ribs, iso-line emitter"
Point = Sequence[float]


def space_of(genes: int) -> SearchSpace:
    """Return a space of this many plasticity genes in [0, 1] and nothing else that varies."""
    grammar = parse("<module> @type(module) ::= layer:dense [width,int,1,2,9]")
    names = [f"x{gene:02}" for gene in range(genes)]
    return SearchSpace(
        None, ArchitectureSpace(grammar, evolve=False), dict.fromkeys(names, Uniform(0.0, 1.0))
    )


def point(genome: Genome) -> list[float]:
    """Return the genes in order of their names."""
    return [float(genome.plasticity[name]) for name in sorted(genome.plasticity)]


def search(
    strategy: Strategy, space: SearchSpace, judge: Callable[[Ref, Point], Told], seed: int, cut: Point
) -> State:
    """Return the last state of a strategy that is asked and told `cut` = cohorts of that many candidates."""
    stock: dict[Ref, Genome] = {}
    scene = Scene(space, stock.__getitem__, Key(seed).child("search"), Key(seed))
    cohorts, size = map(int, cut)
    state = strategy.start()
    for cohort in range(cohorts):
        asked = strategy.ask(state, cohort, size, scene=scene)
        stock.update((Ref(cohort, row), one.genome) for row, one in enumerate(asked))
        told = [judge(Ref(cohort, row), point(one.genome)) for row, one in enumerate(asked)]
        state = strategy.tell(state, told, scene=scene)
    return state


class Minimised(base.Fitness):
    """Two numbers, smaller is better; in place of what DEAP's `creator` would make."""

    weights = (-1.0, -1.0)


class Member:
    """A point or a genome, with DEAP's fitness."""

    def __init__(self, body: Any, values: Point) -> None:
        self.body = body
        self.fitness = Minimised(values)


Couple = Callable[[Any, Any, int], Iterator[Any]]


def deap_loop(judge: Callable[[Any], Point], first: Sequence[Any], couple: Couple, generations: int) -> float:
    """Return the hypervolume that the loop of DEAP's example reaches: examples/ga/nsga2.py."""
    population = tools.selNSGA2([Member(body, judge(body)) for body in first], len(first))
    for generation in range(1, generations):
        chosen = tools.selTournamentDCD(population, len(population))
        children = [
            Member(body, judge(body))
            for row, (one, other) in enumerate(zip(chosen[::2], chosen[1::2], strict=True))
            for body in couple(one.body, other.body, generation * len(first) + 2 * row)
        ]
        population = tools.selNSGA2(population + children, len(first))
    return hypervolume([member.fitness.values for member in population])


def hypervolume(points: Sequence[Point]) -> float:
    """Return the area that these dominate below WORST."""
    return float(moocore.hypervolume(np.array(points), ref=WORST))


def fronts(function: Callable[[Point], Point], seed: int, generations: int) -> dict[str, float]:
    """Return the hypervolume of every row on one function."""
    space, ours = space_of(GENES), NSGA2(population=POPULATION)

    def judge(ref: Ref, x: Point) -> Told:
        first, second = function(x)
        return Told(ref, -first, (-second,))

    def breed_two(one: Genome, other: Genome, place: int) -> Iterator[Genome]:
        both = random.random() <= ours.crossover
        for row, (mother, father) in enumerate(((one, other), (other, one))):
            key, ids = Key(seed).child("loop", place + row), innovations(Ref(0, place + row))
            yield breed(mother, father if both else None, space=space, key=key, ids=ids, rates=rates(ours))[0]

    def cross_two(one: list[float], other: list[float], _: int) -> Iterator[list[float]]:
        bounds = {"eta": 20.0, "low": 0.0, "up": 1.0}
        pair = list(one), list(other)
        if random.random() <= ours.crossover:
            pair = tools.cxSimulatedBinaryBounded(*pair, **bounds)
        for child in pair:
            yield tools.mutPolynomialBounded(child, indpb=1 / GENES, **bounds)[0]

    state = search(ours, space, judge, seed, (generations, POPULATION))
    found = {OURS: hypervolume([[-value for value in values] for _, _, values, _ in state["population"]])}
    scene = Scene(space, {}.__getitem__, Key(seed).child("search"), Key(seed))
    first = [one.genome for one in ours.ask(ours.start(), 0, POPULATION, scene=scene)]
    random.seed(seed)
    found[LOOP] = deap_loop(lambda genome: function(point(genome)), first, breed_two, generations)
    random.seed(seed)
    found[CLASSIC] = deap_loop(function, list(map(point, first)), cross_two, generations)
    drawn = Key(seed).child("drawn").generator().random((generations * POPULATION, GENES))
    return found | {DRAWN: hypervolume([function(x) for x in drawn])}


def arm(x: Point) -> tuple[float, float, float]:
    """Return fitness and hand of an arm of length 1 whose joints turn by (x - 1/2) full turns each."""
    angles = 2 * np.pi * (np.asarray(x) - 0.5)
    ways = np.cumsum(angles)
    return -float(np.var(x)), float(np.cos(ways).mean()), float(np.sin(ways).mean())


def repertoires(seed: int, generations: int) -> dict[str, float]:
    """Return the QD score of every row on the arm."""
    axis = (-1.0, 1.0, CELLS)
    ours = MAPElites(measures={"neurons": axis, "synapses": axis}, initial=BATCH)  # any two names will do

    def judge(ref: Ref, x: Point) -> Told:
        fitness, first, second = arm(x)
        return Told(ref, fitness, metrics={"neurons": first, "synapses": second})

    state = search(ours, space_of(JOINTS), judge, seed, (generations, BATCH))
    drawn = Key(seed).child("drawn").generator().random((generations, BATCH, JOINTS))
    emitters = {
        GAUSSIAN: (GaussianEmitter, {"sigma": ours.plasticity_sigma}),
        LINE: (IsoLineEmitter, {"iso_sigma": 0.01, "line_sigma": 0.2}),
    }
    found = {OURS: standing(ours, state, floor=FLOOR).qd_score}
    for name, (emitter, options) in emitters.items():
        archive = empty(seed)
        options |= {"initial_solutions": drawn[0], "bounds": [(0.0, 1.0)] * JOINTS}
        scheduler = Scheduler(archive, [emitter(archive, batch_size=BATCH, seed=seed, **options)])
        for _ in range(generations):
            fitness, *hand = np.array([arm(x) for x in scheduler.ask()]).T
            scheduler.tell(fitness, np.stack(hand, 1))
        found[name] = float(archive.stats.qd_score)
    archive = empty(seed)
    for batch in drawn:
        fitness, *hand = np.array([arm(x) for x in batch]).T
        archive.add(batch, fitness, np.stack(hand, 1))
    return found | {DRAWN: float(archive.stats.qd_score)}


def empty(seed: int) -> GridArchive:
    """Return an archive of ribs for the arm, which draws the parents itself."""
    own = [seed, 1]  # a stream apart from the emitter's
    return GridArchive(
        solution_dim=JOINTS, dims=[CELLS] * 2, ranges=[(-1.0, 1.0)] * 2, qd_score_offset=FLOOR, seed=own
    )


def judged(found: Mapping[str, Mapping[str, Sequence[float]]]) -> dict[str, dict[str, dict[str, float]]]:
    """Return p, Holm's p and whether it is a loss, by problem and row, for every row beside evogen's."""
    pairs = [(problem, name) for problem, rows in found.items() for name in rows if name != OURS]
    p = [float(mannwhitneyu(found[problem][OURS], found[problem][name]).pvalue) for problem, name in pairs]
    result: dict[str, dict[str, dict[str, float]]] = {problem: {} for problem in found}
    for (problem, name), one, held in zip(pairs, p, holm(p), strict=True):
        worse = statistics.median(found[problem][OURS]) < statistics.median(found[problem][name])
        result[problem][name] = {"p": one, "holm": held, "loss": worse and held < ALPHA}
    return result


def table(
    found: Mapping[str, Mapping[str, Sequence[float]]],
    tests: Mapping[str, Mapping[str, Mapping[str, float]]],
    evaluations: Mapping[str, int],
) -> list[str]:
    """Return the lines of the table."""
    lines = [f"{'':30}{'median':>10}{'(quartiles)':>20}{'p':>9}{'Holm':>9}"]
    for problem, rows in found.items():
        seeds = len(rows[OURS])
        lines.append(f"{problem}, {evaluations[problem]:,} evaluations, {seeds} seeds")
        for name, values in rows.items():
            low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
            span = f"({low:.2f}..{high:.2f})"
            test = tests[problem].get(name)
            shown = "" if test is None else f"{test['p']:9.2g}{test['holm']:9.2g}"
            loss = "  loss" if test is not None and test["loss"] else ""
            lines.append(f"  {name:28}{middle:10.2f}{span:>20}{shown}{loss}")
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="three seeds, four generations")
    parser.add_argument("--json", metavar="FILE", help="write what is printed there")
    parser.add_argument("--generations", type=int, default=30, metavar="N", help="of every run (default 30)")
    parser.add_argument("--first", type=int, default=200, metavar="SEED", help="of 20 (default 200)")
    options = parser.parse_args()
    count, generations = (3, 4) if options.quick else (20, options.generations)
    seeds = range(options.first, options.first + count)
    runs: dict[str, tuple[Callable[[int], dict[str, float]], int]] = {
        f"{name}, hypervolume": (
            lambda seed, name=name: fronts(getattr(benchmarks, name), seed, generations),
            POPULATION,
        )
        for name in ("zdt1", "zdt2", "zdt3")
    }
    runs["arm, QD score"] = (lambda seed: repertoires(seed, generations), BATCH)
    found, evaluations = {}, {}
    for problem, (run, size) in runs.items():
        each = [run(seed) for seed in seeds]
        found[problem] = {name: [one[name] for one in each] for name in each[0]}
        evaluations[problem] = size * generations
    tests = judged(found)
    print("\n".join(table(found, tests, evaluations)))
    losses = [
        f"{problem}: {name}" for problem in tests for name, test in tests[problem].items() if test["loss"]
    ]
    print(f"significant losses: {'; '.join(losses) or 'none'}")
    if options.json:
        versions = {name: version(name) for name in ("evogen", "numpy", "scipy", "deap", "ribs", "moocore")}
        record = {
            "found": found,
            "tests": tests,
            "evaluations": evaluations,
            "losses": losses,
            "seeds": list(seeds),
            "versions": versions | {"python": platform.python_version()},
            "command": sys.argv,
        }
        Path(options.json).write_text(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
