"""Search spaces and genomes that the tests of variation share."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from evogen.cohort import Ref
from evogen.genome import Gene, Genome, frozen
from evogen.grammar import parse
from evogen.keys import Key
from evogen.space import ArchitectureSpace, Distribution, Integers, Log, RulesSpace, SearchSpace, Uniform
from evogen.variation.sample import sample

GRAMMAR = parse(
    """
    <module> @type(module) ::= <layers>
    <layers> ::= <layer> {2} | <layer> <layers>
    <layer> ::= layer:dense [width,int,1,2,9] <act>
    <act> ::= act:tanh | act:relu | act:selu
    """
)
PLASTICITY: Mapping[str, Distribution] = {
    "learner.learning_rate": Log(1e-4, 1e-1),
    "learner.steps": Integers(1, 9),
    "rule.abcd.A": Uniform(-1.0, 1.0),
}
SPACE = SearchSpace(
    RulesSpace(genes=6, min_genes=4, max_genes=8, transmitters=2),
    ArchitectureSpace(GRAMMAR, min_modules=1, initial_modules=3, max_modules=4),
    PLASTICITY,
)


def draw(row: int = 0, *, seed: int = 0, space: SearchSpace = SPACE) -> Genome:
    return sample(space, Key(seed), Ref(0, row))


def tuned(genome: Genome, *, seed: int = 0) -> Genome:
    """Return the genome with inherited expression in every gene, as after a life under Lamarck."""
    assert genome.rules is not None
    g, n = len(genome.rules.genes), len(genome.rules.c)
    rng = np.random.default_rng(seed)

    def learnt(gene: Gene, name: str) -> Gene:
        shapes = {"X": (5, g), "T": (5, n), "R": (5, 2 * n), "b": (5,)}
        arrays = {f"{name}.{part}": frozen(rng.normal(size=shape)) for part, shape in shapes.items()}
        return replace(gene, expression=arrays)

    modules = tuple(learnt(gene, "l0") for gene in genome.architecture)
    return replace(genome, interface=learnt(genome.interface, "in"), architecture=modules)
