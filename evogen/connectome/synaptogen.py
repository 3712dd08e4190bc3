"""SynaptoGen wiring: gene expression -> protein interaction -> synapse counts -> weights.

    P = sigmoid(O / tau)                                    probability that a protein pair makes a synapse
    Bbar = (X_pre^2) P (X_post^2)^T                         mean synaptic multiplicity             (eq. 3)
    Cbar = softmax(T_pre) C softmax(R_post)^T,  C = scale * S * sigmoid(c)   mean conductance      (eq. 4)
    W = Cbar * Bbar                                         mean total conductance                 (eq. 5)

S is fixed: transmitter t acts on its excitatory receptor 2t with +1 and on its inhibitory one 2t + 1 with -1.
An agent is born by drawing the counts: kappa = d N / (2 sum Bbar) for an average degree of d synapses a
neuron, n_ij = round(kappa x_i^2 y_j^2), B = sum_ij Binomial(n_ij, P_ij), W_born = Cbar * B / kappa.

Source: SynaptoGen (arXiv 2402.07242; eLife RP109166), equations restated; clean-room implementation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from evogen.connectome import Counted, Dimensions, Pairs, Parameter, Values
from evogen.registry import register, setting

COUNTABLE = 2.0**62


@register("wiring", "synaptogen")
@dataclass(frozen=True)
class SynaptoGen:
    """Weights from gene expression through genetic rules (the reference model)."""

    scale: float = setting(1.0, low=1e-6, high=1e6, doc="largest conductance of one synapse")
    tune_rules: bool = setting(True, doc="the inner loop tunes O and c too, not only the expression")
    genetic: ClassVar[bool] = True

    def parameters(self, dimensions: Dimensions, pairs: Pairs) -> Mapping[str, Parameter]:
        """X for every level, T for presynaptic levels, R and b for postsynaptic ones."""
        sizes, g, n = dimensions
        found = {f"{level}.X": Parameter((size, g), math.sqrt(2 / g)) for level, size in enumerate(sizes)}
        for pre, post in pairs:
            found[f"{pre}.T"] = Parameter((sizes[pre], n), math.sqrt(2 / n))
            found[f"{post}.R"] = Parameter((sizes[post], 2 * n), math.sqrt(2 / (2 * n)))
            found[f"{post}.b"] = Parameter((sizes[post],), math.sqrt(2 / (sizes[pre] + 1)))
        return found

    def weights(self, values: Values, pairs: Pairs) -> list[Tensor]:
        """Return W of eq. 5 for each pair, (P, pre, post)."""
        P = sigmoid(values["O"] / values["temperature"][:, None, None])  # (P, g, g)
        if "rule_mask" in values:
            P = P * values["rule_mask"]
        c = values["c"]  # (P, n, 2n)
        C = self.scale * polarity(c.shape[1], c.dtype, c.device) * sigmoid(c)
        reach = {pre: _square(values[f"{pre}.X"]).bmm(P) for pre in {pair[0] for pair in pairs}}
        offer = {pre: torch.softmax(values[f"{pre}.T"], -1).bmm(C) for pre in reach}
        found = []
        for pre, post in pairs:
            Bbar = reach[pre].bmm(_square(values[f"{post}.X"]).transpose(1, 2))  # (P, pre, post)
            Cbar = offer[pre].bmm(torch.softmax(values[f"{post}.R"], -1).transpose(1, 2))
            found.append(Cbar * Bbar)
        return found

    def birth(
        self, candidate: Counted, pairs: Pairs, generators: Sequence[np.random.Generator], degree: float
    ) -> list[np.ndarray]:
        """Draw the synapse counts of agents exactly, gene pair by gene pair (section 2.1 of the model)."""
        values, masks = candidate.values, candidate.masks
        P = _sigmoid(values["O"] / candidate.temperature)
        if candidate.rule_mask is not None:
            P = P * candidate.rule_mask
        C = self.scale * _polarity(values["c"].shape[0]) * _sigmoid(values["c"])
        squares = {int(name[:-2]): array**2 for name, array in values.items() if name.endswith(".X")}
        neurons = sum(len(array) for array in squares.values())
        links = list(zip(pairs, masks, strict=True))
        synapses = sum(
            float((_product(_product(squares[pre], P), squares[post].T) * mask).sum())
            for (pre, post), mask in links
        )
        kappa = degree * neurons / (2 * synapses) if synapses > 0 else 1.0
        found = []
        for (pre, post), mask in links:
            Cbar = _product(_product(_softmax(values[f"{pre}.T"]), C), _softmax(values[f"{post}.R"]).T)
            counts = sample_counts(kappa * squares[pre], squares[post], P, mask, generators)
            found.append(Cbar * counts / kappa)
        return found


def sample_counts(
    X2: np.ndarray, Y2: np.ndarray, P: np.ndarray, mask: np.ndarray, generators: Sequence[np.random.Generator]
) -> np.ndarray:
    """Draw synapse counts (A, pre, post): B_uv = sum_ij Binomial(round(X2_ui Y2_vj), P_ij), exactly.

    Args:
        X2: (pre, g) squared expression times kappa.
        Y2: (post, g) squared expression.
        P: (g, g) probabilities.
        mask: (pre, post), 0 where no synapse may form.
        generators: one per agent.

    Returns:
        The counts; NaN if a gene pair would make COUNTABLE attempts or more.
    """
    pre, post = np.nonzero(mask)
    attempts = np.rint(X2[pre][:, :, None] * Y2[post][:, None, :])  # (pairs, g, g)
    if not (attempts < COUNTABLE).all():
        return np.full((len(generators), *mask.shape), np.nan)
    attempts = attempts.astype(np.int64)
    pair, i, j = np.nonzero(attempts)
    n, p = attempts[pair, i, j], P[i, j]
    counts = np.zeros((len(generators), *mask.shape))
    for agent, generator in zip(counts, generators, strict=True):
        successes = generator.binomial(n, p)  # ~ Binomial(n_ij, P_ij)
        agent[pre, post] = np.bincount(pair, weights=successes, minlength=len(pre))
    return counts


def sigmoid(x: Tensor) -> Tensor:
    """Return 1 / (1 + exp(-x)) through tanh, whose bits do not depend on an element's place in memory."""
    return 0.5 + 0.5 * torch.tanh(0.5 * x)


@cache
def polarity(n: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return S (n, 2n) for n transmitters."""
    return torch.from_numpy(_polarity(n)).to(device, dtype)


def _polarity(n: int) -> np.ndarray:
    S = np.zeros((n, 2 * n))
    S[np.arange(n), 2 * np.arange(n)] = 1.0
    S[np.arange(n), 2 * np.arange(n) + 1] = -1.0
    return S


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.exp(-np.logaddexp(0, -x)))  # 1 / (1 + exp(-x)), which overflows


def _square(x: Tensor) -> Tensor:
    return x * x


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a @ b without BLAS, whose bits may depend on its number of threads."""
    return np.asarray(np.einsum("ij,jk->ik", a, b))


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))
