"""Leaky integrate-and-fire: constant or pulsed current in, spikes out, from rest at each observation.

    m_t = v_{t-1} + (u_t - v_{t-1}) / tau        s_t = H(m_t - theta)        v_t = m_t - theta s_t

in ticks (dt = 1), v_0 = 0. The reset subtracts the threshold and so keeps what exceeds it: the rate then
follows the current with less loss than with a reset to zero (Rueckauer et al. 2017), and it is the usual one
for training (Eshraghian et al. 2023). H(0) = 0: a current of just theta never fires.

H has no useful derivative. The gradient takes that of the fast sigmoid in its place,
ds/dm = 1 / (1 + slope |m - theta|)^2 (Zenke & Ganguli 2018; Neftci, Mostafa & Zenke 2019), and does not
follow the reset (Zenke & Vogels 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from evogen.neurons import TICKS, Nature, Values
from evogen.registry import evolvable, register


@register("neuron", "lif")
@dataclass(frozen=True)
class Lif:
    """A unit that integrates its input over the ticks of one observation and fires."""

    tau: float = evolvable(4.0, low=1.0, high=1000.0, doc="membrane time constant in ticks")
    theta: float = evolvable(0.25, low=1e-3, high=100.0, doc="membrane potential above which it fires")
    slope: float = evolvable(5.0, low=0.1, high=100.0, doc="steepness of the surrogate of the spike")
    nature: ClassVar[Nature] = Nature(speaks=True, spiking=True)

    def spikes(self, current: Tensor, values: Values) -> Tensor:
        """Return s, with the surrogate's gradient in the current; the numbers get none."""
        numbers = values["tau"], values["theta"], values["slope"]
        spikes: Tensor = _Spikes.apply(current, *numbers)  # type: ignore[no-untyped-call]
        return spikes


class _Spikes(torch.autograd.Function):
    """All ticks as one operation: by autograd's own graph each of them would be several nodes."""

    @staticmethod
    def forward(ctx: Any, current: Tensor, tau: Tensor, theta: Tensor, slope: Tensor) -> Tensor:
        ticks = current.shape[1]
        rate = 1.0 / tau
        keep, inflow = 1.0 - rate, rate.unsqueeze(1) * current
        m = current.new_empty(current.shape[0], TICKS, *current.shape[2:])
        s, v = torch.empty_like(m), torch.zeros_like(m[:, 0])
        for t in range(TICKS):  # into place: three kernels a tick
            torch.addcmul(inflow[:, t % ticks], keep, v, out=m[:, t])
            torch.gt(m[:, t], theta, out=s[:, t])
            torch.addcmul(m[:, t], theta, s[:, t], value=-1, out=v)
        ctx.save_for_backward(m, tau, theta, slope)
        ctx.ticks = ticks
        return s.add_(0.0 * v.unsqueeze(1))  # a comparison hides NaN, the last membrane does not

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        m, tau, theta, slope = ctx.saved_tensors
        rate = 1.0 / tau
        keep = 1.0 - rate
        direct = m - theta.unsqueeze(1)  # (P, T, B, N), the largest tensor of all: the rest happens in place
        direct.abs_().mul_(slope.unsqueeze(1)).add_(1.0).square_()
        torch.div(gradient, direct, out=direct)
        by_m = torch.zeros_like(direct[:, 0])
        found = direct.new_zeros(direct.shape[0], ctx.ticks, *direct.shape[2:])
        for t in reversed(range(TICKS)):
            by_m = torch.addcmul(direct[:, t], keep, by_m)  # dL/dm_t
            found[:, t % ctx.ticks] += by_m  # tick by tick: the order of the sum is the same in any cohort
        return found * rate.unsqueeze(1), None, None, None
