"""Synaptogenesis: the synapses of born agents between two levels, drawn pair by pair of neurons.

    binomial   n_ij = round(kappa x_i^2 y_j^2), B = sum_ij Binomial(n_ij, P_ij)         (the reference, exact)
    poisson    B ~ Poisson(kappa Bbar): no rounding, unbiased at any degree
    drawn      each of the B synapses draws transmitter t ~ T and receptor r ~ R and adds C[t, r]; under the
               poisson law the synapses of each (t, r) are Poisson(kappa Bbar T_t R_r) alone (thinning)

The fast sampler draws a binomial sum whose variance is LARGE or more from the Gaussian of equal mean and
variance, rounded to whole synapses; below that, and in all conductances, it is exact. So no sampler gives a
weight a sign or a size that its synapses could not have.

Source: SynaptoGen (arXiv 2402.07242), section "sampling" restated; clean-room implementation. numpy without
BLAS: no bit depends on a number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evogen.connectome.birth import Birth

COUNTABLE = 2.0**62
LARGE = 30.0  # synapses^2; the skewness of such a binomial sum is below 1 / sqrt(LARGE) = 0.18
ROUNDING = 1 / 12  # synapses^2; what rounding to whole synapses adds to a variance
BLOCK = 2**18  # gene pairs of neuron pairs that are looked at together: 2 MB


class Synapses(NamedTuple):
    """What the synapses from one level to another are drawn from, for one candidate in float64.

    Attributes:
        X2, Y2: (pre, g) and (post, g) squared expression.
        P: (g, g) probability that a protein pair makes a synapse.
        T: (pre, n) shares of the transmitters.
        R: (post, 2n) shares of the receptors.
        C: (n, 2n) conductance of one synapse.
        mask: (pre, post), 0 where no synapse may form.
    """

    X2: np.ndarray
    Y2: np.ndarray
    P: np.ndarray
    T: np.ndarray
    R: np.ndarray
    C: np.ndarray
    mask: np.ndarray

    def multiplicity(self) -> np.ndarray:
        """Return Bbar (pre, post), the mean number of synapses for kappa = 1."""
        return _product(_product(self.X2, self.P), self.Y2.T)


class _Channels(NamedTuple):
    """The ways in which a synapse of a neuron pair can act: share (pairs, 2n) and conductance (2n) of each.

    Shares sum to less than 1: a transmitter that meets a receptor of another one does nothing.
    """

    share: np.ndarray
    conductance: np.ndarray

    def mean(self) -> np.ndarray:
        """Return the mean conductance of one synapse of every pair."""
        return np.asarray((self.share * self.conductance).sum(1))

    def of_counts(self, counts: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Return the total conductance of so many synapses."""
        silent = np.maximum(1 - self.share.sum(1, keepdims=True), 0.0)
        shares = np.concatenate([self.share, silent], axis=1)
        shares /= shares.sum(1, keepdims=True)
        each = generator.multinomial(counts.astype(np.int64), shares)  # ~ Multinomial(B, shares)
        return np.asarray((each[:, :-1] * self.conductance).sum(1))

    def of_means(self, counts: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Return the total conductance of Poisson(counts) synapses, each way of acting by itself."""
        each = generator.poisson(counts[:, None] * self.share)
        return np.asarray((each * self.conductance).sum(1))


def draw(
    of: Synapses, kappa: np.ndarray, generators: Sequence[np.random.Generator], birth: Birth
) -> np.ndarray:
    """Return the total conductance (A, pre, post) of every pair of neurons, one agent per generator.

    NaN if a pair would make COUNTABLE attempts or more.

    Args:
        of: what they are drawn from.
        kappa: the degree's factor, one number or (1, post).
        generators: one an agent.
        birth: the law.
    """
    pre, post = np.nonzero(of.mask)
    kappa = np.broadcast_to(kappa, of.mask.shape)[pre, post]
    total = np.zeros((len(generators), *of.mask.shape))
    channels = _channels(of, pre, post)
    means = kappa * of.multiplicity()[pre, post]
    if not (means < COUNTABLE).all():
        return np.full_like(total, np.nan)
    if birth.counts == "poisson" and birth.conductance == "drawn":
        for agent, generator in zip(total, generators, strict=True):
            agent[pre, post] = channels.of_means(means, generator)
        return total
    if birth.counts == "poisson":
        counts: np.ndarray | None = np.stack([generator.poisson(means) for generator in generators])
    else:
        counts = _binomial(of, kappa, (pre, post), generators, LARGE if birth.sampler == "fast" else np.inf)
    if counts is None:
        return np.full_like(total, np.nan)
    if birth.conductance == "mean":
        total[:, pre, post] = channels.mean() * counts
        return total
    for agent, each, generator in zip(total, counts, generators, strict=True):
        agent[pre, post] = channels.of_counts(each, generator)
    return total


def _binomial(
    of: Synapses,
    kappa: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray],
    generators: Sequence[np.random.Generator],
    large: float,
) -> np.ndarray | None:
    """Return the synapses (A, pairs) of neuron pairs; None if they cannot be counted.

    Sums of a variance below `large` are drawn term by term. Neuron pairs are taken in blocks, so that memory
    does not grow with their number times g^2.
    """
    pre, post = pairs
    p, X2 = of.P.ravel(), of.X2
    most = kappa * X2.max(1)[pre] * of.Y2.max(1)[post]  # attempts of the busiest gene pair
    if not (most < COUNTABLE).all():
        return None
    q = p * (1 - p)
    counts = np.zeros((len(generators), len(pre)))
    mean, variance = np.zeros(len(pre)), np.zeros(len(pre))
    step = max(1, BLOCK // p.size)
    for start in range(0, len(pre), step):
        part = slice(start, start + step)
        scaled = kappa[part, None] * X2[pre[part]]
        n = np.rint(scaled[:, :, None] * of.Y2[post[part]][:, None, :])  # (pairs, g, g)
        n = n.reshape(len(n), -1)
        mean[part] = np.einsum("uk,k->u", n, p)
        variance[part] = np.einsum("uk,k->u", n, q)
        few = np.flatnonzero(variance[part] < large)
        if not len(few):
            continue
        at, gene_pair = np.nonzero(n[few])
        pair, attempts, chance = few[at], n[few[at], gene_pair].astype(np.int64), p[gene_pair]
        for agent, generator in zip(counts, generators, strict=True):
            successes = generator.binomial(attempts, chance)  # ~ Binomial(n_ij, P_ij)
            agent[part] = np.bincount(pair, weights=successes, minlength=len(n))
    many = variance >= large
    deviation = np.sqrt(variance[many] - ROUNDING)
    for agent, generator in zip(counts, generators, strict=True):
        drawn = mean[many] + deviation * generator.standard_normal(len(deviation))  # ~ N(mean, variance)
        agent[many] = np.maximum(np.rint(drawn), 0.0)
    return counts


def _channels(of: Synapses, pre: np.ndarray, post: np.ndarray) -> _Channels:
    receptor = np.arange(of.R.shape[1])
    transmitter = receptor // 2  # S: transmitter t acts on the receptors 2t and 2t + 1
    return _Channels(of.T[pre][:, transmitter] * of.R[post], of.C[transmitter, receptor])


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a @ b without BLAS, whose bits may depend on its number of threads."""
    return np.asarray(np.einsum("ij,jk->ik", a, b))
