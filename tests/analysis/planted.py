"""Genomes in which it is known what each part is worth, and how such a thing is screened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

import evogen
from evogen.analysis.knockout.silenced import written
from evogen.cohort import Cohort, Individual, Ref
from evogen.connectome.birth import Birth
from evogen.evaluation import Problem, developed, evaluate
from evogen.experiment.launch import problem
from evogen.genome import Array, Gene, Genome, frozen
from evogen.keys import Key
from evogen.learning.supervised import Supervised
from evogen.runs.records import tuned
from evogen.space import RulesSpace
from evogen.testing.tiny import Blobs
from evogen.variation.sample import sample

SPACES = Path(__file__).parents[2] / "searchspaces"
CARRIER, USELESS = 1, 2
"""The gene through which every synapse of the trained genome forms, and one that nobody expresses."""


@cache
def posed() -> Problem:
    """Three clouds of points, to be told apart by one module; few synapses, so that births differ."""
    of = problem(evogen.load(SPACES / "iris.yaml"), "cpu")
    space = replace(of.space, rules=RulesSpace(genes=4, min_genes=4, transmitters=2), plasticity={})
    learner = Supervised(epochs=150, batch=12, learning_rate=0.05)
    return replace(of, space=space, task=Blobs(), learner=learner, birth=Birth(agents=4, degree=40))


@cache
def trained() -> Genome:
    """Trained with the carrier's expression alone: where expression is 0, it has no gradient."""
    of = posed()
    born = sample(of.space, Key(5), Ref(0, 0))
    phenotype = developed(of, born)
    full = written(born, phenotype.expression(phenotype.flat, 0))
    others = [k for k in range(4) if k != CARRIER]

    def alone(X: Array) -> Array:
        left = X.copy()
        left[:, others] = 0
        return frozen(left)

    single = expressing(full, lambda _, X: alone(X))
    (lived,) = evaluate(of, Cohort(0, (Individual(single),)))
    assert lived.fitness is not None
    assert lived.fitness > 0.75, "it has learnt something"
    return tuned(single, lived)


def expressing(genome: Genome, change: Callable[[str, Array], Array]) -> Genome:
    """Return the genome with other X, given the group's name and its X."""

    def changed(gene: Gene) -> Gene:
        found = {
            name: frozen(change(name.removesuffix(".X"), array)) if name.endswith(".X") else array
            for name, array in gene.expression.items()
        }
        return replace(gene, expression=found)

    architecture = tuple(changed(gene) for gene in genome.architecture)
    return replace(genome, interface=changed(genome.interface), architecture=architecture)


def noisy() -> Genome:
    """The trained genome, whose useless gene binds with itself only and wires inputs to neurons that nobody
    hears: its synapses form, take part in every draw, and cannot matter.
    """
    genome = trained()
    mask = np.ones((4, 4), np.float32)
    mask[USELESS, :] = mask[:, USELESS] = 0
    mask[USELESS, USELESS] = 1
    assert genome.rules is not None

    def wired(group: str, X: Array) -> Array:
        changed = X.copy()
        if group == "in":
            changed[:, USELESS] = 0.8
        elif group != "out":
            deaf = slice(0, len(X), 2)
            changed[deaf, CARRIER] = 0
            changed[deaf, USELESS] = 0.8
        return changed

    return replace(expressing(genome, wired), rules=replace(genome.rules, mask=frozen(mask)))
