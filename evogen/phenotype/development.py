"""What development needs and what it makes, for genomes of either kind."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, NamedTuple, cast

import numpy as np
import torch

from evogen.connectome import Dimensions, Parameter, Wiring
from evogen.connectome.birth import Birth
from evogen.keys import Key
from evogen.phenotype import tuned
from evogen.phenotype.layout import OWNED, Layout
from evogen.registry import find, known

INNATE = {"m": 0.0, "s": 1.0}  # centre and spread of observations before any was made

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Development:
    """What turns a genome and its plan into a body, the same for every candidate of a search.

    Attributes:
        wiring: how parameters become weights.
        rules: plasticity rules by name; their values stand where neither grammar nor genome gives one.
        key: root of the draws of expression that no genome carries; by innovation id, so they are inherited.
        dtype, device: of every tensor.
        birth: the law by which agents are born.
        normalised: whether input neurons standardise what they observe, with `0.m` and `0.s`, which are
            inherited like expression.
    """

    wiring: Wiring
    rules: Mapping[str, Any]
    key: Key
    dtype: torch.dtype = torch.float32
    device: str = "cpu"
    birth: Birth = field(default_factory=Birth)
    normalised: bool = False

    def parameters(self, layout: Layout) -> Mapping[str, Parameter]:
        """Return every padded parameter of a layout by name, but for O and c."""
        found = _parameters(cast("Hashable", self.wiring), layout, self.normalised)
        own = tuned.parameters(self.rules, layout)
        return {**found, **own} if own else found


class Tissue(NamedTuple):
    """P candidates of one layout, or one without the axis P: padded arrays by name.

    Attributes:
        parameters: `LEVEL.SYMBOL` and `PRE>POST.SYMBOL`, see `Wiring.parameters`.
        masks: (P, pre, post) of 0 and 1 for each link.
        functions: names of the activation functions present at each level.
        activation, neuron, rule: see `Traits`; (P, 1, ...) each.
    """

    parameters: Arrays
    masks: Sequence[np.ndarray]
    functions: Sequence[tuple[str, ...]]
    activation: Arrays
    neuron: Arrays
    rule: Arrays


class Kinds(NamedTuple):
    """Registered neuron kinds: all, with memory, in ticks, without activation function, with own synapses."""

    every: frozenset[str]
    stateful: frozenset[str]
    spiking: frozenset[str]
    speaking: frozenset[str]
    synaptic: frozenset[str]


def kinds() -> Kinds:
    """Return the neuron kinds that are registered now."""
    return _kinds(tuple(known("neuron").items()))


@cache
def _kinds(found: tuple[tuple[str, Any], ...]) -> Kinds:
    return Kinds(
        frozenset(name for name, _ in found),
        frozenset(name for name, kind in found if kind.nature.remembers),
        frozenset(name for name, kind in found if kind.nature.spiking),
        frozenset(name for name, kind in found if kind.nature.speaks),
        frozenset(name for name, kind in found if kind.nature.synaptic),
    )


@lru_cache(maxsize=1024)
def _parameters(wiring: Any, layout: Layout, normalised: bool) -> Mapping[str, Parameter]:
    sizes = tuple(level.size for level in layout.levels)
    dimensions = Dimensions(sizes, layout.genes, layout.transmitters, layout.ties, layout.bias)
    found = dict(wiring.parameters(dimensions, layout.pairs))
    found |= _owned_by_neurons(layout)
    if normalised:
        found |= {f"0.{symbol}": Parameter((sizes[0],), 0.0) for symbol in INNATE}
    return found


def _owned_by_neurons(layout: Layout) -> dict[str, Parameter]:
    """Return what neurons of each kind train beside their weights, a number a synapse too."""
    found = {}
    for at, level in enumerate(layout.levels):
        into = [link for link in layout.links if link.post == at]
        heard = {link.pre: layout.levels[link.pre].size for link in into}
        lengths = {"neurons": level.size, "inputs": layout.levels[0].size, "sources": sum(heard.values())}
        for kind in (*level.neurons, *level.spiking):
            for name, own in find("neuron", kind).nature.owns.items():
                symbol = f"{kind}{OWNED}{name}"
                shape = tuple(lengths[axis] if isinstance(axis, str) else axis for axis in own.shape)
                fan = lengths[own.fan] if isinstance(own.fan, str) else own.fan
                law = (own.deviation / math.sqrt(fan), own.pace, own.mean)
                if own.shape == ("sources",):
                    for pre, size in heard.items():
                        found[f"{pre}>{at}.{symbol}"] = Parameter((size, level.size), *law)
                else:
                    found[f"{at}.{symbol}"] = Parameter((level.size, *shape), *law)
    return found
