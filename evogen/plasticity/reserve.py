"""Protein reserve: growth of a neuron's synapses is paid from R, which a controller of its rate fills.

    need = sum_pre dw+        paid = min(1, R / need)        dw = paid dw+ + dw-
    R <- clip(R - sum dw+ + rho sum |dw-| + supply, 0, R_max)      supply = max(0, k_p (r* - r) + k_i I)
    I <- I + (r* - r)

What shrinks gives back the fraction rho. A life starts with a full pool, and what is remembered is what was
spent of it, R_max - R, so that a memory of zeros is a life's start. Nikitin, Lukyanova and Kunin 2021
(arXiv:2103.08143) describe such a reserve; their equations were not readable, so that these are ours, and the
controller is the textbook's PI. A reserve belongs to a neuron's synapses of one link, as to a branch.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from evogen.plasticity import Values
from evogen.plasticity.sums import TINY, plus


class Paid(NamedTuple):
    """After a step: the fast part (P, B, pre, post), what is spent and the integral, (P, B, 1, post)."""

    fast: Tensor
    spent: Tensor
    integral: Tensor


def pay(before: Tensor, wanted: Tensor, spent: Tensor, integral: Tensor, short: Tensor, v: Values) -> Paid:
    """Let synapses change as far as the pool of their neuron pays for it.

    Args:
        before: fast part, (P, B, pre, post).
        wanted: the fast part that the rule asks for; it is written over.
        spent: of the pool, (P, B, 1, post).
        integral: of what the rate fell short of its target.
        short: by how much the rate falls short of it now.
        v: coefficients `R_max`, `rho`, `k_p` and `k_i`, one a neuron at most.
    """
    change = wanted - before
    growth = change.clamp_min(0)
    need = growth.sum(2, keepdim=True)  # (P, B, 1, post)
    given = need - change.sum(2, keepdim=True)
    pool = (v["R_max"] - spent).clamp_min(0)
    share = torch.where(need > pool, pool / need.clamp_min(TINY), torch.ones_like(need))
    integral = integral + short
    supply = (v["k_p"] * short + v["k_i"] * integral).clamp_min(0)
    pool = pool - need * share + v["rho"] * given + supply
    spent = v["R_max"] - torch.minimum(pool, v["R_max"])
    return Paid(plus(wanted, growth, share - 1), spent, integral)
