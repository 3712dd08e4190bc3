"""Populations under selection: networks that fit the function of a random teacher, in each code alike.

A generation keeps its best; every other child has a mother and, in half of the cases, a father, both the
best of three, and one mutation. The parts that differ are the codes' own: crossover exchanges aligned genes
(genes), aligned lists (structured) or what lies behind one point (flat); a network grows by a gene (genes),
or by a codon like any other (structured, flat). Weights are what the sentence says: nothing is trained.
Fitness is the squared correlation of output and target, which is 1 - error after the best linear scaling
(Keijzer 2003).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evogen.grammar import CODONS, Number, Pick, Word
from evogen.keys import Key
from evogen.studies.locality.codes import Cell, Code, Lists
from evogen.studies.locality.measure import redrawn
from evogen.studies.locality.nets import CODES, INPUTS, network, neuron

POINTS = 64
TEACHER = 5  # neurons of the teacher
FOUNDERS = 10  # neurons of the first generation's networks
MOST = 30  # neurons of any network; a larger child is not born
RESIZE = 0.2  # of the mutations of `genes`, those that add or delete one

Array = np.ndarray[Any, np.dtype[np.float64]]
_ACTS: Mapping[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0.0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "identity": lambda x: x,
}


@dataclass(frozen=True)
class Evolved:
    """A population that was selected.

    Attributes:
        genomes: of the last generation.
        first, last: fitness of the best network of the first and of the last generation, 1 is perfect.
    """

    genomes: tuple[Lists, ...]
    first: float
    last: float


def evolve(name: str, key: Key, *, population: int, generations: int) -> Evolved:
    """Return the last generation of a population in the code of this name.

    The task and the founders are the same for all codes.
    """
    code, rng = CODES[name], key.child("selection", name).generator()
    x, y = _task(key.child("task"))
    founders = key.child("founders").generator()
    genomes = [network(FOUNDERS, founders)[name] for _ in range(population)]
    fitness = [_fitness(code, genome, x, y) for genome in genomes]
    first = max(fitness)
    for _ in range(generations):
        best = int(np.argmax(fitness))
        genomes = [
            genomes[best],
            *(_child(name, code, genomes, fitness, rng) for _ in range(population - 1)),
        ]
        fitness = [_fitness(code, genome, x, y) for genome in genomes]
    return Evolved(tuple(genomes), first, max(fitness))


def output(cells: Sequence[Cell], x: Array) -> Array:
    """Return the (B,) output of a network of one hidden layer for (B, inputs) points."""
    return np.sum([_contribution(cell, x) for cell in cells], axis=0)  # type: ignore[no-any-return]


def _task(key: Key) -> tuple[Array, Array]:
    rng = key.generator()
    x = rng.normal(size=(POINTS, INPUTS))
    y = output(CODES["genes"].cells(tuple(neuron(rng) for _ in range(TEACHER))), x)
    return x, y - y.mean()


def _fitness(code: Code, genome: Lists, x: Array, y: Array) -> float:
    out = output(code.cells(genome), x)
    out -= out.mean()
    scale = float(out @ out) * float(y @ y)
    return float(out @ y) ** 2 / scale if scale > 0 else 0.0


def _contribution(cell: Cell, x: Array) -> Array:
    act, sources, weights = "identity", [], []
    for leaf in cell:
        match leaf:
            case Word() if leaf.kind == "act":
                act = leaf.name
            case Pick(context="sources"):
                sources.append(leaf.index)
            case Number():
                weights.append(leaf.values[0])
    *incoming, out = weights
    return out * _ACTS[act](x[:, sources] @ np.array(incoming))


def _child(
    name: str, code: Code, genomes: Sequence[Lists], fitness: Sequence[float], rng: np.random.Generator
) -> Lists:
    mother = _selected(genomes, fitness, rng)
    child = mother
    if rng.random() < 0.5:
        child = _CROSSED[name](mother, _selected(genomes, fitness, rng), rng)
    if name == "genes" and rng.random() < RESIZE:
        child = _resized(child, rng)
    else:
        places = code.places(child)
        child = redrawn(child, places[int(rng.integers(len(places)))], rng)
    return child if len(code.cells(child)) <= MOST else mother


def _selected(genomes: Sequence[Lists], fitness: Sequence[float], rng: np.random.Generator) -> Lists:
    rivals = rng.integers(len(genomes), size=3)
    return genomes[max(rivals, key=lambda i: fitness[i])]


def _aligned(mother: Lists, father: Lists, rng: np.random.Generator) -> Lists:
    """Return the mother with about half of the lists that both have from the father."""
    taken = rng.random(len(mother)) < 0.5
    return tuple(father[i] if taken[i] and i < len(father) else own for i, own in enumerate(mother))


def _one_point(mother: Lists, father: Lists, rng: np.random.Generator) -> Lists:
    at = int(rng.integers(1, min(len(mother[0]), len(father[0]))))
    return (mother[0][:at] + father[0][at:],)


def _resized(genome: Lists, rng: np.random.Generator) -> Lists:
    if len(genome) > 1 and rng.random() < 0.5:
        at = int(rng.integers(len(genome)))
        return genome[:at] + genome[at + 1 :]
    codons = neuron(rng)
    return (*genome, codons + tuple(rng.integers(CODONS, size=len(codons)).tolist()))


_CROSSED: Mapping[str, Callable[[Lists, Lists, np.random.Generator], Lists]] = {
    "genes": _aligned,
    "structured": _aligned,
    "flat": _one_point,
}
