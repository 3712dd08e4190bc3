"""What a candidate's neurons and synapses are, beside their weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from evogen.phenotype.layout import Level

VOICE = "~modulator"
"""Behind a rule's name: how a level's neurons speak to its modulator."""


@dataclass(frozen=True, eq=False)
class Traits:
    """What a candidate's neurons and synapses are, beside their weights; one row per agent.

    Attributes:
        functions: names of the activation functions present at each level.
        activation: `LEVEL.FUNCTION` to a bool mask (P, 1, N).
        neuron: `LEVEL.KIND` to a mask (P, 1, N), `LEVEL.KIND.FIELD` to that kind's numbers (P, 1, N), and
            `LEVEL.KIND.NAME` to what its neurons own: (P, 1, N) for one number, (P, ..., N) for more.
        rule: `LINK.RULE` to the mask (P, 1, pre, post) of the synapses that follow it, and `LINK.RULE.FIELD`
            to its coefficients of the same shape.
        laws: configured plasticity rules by name.
    """

    functions: tuple[tuple[str, ...], ...]
    activation: Mapping[str, Tensor]
    neuron: Mapping[str, Tensor]
    rule: Mapping[str, Tensor]
    laws: Mapping[str, Any] = field(default_factory=dict)

    def detach(self) -> Traits:
        """Return the same traits without gradient history."""
        neuron, rule = ({k: v.detach() for k, v in part.items()} for part in (self.neuron, self.rule))
        return replace(self, neuron=neuron, rule=rule)

    def present(self, at: int, level: Level) -> Tensor:
        """Return which places of level `at` are neurons, (P, 1, N): 1, and 0 at padding, which may fire."""
        kinds = (*level.neurons, *level.spiking)
        return torch.stack([self.neuron[f"{at}.{kind}"] for kind in kinds]).sum(0)

    def repeat(self, times: int) -> Traits:
        """Return the traits of `times` equal agents per row."""
        parts = (self.activation, self.neuron, self.rule)
        each = ({k: v.repeat_interleave(times, 0) for k, v in part.items()} for part in parts)
        activation, neuron, rule = each
        return replace(self, activation=activation, neuron=neuron, rule=rule)


def fields(values: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """Return the numbers `NAME.FIELD` of a kind or rule by field."""
    start = name + "."
    return {key.removeprefix(start): value for key, value in values.items() if key.startswith(start)}
