"""Synaptogenesis: the synapses of born agents between two levels, drawn pair by pair of neurons.

    binomial   n_ij = round(kappa x_i^2 y_j^2), B = sum_ij Binomial(n_ij, P_ij)         (the reference, exact)
    poisson    B ~ Poisson(kappa Bbar): no rounding, unbiased at any degree
    drawn      each of the B synapses draws transmitter t ~ T and receptor r ~ R and adds C[t, r]; under the
               poisson law the synapses of each (t, r) are Poisson(kappa Bbar T_t R_r) by themselves (thinning)

The fast sampler draws a binomial sum whose variance is LARGE or more, and the total conductance of as many
synapses, from the Gaussian of equal mean and variance; below that it is exact.

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


class _Attempts(NamedTuple):
    """Binomial sums of neuron pairs: mean and variance of each, and the terms of those that are drawn exactly.

    `pair`, `n` and `p` list every gene pair that makes attempts: which neuron pair, how many, how likely.
    """

    mean: np.ndarray
    variance: np.ndarray
    pair: np.ndarray
    n: np.ndarray
    p: np.ndarray
    countable: bool

    def counts(self, generator: np.random.Generator) -> np.ndarray:
        """Return B of every neuron pair."""
        successes = generator.binomial(self.n, self.p)  # ~ Binomial(n_ij, P_ij)
        B = np.bincount(self.pair, weights=successes, minlength=len(self.mean))
        exact = np.bincount(self.pair, minlength=len(self.mean)) > 0
        normal = generator.standard_normal(len(self.mean))
        rounded = np.rint(self.mean + np.sqrt(self.variance) * normal)  # ~ N(mean, variance)
        return np.asarray(np.where(exact, B, np.maximum(rounded, 0.0)))


class _Channels(NamedTuple):
    """The ways in which a synapse of a neuron pair can act: share (pairs, 2n) and conductance (2n) of each.

    Shares sum to less than 1: a transmitter that meets a receptor of another one does nothing.
    """

    share: np.ndarray
    conductance: np.ndarray

    def mean(self) -> np.ndarray:
        """Return the mean conductance of one synapse of every pair."""
        return np.asarray((self.share * self.conductance).sum(1))

    def of_counts(self, counts: np.ndarray, generator: np.random.Generator, large: float) -> np.ndarray:
        """Return the total conductance of so many synapses; Gaussian where they are `large` or more."""
        mean = self.mean()
        variance = (self.share * self.conductance**2).sum(1) - mean**2  # of one synapse
        few = counts < large
        total = counts * mean + np.sqrt(counts * variance) * generator.standard_normal(len(counts))
        silent = np.maximum(1 - self.share[few].sum(1, keepdims=True), 0.0)
        shares = np.concatenate([self.share[few], silent], axis=1)
        each = generator.multinomial(counts[few].astype(np.int64), shares / shares.sum(1, keepdims=True))
        total[few] = (each[:, :-1] * self.conductance).sum(1)
        return total

    def of_means(self, counts: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Return the total conductance of Poisson(counts) synapses, each way of acting by itself."""
        each = generator.poisson(counts[:, None] * self.share)
        return np.asarray((each * self.conductance).sum(1))


def draw(
    of: Synapses, kappa: float, generators: Sequence[np.random.Generator], birth: Birth
) -> np.ndarray:
    """Return the total conductance (A, pre, post) of every pair of neurons, one agent per generator.

    NaN if a pair would make COUNTABLE attempts or more.
    """
    pre, post = np.nonzero(of.mask)
    total = np.zeros((len(generators), *of.mask.shape))
    channels = _channels(of, pre, post)
    large = LARGE if birth.sampler == "fast" else np.inf
    means = kappa * of.multiplicity()[pre, post]
    attempts = _attempts(of, kappa, pre, post, large) if birth.counts == "binomial" else None
    if not (means < COUNTABLE).all() or (attempts is not None and not attempts.countable):
        return np.full_like(total, np.nan)
    for agent, generator in zip(total, generators, strict=True):
        if attempts is None and birth.conductance == "drawn":
            agent[pre, post] = channels.of_means(means, generator)
            continue
        counts = generator.poisson(means) if attempts is None else attempts.counts(generator)
        if birth.conductance == "mean":
            agent[pre, post] = channels.mean() * counts
        else:
            agent[pre, post] = channels.of_counts(counts, generator, large)
    return total


def _attempts(of: Synapses, kappa: float, pre: np.ndarray, post: np.ndarray, large: float) -> _Attempts:
    p = of.P.ravel()
    X2, mean, variance = kappa * of.X2, np.zeros(len(pre)), np.zeros(len(pre))
    kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    countable, step = True, max(1, BLOCK // p.size)
    for start in range(0, len(pre), step):
        part = slice(start, start + step)
        n = X2[pre[part]][:, :, None] * of.Y2[post[part]][:, None, :]  # (pairs, g, g)
        np.rint(n, out=n)
        n = n.reshape(len(n), -1)
        countable &= bool((n < COUNTABLE).all())
        mean[part] = np.einsum("uk,k->u", n, p)
        variance[part] = np.einsum("uk,k->u", n, p * (1 - p))
        few = np.flatnonzero(variance[part] < large)
        at, pair = np.nonzero(n[few])
        kept.append((few[at] + start, n[few][at, pair], p[pair]))
    pairs, attempts, chance = (np.concatenate(parts) for parts in zip(*kept, strict=True)) if kept else [p[:0]] * 3
    attempts = np.minimum(attempts, COUNTABLE)
    return _Attempts(mean, variance, pairs.astype(np.int64), attempts.astype(np.int64), chance, countable)


def _channels(of: Synapses, pre: np.ndarray, post: np.ndarray) -> _Channels:
    receptor = np.arange(of.R.shape[1])
    transmitter = receptor // 2  # S: transmitter t acts on the receptors 2t and 2t + 1
    return _Channels(of.T[pre][:, transmitter] * of.R[post], of.C[transmitter, receptor])


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a @ b without BLAS, whose bits may depend on its number of threads."""
    return np.asarray(np.einsum("ij,jk->ik", a, b))
