"""The ABCD family: generalised Hebbian plasticity with decay, an Oja term and a bound.

    h = A a_pre a_post + B a_pre + C a_post + D - oja a_post^2 w        w = W + F
    F <- clip(F + eta h - decay F, -bound, bound)

A = oja = 1 and B = C = D = 0 is Oja's rule, whose weight vector tends to the first principal component.
Sources: Niv et al. 2002 and Najarro & Risi 2020 (ABCD); Oja 1982. One step per task step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from evogen.plasticity import FAST, Extent, Seen, State, Values
from evogen.registry import evolvable, register


@register("rule", "abcd")
@dataclass(frozen=True)
class ABCD:
    """Hebbian correlation, presynaptic, postsynaptic and constant terms, with decay, Oja term and bound."""

    eta: float = evolvable(0.01, low=0.0, high=10.0, doc="learning rate of the rule")
    A: float = evolvable(1.0, low=-10.0, high=10.0, doc="weight of a_pre a_post")
    B: float = evolvable(0.0, low=-10.0, high=10.0, doc="weight of a_pre")
    C: float = evolvable(0.0, low=-10.0, high=10.0, doc="weight of a_post")
    D: float = evolvable(0.0, low=-10.0, high=10.0, doc="constant drift")
    decay: float = evolvable(0.0, low=0.0, high=1.0, doc="fraction of F lost a step")
    oja: float = evolvable(0.0, low=0.0, high=10.0, doc="weight of the Oja term")
    bound: float = evolvable(1.0, low=0.0, high=100.0, doc="largest |F|")

    memory: ClassVar[Mapping[str, Extent]] = {FAST: Extent.SYNAPSE}
    coefficients: ClassVar[tuple[str, ...]] = ("eta", "A", "B", "C", "D", "decay", "oja", "bound")

    def step(self, state: State, seen: Seen, values: Values) -> State:
        """Return F after one step of the equations above."""
        v, fast, pre, post = values, state[FAST], seen.pre, seen.post
        h = v["A"] * pre * post + v["B"] * pre + v["C"] * post + v["D"] - v["oja"] * post * post * seen.weight
        fast = fast + v["eta"] * h - v["decay"] * fast
        return {FAST: torch.minimum(torch.maximum(fast, -v["bound"]), v["bound"])}

    def added(self, state: State, born: Tensor, values: Values) -> Tensor:  # noqa: ARG002
        """Return F."""
        return state[FAST]
