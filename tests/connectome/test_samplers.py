"""The exact and the fast sampler against each other and against the distributions that they stand for.

Each Kolmogorov-Smirnov comparison is at level 1e-4 (c = 2.23); with the pairs below a true agreement would
fail for 0.3 % of all seeds. Seeds are fixed.
"""

import math
import tracemalloc

import numpy as np
import pytest

from evogen.connectome.birth import Birth
from evogen.connectome.synapses import LARGE, Synapses, draw
from evogen.keys import Key

from .laws import World, cumulants

DRAWS = 2500
LEVEL = 1e-4
WORLD = World((2, 3, 2), ((0, 1), (1, 2)), 16)


def distance(a, b):
    """Largest distance of two empirical distribution functions."""
    at = np.concatenate([a, b])
    below = [np.searchsorted(np.sort(part), at, "right") / len(part) for part in (a, b)]
    return np.abs(below[0] - below[1]).max()


@pytest.mark.parametrize("conductance", ["mean", "drawn"])
@pytest.mark.parametrize("degree", [60.0, 1e3])
def test_both_samplers_draw_the_same_distribution(degree, conductance):
    """Mean and variance within 4 standard errors of the difference, and Kolmogorov-Smirnov."""
    one, law = WORLD.candidate(), {"degree": degree, "conductance": conductance}
    exact = WORLD.bear(one, DRAWS, sampler="exact", seed=2, **law)
    fast = WORLD.bear(one, DRAWS, sampler="fast", seed=3, **law)
    bound = math.sqrt(-math.log(LEVEL / 2) / 2) * math.sqrt(2 / DRAWS)
    for E, F, (_, v, k4) in zip(
        exact, fast, cumulants(one, WORLD.pairs, counts="binomial", **law), strict=True
    ):
        assert (np.abs(E.mean(0) - F.mean(0)) <= 4 * np.sqrt(2 * v / DRAWS)).all()
        of_variance = np.sqrt((2 * v**2 + np.maximum(k4, 0)) * 2 / DRAWS)
        assert (np.abs(E.var(0) - F.var(0)) <= 4 * of_variance).all()
        for u, w in np.ndindex(v.shape):
            assert distance(E[:, u, w], F[:, u, w]) <= bound


def one_pair(n, p, *, copies=1, share=1.0):
    """`copies` neurons, each with n attempts at P = p; a synapse conducts 1 with chance `share`, else 0."""
    R = np.array([[share, 1 - share, 0.0, 0.0]])
    C = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    ones = np.ones((copies, 1))
    T = np.tile([[1.0, 0.0]], (copies, 1))
    return Synapses(float(n) * ones, np.ones((1, 1)), np.full((1, 1), p), T, R, C, ones)


def chi_square(drawn, chances):
    """Pearson's statistic over bins of 5 or more expected draws (the rest in one), less its mean, in stds."""
    expected = len(drawn) * chances
    seen = np.bincount(drawn.astype(int), minlength=len(chances))
    assert len(seen) == len(chances)
    many = expected >= 5
    e = np.append(expected[many], expected[~many].sum())
    s = np.append(seen[many], seen[~many].sum())
    freedom = len(e) - 1
    return float((((s - e) ** 2 / np.maximum(e, 1e-9)).sum() - freedom) / math.sqrt(2 * freedom))


def binomial(n, p):
    k = np.arange(n + 1)
    log = [math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) for i in k]
    return np.exp(log + k * math.log(p) + (n - k) * math.log1p(-p))


@pytest.mark.parametrize("sampler", ["exact", "fast"])
@pytest.mark.parametrize(("n", "p"), [(12, 0.3), (100, 0.05), (115, 0.5), (4000, 0.02)])
def test_counts_are_binomial(n, p, sampler):
    """Chi-square within 5 of its standard deviations; the last case is Gaussian when fast (variance 78)."""
    of = one_pair(n, p, copies=20_000)
    (W,) = draw(of, 1.0, [Key(0).child(n).generator()], Birth(sampler=sampler))
    gaussian = sampler == "fast" and n * p * (1 - p) >= LARGE
    if gaussian:  # its skewness is lost: 0.11 moves the distribution function by at most 0.11 / 15
        chances = np.cumsum(binomial(n, p))
        seen = np.cumsum(np.bincount(W[:, 0].astype(int), minlength=n + 1)) / len(W)
        assert np.abs(seen - chances).max() <= 0.11 / 15 + 2.23 / math.sqrt(len(W))
    else:
        assert chi_square(W[:, 0], binomial(n, p)) <= 5


def test_poisson_counts_and_thinned_conductances_are_poisson():
    of, mean = one_pair(10, 0.8, copies=20_000, share=0.25), 8.0
    for conductance, rate in (("mean", mean), ("drawn", mean * 0.25)):
        (W,) = draw(of, 1.0, [Key(0).generator()], Birth(counts="poisson", conductance=conductance))
        counts = W[:, 0] / (0.25 if conductance == "mean" else 1.0)
        k = np.arange(int(counts.max()) + 1)
        chances = np.exp(k * math.log(rate) - rate - [math.lgamma(i + 1) for i in k])
        assert chi_square(counts, chances) <= 5


@pytest.mark.parametrize("sampler", ["exact", "fast"])
def test_synapses_that_draw_a_silent_receptor_are_a_thinned_binomial(sampler):
    """Of Binomial(400, 1/2) synapses one in fifty acts: Binomial(400, 1/100), never below 0."""
    of = one_pair(400, 0.5, copies=20_000, share=0.02)
    (W,) = draw(of, 1.0, [Key(0).generator()], Birth(conductance="drawn", sampler=sampler))
    assert chi_square(W[:, 0], binomial(400, 0.01)[: int(W.max()) + 1]) <= 5


@pytest.mark.parametrize("sampler", ["exact", "fast"])
def test_memory_does_not_grow_with_the_number_of_gene_pairs(sampler):
    """At g = 128, 768 neuron pairs make 12.6 million attempts an agent, 100 MB were they listed."""
    world = World((4, 128, 2), ((0, 1), (1, 2)), 128)
    one = world.candidate()
    tracemalloc.start()
    world.bear(one, 1, sampler=sampler, degree=1e3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6
