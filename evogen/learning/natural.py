"""Separable natural evolution strategy: the arithmetic of one generation, for P searches side by side.

With K samples of mean mu and deviations sigma (both of D entries):

    s_k ~ N(0, I);  z_k = mu + sigma s_k                                              (samples)
    u_k = max(0, ln(K / 2 + 1) - ln k) / sum_j max(0, ...) - 1 / K                    (utility of rank k)
    mu    <- mu + eta_mu sigma sum_k u_k s_k
    sigma <- sigma exp(eta_sigma / 2 sum_k u_k (s_k^2 - 1))

Sources: Schaul, Glasmachers, Schmidhuber 2011, "High dimensions and heavy tails for natural evolution
strategies"; Wierstra et al. 2014, "Natural evolution strategies", algorithm 6 and section 3.1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Search(NamedTuple):
    """Where P searches are: mean and deviations, (P, D) each."""

    mean: Tensor
    sigma: Tensor


def samples(search: Search, drawn: Tensor) -> Tensor:
    """Return (P, K, D) samples from (P, K, D) standard normal numbers."""
    return search.mean.unsqueeze(1) + search.sigma.unsqueeze(1) * drawn


def utilities(returns: Tensor) -> Tensor:
    """Return (P, K) float64 utilities of (P, K) returns by rank; the best has the largest, their sum is 0.

    What is not a number ranks last. Equal returns rank in order, so that a search drifts where all are equal.
    """
    size = returns.shape[1]
    rank = torch.arange(1, size + 1, dtype=torch.float64, device=returns.device)
    raw = (math.log(size / 2 + 1) - rank.log()).clamp_min(0.0)
    utility = (raw / raw.sum() - 1 / size).expand(returns.shape)
    order = returns.double().nan_to_num(nan=-torch.inf).argsort(dim=1, descending=True, stable=True)
    return torch.empty_like(order, dtype=torch.float64).scatter_(1, order, utility)


def update(
    search: Search, drawn: Tensor, utility: Tensor, *, mean_rate: Tensor, sigma_rate: Tensor
) -> Search:
    """Return the searches one generation on.

    Args:
        search: as it was sampled.
        drawn: (P, K, D) standard normal numbers of the samples.
        utility: (P, K).
        mean_rate: (P,) eta_mu.
        sigma_rate: (P,) eta_sigma.
    """
    weight = utility.to(drawn).unsqueeze(-1)
    for_mean = (weight * drawn).sum(1)
    for_sigma = (weight * (drawn.square() - 1)).sum(1)
    mean = search.mean + mean_rate.unsqueeze(1) * search.sigma * for_mean
    return Search(mean, search.sigma * (sigma_rate.unsqueeze(1) / 2 * for_sigma).exp())
