"""Spaces and genomes of neuron groups that the tests of their variation share."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from evogen.cohort import Ref
from evogen.genome import Gene, Genome, frozen
from evogen.grammar import load, parse
from evogen.grammar.architecture import plan_of
from evogen.grammar.plan import Plan
from evogen.keys import Key
from evogen.space import ArchitectureSpace, SearchSpace
from evogen.variation.sample import sample

SHIPPED = load(Path(__file__).parents[2] / "grammars" / "neurons.bnf")
SMALL = parse(
    """
    <g> @type(neurons) ::= group:neurons [bias,float,1,-1,1] <terms> readout:sum [weight,float,1,-2,2]
    <terms> ::= <term> | <term> <terms>
    <term> ::= term:from <s> [weight,float,1,-2,2]
    <s> @dynamic(sources) ::= ...
    """
)
INPUTS, OUTPUTS = 6, 3


def space_of(**settings: Any) -> ArchitectureSpace:
    given: dict[str, Any] = {"start": "neuron", "structure": "modules", "weights": "evolved"}
    sizes = {"min_modules": 1, "initial_modules": 8, "max_modules": 12, "inputs": INPUTS, "outputs": OUTPUTS}
    grammar = settings.pop("grammar", SHIPPED)
    return ArchitectureSpace(grammar, **sizes | given | settings)


def drawn(space: ArchitectureSpace, row: int = 0) -> Genome:
    return sample(SearchSpace(None, space), Key(3), Ref(0, row))


def planned(space: ArchitectureSpace, genome: Genome) -> Plan:
    return plan_of(space, genome, space.inputs, space.outputs)


def tuned(genome: Genome, seed: int = 0) -> Genome:
    """Return the genome with expression in every gene that is no link, of the sizes of one neuron each."""
    rng = np.random.default_rng(seed)
    shapes = {"in>n.W": (INPUTS, 1), "n>out.W": (1, OUTPUTS), "n.b": (1,)}

    def learnt(gene: Gene) -> Gene:
        if gene.link:
            return gene
        arrays = {name: frozen(rng.normal(size=shape)) for name, shape in shapes.items()}
        return replace(gene, expression=arrays)

    return replace(genome, architecture=tuple(learnt(gene) for gene in genome.architecture))


def names(genome: Genome) -> list[int]:
    return [gene.innovation for gene in genome.architecture]
