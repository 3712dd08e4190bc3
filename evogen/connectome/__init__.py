"""Connectome: from what neurons express to the weights between them, with a leading population axis P.

A wiring is a registered frozen dataclass. It says which parameters the neurons of a level (`X`, `T`, ...) or
the synapses between two levels (`W`) carry, how they are drawn, what the expected weights are, and how one
agent's weights are born. Levels are numbered from the input (0); `pairs` lists the (pre, post) levels that
are connected. Parameters are named `LEVEL.SYMBOL` or `PRE>POST.SYMBOL`; O, c and theta have their plain
names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol

import numpy as np
from torch import Tensor

from evogen.connectome.birth import Birth

Pairs = Sequence[tuple[int, int]]
Values = Mapping[str, Tensor]


TIED = "theta"
"""Name of the parameters that synapses of a circuit share, (P, K)."""


class Dimensions(NamedTuple):
    """Sizes that parameter shapes follow from: neurons per level, g rule genes, n transmitters.

    And of a circuit: K parameters of its synapses, 0 without one, and whether neurons have free biases.
    """

    sizes: tuple[int, ...]
    genes: int
    transmitters: int
    ties: int = 0
    bias: str = "free"


class Parameter(NamedTuple):
    """One parameter of a level or a pair.

    Attributes:
        shape: without P.
        deviation: std of its initial normal draw.
        pace: its share of the learning rate.
        mean: of that draw.
    """

    shape: tuple[int, ...]
    deviation: float
    pace: float = 1.0
    mean: float = 0.0


class Counted(NamedTuple):
    """What a birth needs of one candidate.

    Attributes:
        values: this candidate's parameters in float64, without P, padding cut off; `PRE>POST.free` too, where
            there is any.
        temperature: tau of its rules.
        rule_mask: (g, g), or None.
        masks: one (pre, post) array of 0 and 1 a pair.
        modules: by level beyond the input, (N, M) with 1 where a neuron is of a module, for modules without a
            synapse between them; else empty.
    """

    values: Mapping[str, np.ndarray]
    temperature: float
    rule_mask: np.ndarray | None
    masks: Sequence[np.ndarray]
    modules: Mapping[int, np.ndarray] = MappingProxyType({})


class Moments(NamedTuple):
    """Mean and variance (P, pre, post) of the weights of one pair over agents; variance None: all equal."""

    mean: Tensor
    variance: Tensor | None


class Wiring(Protocol):
    """Differentiable weights and their birth."""

    @property
    def genetic(self) -> bool:
        """Whether weights come from genetic rules."""
        ...

    @property
    def tune_rules(self) -> bool:
        """Whether the inner loop tunes O and c."""
        ...

    @property
    def initial(self) -> Literal["normal", "lineage"]:
        """Law of the expression of a group of neurons: independent normal, or down a tree of divisions."""
        ...

    @property
    def paces(self) -> Mapping[str, float]:
        """Share of the learning rate of `O` and `c`; 1 where none is given."""
        ...

    def parameters(self, dimensions: Dimensions, pairs: Pairs) -> Mapping[str, Parameter]:
        """Return every parameter of the levels and pairs by name (not O and c)."""
        ...

    def weights(self, values: Values, pairs: Pairs) -> list[Tensor]:
        """Return the expected weights (P, pre, post) of each pair.

        A neuron whose parameters are all zero gets zero weights, so that padding is inert.

        Args:
            values: parameters by name, and the constants O, c, `temperature`, `genes` and `neurons` (P,): the
                candidate's own numbers without padding. Modules without a synapse between them have
                `modules` (P, M), the neurons of each as if it were alone, and `LEVEL.module` (P, N, M), 1
                where a neuron is of it; no weight of a module may depend on another's parameters.
                A wiring with both expression and weights gets `PRE>POST.free` (P, pre, post), 1 where a
                projection is wired freely. Of a circuit come `PRE>POST.tie`, `.sign` and `.given`, see
                `evogen.phenotype.ties`.
            pairs: the (pre, post) levels.
        """
        ...

    def moments(self, values: Values, pairs: Pairs, masks: Sequence[Tensor], birth: Birth) -> list[Moments]:
        """Return the closed-form mean and variance of each pair's born weights, differentiable.

        Args:
            values: as in `weights`.
            pairs: the (pre, post) levels.
            masks: (P, pre, post) of 0 and 1 a pair; they decide how many synapses share the degree.
            birth: the law.
        """
        ...

    def birth(
        self, candidate: Counted, pairs: Pairs, generators: Sequence[np.random.Generator], birth: Birth
    ) -> list[np.ndarray]:
        """Return the sampled weights (A, pre, post) of each pair, one agent per generator."""
        ...
