"""SynaptoGen wiring: gene expression -> protein interaction -> synapse counts -> weights.

    P = sigmoid(O / tau)                                    probability that a protein pair makes a synapse
    Bbar = (X_pre^2) P (X_post^2)^T                         mean synaptic multiplicity             (eq. 3)
    Cbar = softmax(T_pre) C softmax(R_post)^T,  C = scale * S * sigmoid(c)   mean conductance      (eq. 4)
    W = Cbar * Bbar                                         mean total conductance                 (eq. 5)

S is fixed: transmitter t acts on its excitatory receptor 2t with +1 and on its inhibitory one 2t + 1 with -1.
Under `polarity: neuron` (Dale's law) the transmitter decides instead: even ones excite, odd ones inhibit, and
a neuron releases only transmitters of the sign of its strongest one.

A rule mask M forbids the pairs outside of it, or, under `mask: band`, keeps every pair within its half of the
unit interval (the reference's biological rules). No mask is one that holds every pair. With sigma = 1/g,

    P = 1/2 + sigmoid((O + 3 sigma) / tau) / 2 where M,  sigmoid((O - 3 sigma) / tau) / 2 elsewhere.

With kappa = d N / (2 sum Bbar) for an average degree of d synapses a neuron (in each module by itself where
modules have no synapse between them, so that none decides how another is born), m2 = softmax(T) C^2
softmax(R)^T and V = X_pre^2 (P (1 - P)) (X_post^2)^T, the variance of a born weight is

    counts       conductance mean     conductance drawn
    binomial     Cbar^2 V / kappa     (Bbar (m2 - Cbar^2) + V Cbar^2) / kappa
    poisson      Cbar^2 Bbar / kappa  Bbar m2 / kappa

That of binomial counts leaves out that attempts are rounded to whole numbers, as the mean does. This vanishes
where attempts are many; where most gene pairs would make less than half of one, agents are born with weaker
synapses.

Sources: SynaptoGen (arXiv 2402.07242; eLife RP109166), equations restated, clean-room implementation; the
variances are ours (law of total variance; compound Poisson sums).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from evogen.connectome import Counted, Dimensions, Moments, Pairs, Parameter, Values
from evogen.connectome.birth import Birth
from evogen.connectome.synapses import Synapses, draw
from evogen.registry import register, setting

# A weight of the wrong sign is cured by another transmitter or receptor, or by no expression at all; but
# where expression has gone, so has its gradient. At equal paces one CartPole network in ten ends there.
CHOICE = 5.0  # pace of T, R and c
RULE = 0.2  # pace of O, which tau magnifies


class _Means(NamedTuple):
    """What the mean weights are made of: P (P, g, g), C (P, n, 2n), and by level X^2, T and R as shares."""

    P: Tensor
    C: Tensor
    squares: dict[int, Tensor]
    released: dict[int, Tensor]
    received: dict[int, Tensor]


@register("wiring", "synaptogen")
@dataclass(frozen=True)
class SynaptoGen:
    """Weights from gene expression through genetic rules (the reference model)."""

    scale: float = setting(1.0, low=1e-6, high=1e6, doc="largest conductance of one synapse")
    tune_rules: bool = setting(True, doc="the inner loop tunes O and c too, not only the expression")
    mask: Literal["forbid", "band"] = setting(
        "forbid", doc="pairs outside a rule mask: forbidden, or kept in (0, 1/2) as the rules are in (1/2, 1)"
    )
    polarity: Literal["receptor", "neuron"] = setting(
        "receptor", doc="what decides a synapse's sign: its receptor, or the presynaptic neuron (Dale's law)"
    )
    initial: Literal["normal", "lineage"] = setting(
        "normal", doc="expression that nothing was inherited of: independent, or alike among close relatives"
    )
    genetic: ClassVar[bool] = True
    paces: ClassVar[Mapping[str, float]] = {"O": RULE, "c": CHOICE}

    def parameters(self, dimensions: Dimensions, pairs: Pairs) -> Mapping[str, Parameter]:
        """X for every level, T for presynaptic levels, R and b for postsynaptic ones."""
        sizes, g, n = dimensions[:3]
        found = {f"{level}.X": Parameter((size, g), math.sqrt(2 / g)) for level, size in enumerate(sizes)}
        for pre, post in pairs:
            found[f"{pre}.T"] = Parameter((sizes[pre], n), math.sqrt(2 / n), CHOICE)
            found[f"{post}.R"] = Parameter((sizes[post], 2 * n), math.sqrt(2 / (2 * n)), CHOICE)
            found[f"{post}.b"] = Parameter((sizes[post],), math.sqrt(2 / (sizes[pre] + 1)))
        return found

    def weights(self, values: Values, pairs: Pairs) -> list[Tensor]:
        """Return W of eq. 5 for each pair, (P, pre, post)."""
        means = self._means(values, pairs)
        return [Cbar * Bbar for Bbar, Cbar in _products(means, pairs, means.P, means.C)]

    def moments(self, values: Values, pairs: Pairs, masks: Sequence[Tensor], birth: Birth) -> list[Moments]:
        """Return W and its variance over born agents for each pair, (P, pre, post)."""
        means = self._means(values, pairs)
        expected = _products(means, pairs, means.P, means.C)
        open_ = [Bbar * mask for (Bbar, _), mask in zip(expected, masks, strict=True)]
        shrinks = (_shrinks if "modules" in values else _shrink)(values, pairs, open_, birth.degree)
        spread = means.P * (1 - means.P) if birth.counts == "binomial" else means.P
        found = []
        for (Bbar, Cbar), (V, m2), shrink in zip(
            expected, _products(means, pairs, spread, means.C * means.C), shrinks, strict=True
        ):
            variance = Cbar * Cbar * V
            if birth.conductance == "drawn":
                variance = variance + Bbar * (m2 - Cbar * Cbar).clamp_min(0)  # rounding may leave it below 0
            found.append(Moments(Cbar * Bbar, variance * shrink))
        return found

    def birth(
        self, candidate: Counted, pairs: Pairs, generators: Sequence[np.random.Generator], birth: Birth
    ) -> list[np.ndarray]:
        """Draw agents by the law of `birth`; NaN if some would form too many synapses to count."""
        one = {
            name: torch.from_numpy(np.ascontiguousarray(part))[None]
            for name, part in candidate.values.items()
        }
        one["temperature"] = torch.tensor([candidate.temperature], dtype=torch.float64)
        one["genes"] = torch.tensor([len(candidate.values["O"])], dtype=torch.float64)
        if candidate.rule_mask is not None:
            one["rule_mask"] = torch.from_numpy(candidate.rule_mask)[None]
        means = self._means(one, pairs)
        P, C = means.P[0].numpy(), means.C[0].numpy()
        squares, released, received = (
            {level: part[0].numpy() for level, part in parts.items()} for parts in means[2:]
        )
        made = [
            Synapses(squares[pre], squares[post], P, released[pre], received[post], C, mask)
            for (pre, post), mask in zip(pairs, candidate.masks, strict=True)
        ]
        neurons = {level: len(part) for level, part in squares.items()}
        kappas = _kappas(made, pairs, neurons, candidate.modules, birth.degree)
        if not all(np.isfinite(kappa).all() for kappa in kappas):
            return [np.full((len(generators), *mask.shape), np.nan) for mask in candidate.masks]
        return [
            draw(item, kappa, generators, birth) / kappa for item, kappa in zip(made, kappas, strict=True)
        ]

    def _means(self, values: Values, pairs: Pairs) -> _Means:
        c = values["c"]  # (P, n, 2n)
        C = self.scale * polarity(c.shape[1], self.polarity, c.dtype, c.device) * sigmoid(c)
        levels = sorted({level for pair in pairs for level in pair})
        squares = {level: _square(values[f"{level}.X"]) for level in levels}
        released = {pre: self._released(values[f"{pre}.T"]) for pre in dict(pairs)}
        received = {post: torch.softmax(values[f"{post}.R"], -1) for _, post in pairs}
        return _Means(self._probability(values), C, squares, released, received)

    def _probability(self, values: Values) -> Tensor:
        O, tau, mask = values["O"], values["temperature"][:, None, None], values.get("rule_mask")
        if self.mask == "forbid":
            P = sigmoid(O / tau)  # (P, g, g)
            return P if mask is None else P * mask
        allowed = torch.ones_like(O) if mask is None else mask
        shift = 3 / values["genes"][:, None, None] * (2 * allowed - 1)  # 3 sigma
        return 0.5 * sigmoid((O + shift) / tau) + 0.5 * allowed

    def _released(self, T: Tensor) -> Tensor:
        """Return the shares of the transmitters that each neuron releases, (P, N, n)."""
        if self.polarity == "receptor":
            return torch.softmax(T, -1)
        odd = torch.arange(T.shape[-1], device=T.device) % 2 == 1
        own = odd[T.argmax(-1)].unsqueeze(-1) == odd  # of the sign of the strongest one
        return torch.softmax(T.masked_fill(~own, -torch.inf), -1)


def _products(means: _Means, pairs: Pairs, P: Tensor, C: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Return X^2 P (Y^2)^T and T C R^T for each pair, (P, pre, post) both."""
    reach = {pre: means.squares[pre].bmm(P) for pre in means.released}
    offer = {pre: released.bmm(C) for pre, released in means.released.items()}
    return [
        (
            reach[pre].bmm(means.squares[post].transpose(1, 2)),
            offer[pre].bmm(means.received[post].transpose(1, 2)),
        )
        for pre, post in pairs
    ]


