"""Short-term plasticity neuron: every synapse has a fast part that its own neuron writes and forgets.

    z_t = all that the neuron hears     G_t = W + F_t     n_i = ||G_i||_2 over all its synapses
    h_t = tanh((G_t / n) z_t + b)       F_{t+1} = Lambda (F_t / n) + Gamma h_t z_t,    F_0 = 0

(Garcia Rodriguez, Guo & Moraitis 2022, with the norm before the update, as in their associative retrieval).
In a recurrent layer z_t holds what the layer said a step before. Lambda and Gamma are trained, one number a
synapse, as W is. Theirs are born uniform, Lambda in (0, 1) and Gamma within 1e-3 / sqrt(N) of 0; ours normal
of the same mean and spread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from evogen.neurons import Contacts, Nature, Own, State, Values
from evogen.registry import evolvable, register

TINY = 1e-12  # squared norm of a neuron without synapses


@register("neuron", "stpn")
@dataclass(frozen=True)
class STPN:
    """A unit whose synapses remember what lately passed through them."""

    clamp: float = evolvable(1000.0, low=0.01, high=1e6, doc="largest size of a fast part")
    nature: ClassVar[Nature] = Nature(
        remembers={"F": ("sources", "neurons")},
        owns={
            "Lambda": Own(("sources",), mean=0.5, deviation=math.sqrt(1 / 12)),
            "Gamma": Own(("sources",), deviation=1e-3 / math.sqrt(3), fan="neurons"),
        },
        speaks=True,
        synaptic=True,
    )

    def step(self, seen: Contacts, state: State, values: Values) -> tuple[Tensor, State]:
        """Return h, and F for the next step; F is 0 where there is no synapse."""
        open_ = (seen.weight != 0).unsqueeze(1)
        F = state["F"]  # (P, B, M, N)
        G = seen.weight.unsqueeze(1) + F
        n = (G.square().sum(2, keepdim=True) + TINY).sqrt()  # (P, B, 1, N)
        z = seen.pre.unsqueeze(-1)  # (P, B, M, 1)
        h = torch.tanh((z * G).sum(2) / n.squeeze(2) + seen.bias)
        after = values["Lambda"].unsqueeze(1) * (F / n) + values["Gamma"].unsqueeze(1) * (z * h.unsqueeze(2))
        bound = values["clamp"].unsqueeze(1)
        return h, {"F": after.clamp(-bound, bound) * open_}
