"""Plan: the neuron groups and projections that a genome's architecture asks for, before any weight exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

INPUT = "in"
OUTPUT = "out"
_NONE: Mapping[str, float] = {}


class Group(NamedTuple):
    """Neurons of one kind.

    Attributes:
        gene: innovation id of the gene that owns the neurons; expression is stored there.
        name: name within that gene: `l0`, `l1`, ... for a module's layers; `in` and `out` for the interface.
        size: number of neurons, >= 1.
        activation: name of the activation function; the output group is always `identity`.
        activations: name of each neuron's own one; empty: all have the group's.
        neuron: registered neuron kind (`rate`, `leaky`).
        settings: the neuron kind's numbers (`tau`).
        module: class module that the neurons belong to; 0 where a structure has none.
        bias: what the genome says of the neurons' initial bias; None: innate.
    """

    gene: int
    name: str
    size: int
    activation: str = "identity"
    neuron: str = "rate"
    settings: Mapping[str, float] = _NONE
    module: int = 0
    bias: float | None = None
    activations: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Pattern:
    """The edges that a circuit has between two groups; arrays are (pre, post).

    Attributes:
        strength: >= 0; 0: no edge.
        sign: -1, 0 (free) or 1.
        tie: number of the edge's parameter, shared or not; -1: none, its weight is sign times strength.
        ends: the circuit's own levels that it joins; copies of one, as where cycles are unfolded, share them.
    """

    strength: npt.NDArray[np.float64]
    sign: npt.NDArray[np.int64]
    tie: npt.NDArray[np.int64]
    ends: tuple[int, int]

    @property
    def edges(self) -> npt.NDArray[np.bool_]:
        """Where there is an edge."""
        return self.strength > 0

    @property
    def tuned(self) -> npt.NDArray[np.bool_]:
        """Where an edge has a parameter."""
        return self.tie >= 0


class Anatomy(NamedTuple):
    """What a plan says of the circuit that it is made of.

    Attributes:
        name: registered circuit.
        control: what was taken away from it.
        ties: K, parameters of its edges.
        bias: whether neurons have free biases.
        units: what strengths are: counts of synapses, or initial weights.
        provenance: where it comes from, in words.
        statistics: see `evogen.connectome.circuits.statistics`, of the circuit with its ports.
    """

    name: str
    control: str
    ties: int
    bias: Literal["free", "none"]
    units: Literal["counts", "weights"]
    provenance: str
    statistics: Mapping[str, float] = _NONE

    @property
    def words(self) -> str:
        """The circuit and its control, for people."""
        return f"circuit {self.name}" + ("" if self.control == "exact" else f" ({self.control})")


class Projection(NamedTuple):
    """All synapses from one group to another.

    Attributes:
        pre, post: indices into the plan's groups; equal ones: the group hears what it said a step before.
        gene: innovation id of the gene that owns the projection; it seeds the sparse mask.
        density: expected fraction of pairs that may connect, in (0, 1]; 1 with a prior.
        rule: registered plasticity rule (`none`, `abcd`).
        coefficients: numbers that the grammar fixed for the rule; the rest come from the plasticity
            chromosome, then from the rule's defaults.
        rows: neurons of `pre` whose axons take part; None: all.
        columns: neurons of `post` that they reach; None: all.
        weights: what the genome says of the initial weights, row-major over rows x columns; empty: innate.
        prior: registered connectivity prior that says which pairs may connect, `shuffled-` before it for its
            control; empty: the density says it.
        settings: the prior's numbers.
        free: whether its weights are free where others follow genetic rules (wiring `mixed`).
        pattern: which pairs a circuit connects, and how; None: density or prior say it.
    """

    pre: int
    post: int
    gene: int
    density: float = 1.0
    rule: str = "none"
    coefficients: Mapping[str, float] = _NONE
    rows: tuple[int, ...] | None = None
    columns: tuple[int, ...] | None = None
    weights: tuple[float, ...] = ()
    prior: str = ""
    settings: Mapping[str, float] = _NONE
    free: bool = False
    pattern: Pattern | None = None


@dataclass(frozen=True)
class Learning:
    """How the inner loop may change one gene's parameters.

    Attributes:
        rate: share of the learning rate; 0: they stay as they were born, to the last bit.
        momentum: of plain gradient descent, which then takes the place of the learner's own method; None: the
            learner's own.
    """

    rate: float = 1.0
    momentum: float | None = None


@dataclass(frozen=True)
class Plan:
    """A network's structure: groups[0] is the input, groups[-1] the output.

    Attributes:
        groups: in an order in which no projection goes back.
        projections: see above.
        learning: how genes learn, by innovation id; a gene that is not here learns as the learner does.
        levels: level of each group, from 0, the input's, to the output's, by a structure of neuron groups;
            empty: as near to the input as projections allow.
        modules: so many modules without a synapse between them, module m with output m; 0: not so.
        links: genes that are links, by innovation id: they are born with the parameters of the gene named
            here, and nothing that they learn is inherited.
        repairs: parts that were changed to keep the search's constraints; None: it has no constraints.
        anatomy: of the circuit that it is; None: it comes from a grammar.
    """

    groups: tuple[Group, ...]
    projections: tuple[Projection, ...]
    learning: Mapping[int, Learning] = field(default_factory=dict)
    levels: tuple[int, ...] = ()
    modules: int = 0
    links: Mapping[int, int] = field(default_factory=dict)
    repairs: int | None = None
    anatomy: Anatomy | None = None
