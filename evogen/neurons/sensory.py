"""Sensory cells: every input of the task has a cell, and all cells are the same small module.

    s_i <- tanh(A s_i + B o_i + sum_n C_n m_n + e)        m_n <- sum_i softmax_i(q_n . s_i / sqrt(D)) o_i

A cell i sees its own input o_i alone, remembers D numbers s_i, and hears by C what the layer's neurons last
said. The neurons attend to the cells: a permutation of the inputs, with their cells, changes nothing, and a
task may have any number of them. After Tang & Ha (2021; Ha & Tang 2022), where the cell is an LSTM that hears
the last action; this smaller cell is ours. A, B and e are one for all cells: each neuron carries a copy, and
what lives is their sum over sqrt(neurons). Synapses and biases of such a layer say nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from evogen.neurons import NEURONS, Nature, Own, Seen, State, Values
from evogen.registry import register

D = 8
"""Numbers that a cell remembers."""


@register("neuron", "sensory")
@dataclass(frozen=True)
class Sensory:
    """A unit that attends to cells which all are one module, whatever their order."""

    nature: ClassVar[Nature] = Nature(
        remembers={"s": ("inputs", D), "m": NEURONS},
        owns={
            "A": Own((D, D), deviation=1.0, fan=D),
            "B": Own((D,), deviation=1.0),
            "C": Own((D,), deviation=1.0, fan="neurons"),
            "e": Own((D,), deviation=0.1),
            "q": Own((D,), deviation=1.0),
        },
    )

    def step(self, seen: Seen, state: State, values: Values) -> tuple[Tensor, State]:
        """Return m, and s and m."""
        scale = seen.own.sum((1, 2)).clamp(min=1).sqrt()

        def shared(name: str) -> Tensor:
            own = seen.own.view(-1, *[1] * (values[name].ndim - 2), seen.own.shape[-1])
            whole = (values[name] * own).sum(-1)  # (P, ...)
            return whole / scale.view(-1, *[1] * (whole.ndim - 1))

        heard = torch.bmm(state["m"], values["C"].transpose(1, 2))  # (P, B, D)
        module = Module(shared("A"), shared("B"), shared("e"))
        s = module.remember(state["s"], seen.inputs, heard)
        m = attend(s, seen.inputs, values["q"]) * seen.own
        return m, {"s": s, "m": m}


class Module(NamedTuple):
    """What all cells of a candidate share: A (P, D, D), B and e (P, D)."""

    A: Tensor
    B: Tensor
    e: Tensor

    def remember(self, s: Tensor, inputs: Tensor, heard: Tensor) -> Tensor:
        """Return s after one step, (P, B, I, D).

        Args:
            s: before.
            inputs: (P, B, I).
            heard: by every cell, (P, B, D).
        """
        own = torch.bmm(s.flatten(1, 2), self.A).view_as(s)
        all_ = heard.unsqueeze(2) + self.e[:, None, None]
        return torch.tanh(own + inputs.unsqueeze(-1) * self.B[:, None, None] + all_)


def attend(s: Tensor, inputs: Tensor, q: Tensor) -> Tensor:
    """Return what N neurons with queries q (P, D, N) read from the cells, (P, B, N)."""
    rows, batch, count, _ = s.shape
    scores = torch.bmm(s.flatten(1, 2), q).view(rows, batch, count, -1) / math.sqrt(D)
    return (torch.softmax(scores, 2) * inputs.unsqueeze(-1)).sum(2)
