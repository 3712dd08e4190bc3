"""Plain layered networks for studies: all seeds of a cell in one phenotype.

Seed s is the gene s + 1, so that every seed has innate weights of its own, and the same ones in every arm
whose layers are of the same sizes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import torch

from evogen.connectome.direct import Direct
from evogen.genome import Gene, Genome
from evogen.grammar.plan import INPUT, OUTPUT, Group, Plan, Projection
from evogen.keys import Key
from evogen.phenotype import Development, Phenotype, develop, embryo
from evogen.registry import known

_NONE: Mapping[str, float] = {}
FACE = 0  # innovation id of the interface


class Layer(NamedTuple):
    """One layer of neurons and the synapses onto it.

    Attributes:
        size: neurons.
        activation, neuron: registered names.
        settings: the neuron kind's numbers.
        recurrent: whether it hears what it said a step before.
        rule, coefficients: plasticity of the synapses onto it.
    """

    size: int
    activation: str = "tanh"
    neuron: str = "rate"
    settings: Mapping[str, float] = _NONE
    recurrent: bool = False
    rule: str = "none"
    coefficients: Mapping[str, float] = _NONE


class Ends(Protocol):
    """What a network must know of a task."""

    @property
    def inputs(self) -> int:
        """Number of input neurons."""
        ...

    @property
    def outputs(self) -> int:
        """Number of output neurons."""
        ...


@dataclass(frozen=True)
class Net:
    """Layers one after another, with an output layer of identity neurons.

    Attributes:
        layers: between input and output.
        rule, coefficients: plasticity of the synapses onto the output.
        wiring: how parameters become weights.
        rules: plasticity rules by name where they are not the registered defaults.
        normalised: whether observations are standardised.
        dtype: of every tensor.
    """

    layers: tuple[Layer, ...]
    rule: str = "none"
    coefficients: Mapping[str, float] = field(default_factory=dict)
    wiring: Any = field(default_factory=Direct)
    rules: Mapping[str, Any] = field(default_factory=dict)
    normalised: bool = False
    dtype: torch.dtype = torch.float32

    def phenotype(self, task: Ends, seeds: Sequence[int], key: Key) -> Phenotype:
        """Develop one network a seed, in their order."""
        rules = {name: part() for name, part in known("rule").items()} | dict(self.rules)
        how = Development(self.wiring, rules, key.child("innate"), self.dtype, normalised=self.normalised)
        genomes = [Genome(None, Gene(FACE, ()), (Gene(seed + 1, ()),)) for seed in seeds]
        plans = [self.plan(task, seed + 1) for seed in seeds]
        return develop(how, [embryo(how, *pair) for pair in zip(genomes, plans, strict=True)])

    def plan(self, task: Ends, gene: int) -> Plan:
        """Return the plan of these layers as one module."""
        groups, links = [Group(FACE, INPUT, task.inputs)], []
        for number, layer in enumerate(self.layers):
            size, activation, neuron, settings = layer[:4]
            groups.append(Group(gene, f"l{number}", size, activation, neuron, settings))
            sources = [number, number + 1] if layer.recurrent else [number]
            links += [
                Projection(pre, number + 1, gene, rule=layer.rule, coefficients=layer.coefficients)
                for pre in sources
            ]
        groups.append(Group(FACE, OUTPUT, task.outputs))
        last = len(groups) - 1
        links.append(Projection(last - 1, last, gene, rule=self.rule, coefficients=self.coefficients))
        return Plan(tuple(groups), tuple(links))