def _shrink(values: Values, pairs: Pairs, open_: Sequence[Tensor], degree: float) -> list[Tensor]:
    """Return 1 / kappa, (P, 1, 1), for each pair, from its Bbar where synapses may form."""
    # in two steps, since threads share a sum to a single number: its bits would be others if P = 1
    synapses = sum(Bbar.sum(2).sum(1) for Bbar in open_)
    shrink = (2 * synapses / (degree * values["neurons"]))[:, None, None]
    return [shrink] * len(pairs)


def _shrinks(values: Values, pairs: Pairs, open_: Sequence[Tensor], degree: float) -> list[Tensor]:
    """Return 1 / kappa of each module by itself, (P, 1, post), for each pair."""
    members = [values[f"{post}.module"] for _, post in pairs]  # (P, post, M)
    each = zip(open_, members, strict=True)
    synapses = sum((Bbar.sum(1).unsqueeze(2) * member).sum(1) for Bbar, member in each)  # (P, M)
    shrink = 2 * synapses / (degree * values["modules"])
    return [(member * shrink.unsqueeze(1)).sum(2).unsqueeze(1) for member in members]


def _kappas(
    made: Sequence[Synapses],
    pairs: Pairs,
    neurons: Mapping[int, int],
    modules: Mapping[int, np.ndarray],
    degree: float,
) -> list[np.ndarray]:
    """Return kappa for each pair, one number or (1, post); not finite if synapses cannot be counted."""
    found = [item.multiplicity() * item.mask for item in made]
    if not modules:
        synapses = sum(float(Bbar.sum()) for Bbar in found)
        one = degree * sum(neurons.values()) / (2 * synapses) if synapses > 0 else 1.0
        return [np.asarray(one if np.isfinite(synapses) else np.nan)] * len(made)
    members = [modules[post] for _, post in pairs]
    total = sum((Bbar.sum(0)[:, None] * member).sum(0) for Bbar, member in zip(found, members, strict=True))
    hidden = sum(modules[level].sum(0) for level in sorted(modules)[:-1])
    own = neurons[0] + hidden + 1.0  # the input, its own and its one output
    kappa = np.divide(degree * own, 2 * total, out=np.ones_like(own), where=total > 0)
    kappa = np.where(np.isfinite(total), kappa, np.nan)
    return [(member * kappa).sum(1)[None] for member in members]


def sigmoid(x: Tensor) -> Tensor:
    """Return 1 / (1 + exp(-x)) through tanh, whose bits do not depend on an element's place in memory."""
    return 0.5 + 0.5 * torch.tanh(0.5 * x)


@cache
def polarity(n: int, decided_by: str, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return S (n, 2n) for n transmitters."""
    S = torch.zeros(n, 2 * n, dtype=dtype)
    t = torch.arange(n)
    sign = 1.0 - 2.0 * (t % 2).to(dtype)
    S[t, 2 * t] = 1.0 if decided_by == "receptor" else sign
    S[t, 2 * t + 1] = -1.0 if decided_by == "receptor" else sign
    return S.to(device)


def _square(x: Tensor) -> Tensor:
    return x * x
