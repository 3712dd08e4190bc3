"""Cumulants of born weights by elementary sums, attempt by attempt, apart from the closed forms under test.

A weight is the sum of independent attempts (binomial) or of a Poisson number of synapses. With m_k the k-th
raw moment of one synapse's conductance, an attempt has the raw moments p m_k, and a Poisson sum of mean
lambda the cumulants lambda m_k.
"""

from dataclasses import dataclass

import numpy as np
import torch

from evogen.connectome import Counted, Dimensions
from evogen.connectome.birth import Birth
from evogen.connectome.synaptogen import SynaptoGen
from evogen.keys import Key

TAU = 0.1


@dataclass(frozen=True)
class World:
    """Sizes of the levels, the pairs that are connected, genes and transmitters."""

    sizes: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]
    genes: int
    transmitters: int = 3

    def candidate(self, *, seed=0, masks=None, rule_mask=None):
        """A candidate drawn by the reference's initial law."""
        rng = Key(seed).child("candidate").generator()
        g, n = self.genes, self.transmitters
        specs = SynaptoGen().parameters(Dimensions(self.sizes, g, n), self.pairs)
        values = {name: rng.normal(0, spec.deviation, spec.shape) for name, spec in specs.items()}
        values |= {"O": rng.normal(0, 1 / g, (g, g)), "c": rng.normal(0, 1 / (np.sqrt(2) * n), (n, 2 * n))}
        full = [np.ones((self.sizes[pre], self.sizes[post])) for pre, post in self.pairs]
        return Counted(values, TAU, rule_mask, full if masks is None else masks)

    def bear(self, one, agents, *, wiring=None, seed=1, **law):
        """Weights (agents, pre, post) of each pair."""
        generators = [Key(seed).child(agent).generator() for agent in range(agents)]
        return (wiring or SynaptoGen()).birth(one, self.pairs, generators, Birth(**law))

    def values(self, one):
        """What `weights` and `moments` are given, float64 with P = 1."""
        table = {name: torch.from_numpy(part)[None] for name, part in one.values.items()}
        numbers = {"temperature": one.temperature, "genes": self.genes, "neurons": sum(self.sizes)}
        table |= {name: torch.tensor([value], dtype=torch.float64) for name, value in numbers.items()}
        return (
            table if one.rule_mask is None else table | {"rule_mask": torch.from_numpy(one.rule_mask)[None]}
        )

    def moments(self, one, *, wiring=None, **law):
        """Closed forms (mean, variance) of each pair, (pre, post) arrays."""
        masks = [torch.from_numpy(mask)[None] for mask in one.masks]
        found = (wiring or SynaptoGen()).moments(self.values(one), self.pairs, masks, Birth(**law))
        return [(mean[0].numpy(), variance[0].numpy()) for mean, variance in found]


def shares(logits):
    """Softmax."""
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def probability(one):
    """P (g, g), where the rule mask forbids."""
    P = 1 / (1 + np.exp(-one.values["O"] / one.temperature))
    return P if one.rule_mask is None else P * one.rule_mask


def conductance(one):
    """C (n, 2n) = S sigmoid(c)."""
    c = one.values["c"]
    S = np.zeros(c.shape)
    for t in range(len(S)):
        S[t, 2 * t], S[t, 2 * t + 1] = 1, -1
    return S / (1 + np.exp(-c))


def of_a_synapse(one, pair, law):
    """m_1 to m_4 (pre, post) of one synapse's conductance."""
    pre, post = pair
    T, R, C = shares(one.values[f"{pre}.T"]), shares(one.values[f"{post}.R"]), conductance(one)
    mean = T @ C @ R.T
    return [mean**k if law == "mean" else T @ C**k @ R.T for k in (1, 2, 3, 4)]


def attempts(one, pair):
    """x_i^2 y_j^2 of every neuron pair and gene pair, (pre, post, g, g)."""
    x, y = (one.values[f"{level}.X"] ** 2 for level in pair)
    return np.einsum("ui,vj->uvij", x, y)


def correction(one, pairs, degree):
    """Factor kappa = d N / (2 M)."""
    P = probability(one)
    M = sum(
        ((attempts(one, pair) * P).sum((2, 3)) * mask).sum()
        for pair, mask in zip(pairs, one.masks, strict=True)
    )
    neurons = sum(len(one.values[name]) for name in one.values if name.endswith(".X"))
    return degree * neurons / (2 * M)


def cumulants(one, pairs, *, degree, counts, conductance, rounded=True):
    """Mean, variance and fourth cumulant (pre, post) of born weights, for each pair."""
    kappa, P, found = correction(one, pairs, degree), probability(one), []
    for pair, mask in zip(pairs, one.masks, strict=True):
        m1, m2, m3, m4 = (m[..., None, None] for m in of_a_synapse(one, pair, conductance))
        n = kappa * attempts(one, pair) * mask[..., None, None]
        if counts == "poisson":
            each = n * P * m1, n * P * m2, n * P * m4
        else:
            n = np.rint(n) if rounded else n
            a, b, c, d = P * m1, P * m2, P * m3, P * m4
            fourth = d - 4 * c * a - 3 * b * b + 12 * b * a * a - 6 * a**4
            each = n * a, n * (b - a * a), n * fourth
        found.append(tuple(part.sum((2, 3)) / kappa**k for k, part in zip((1, 2, 4), each, strict=True)))
    return found


def errors(born, mean, variance, fourth):
    """Deviations of the sample mean and variance of (A, ...) weights in standard errors; 0 where constant."""
    agents, random = len(born), variance > 0
    assert np.allclose(born[:, ~random], mean[~random])
    drawn, mean, variance, fourth = born[:, random], mean[random], variance[random], fourth[random]
    of_variance = np.sqrt(2 * variance**2 / (agents - 1) + np.maximum(fourth, 0) / agents)
    return (
        (drawn.mean(0) - mean) / np.sqrt(variance / agents),
        (drawn.var(0, ddof=1) - variance) / of_variance,
    )
