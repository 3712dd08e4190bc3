"""Plan: the neuron groups and projections that a genome's architecture asks for, before any weight exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

INPUT = "in"
OUTPUT = "out"


@dataclass(frozen=True)
class Group:
    """Neurons of one kind.

    Attributes:
        gene: innovation id of the gene that owns the neurons; expression is stored there.
        name: name within that gene: `l0`, `l1`, ... for a module's layers; `in` and `out` for the interface.
        size: number of neurons, >= 1.
        activation: name of the activation function; the output group is always `identity`.
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
    settings: Mapping[str, float] = field(default_factory=dict)
    module: int = 0
    bias: float | None = None


@dataclass(frozen=True)
class Projection:
    """All synapses from one group to another.

    Attributes:
        pre, post: indices into the plan's groups.
        gene: innovation id of the gene that owns the projection; it seeds the sparse mask.
        density: expected fraction of pairs that may connect, in (0, 1].
        rule: registered plasticity rule (`none`, `abcd`).
        coefficients: numbers that the grammar fixed for the rule; the rest come from the plasticity
            chromosome, then from the rule's defaults.
        rows: neurons of `pre` whose axons take part; None: all.
        columns: neurons of `post` that they reach; None: all.
        weights: what the genome says of the initial weights, row-major over rows x columns; empty: innate.
    """

    pre: int
    post: int
    gene: int
    density: float = 1.0
    rule: str = "none"
    coefficients: Mapping[str, float] = field(default_factory=dict)
    rows: tuple[int, ...] | None = None
    columns: tuple[int, ...] | None = None
    weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A feed-forward network's structure: groups[0] is the input, groups[-1] the output."""

    groups: tuple[Group, ...]
    projections: tuple[Projection, ...]
