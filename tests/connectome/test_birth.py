"""Born agents against the closed form of the exact sampler: rounded attempts, binomial successes, kappa.

With fixed seeds these tests pass or fail for good. Had the seed been free, one weight in 16,000 would be off
by more than 4 standard errors: with the 39 weights and 2 moments below, 0.5 % of all seeds.
"""

import numpy as np
import pytest
import torch

from evogen.connectome import Counted, Dimensions
from evogen.connectome.birth import Birth
from evogen.connectome.direct import Direct
from evogen.connectome.synaptogen import SynaptoGen
from evogen.keys import Key

from .test_synaptogen import loop

SIZES, PAIRS, G, N, TAU = (3, 4, 3), ((0, 1), (1, 2), (0, 2)), 4, 2, 0.1
DRAWS = 2000


def candidate(*, masks=None, rule_mask=None, seed=0):
    rng = Key(seed).child("candidate").generator()
    specs = SynaptoGen().parameters(Dimensions(SIZES, G, N), PAIRS)
    values = {name: rng.normal(0, spec.deviation, spec.shape) for name, spec in specs.items()}
    values |= {"O": rng.normal(0, 0.1, (G, G)), "c": rng.normal(0, 0.5, (N, 2 * N))}
    full = [np.ones((SIZES[pre], SIZES[post])) for pre, post in PAIRS]
    return Counted(values, TAU, rule_mask, full if masks is None else masks)


def masked():
    rng = Key(0).child("masks").generator()
    masks = [np.float64(rng.random((SIZES[pre], SIZES[post])) < 0.7) for pre, post in PAIRS]
    return candidate(masks=masks, rule_mask=np.float64(rng.random((G, G)) < 0.7))


def bear(one, degree, agents=DRAWS, *, wiring=None):
    generators = [Key(1).child(agent).generator() for agent in range(agents)]
    return (wiring or SynaptoGen()).birth(one, PAIRS, generators, Birth(degree=degree, sampler="exact"))


def average(one):
    """W of every pair, by the loop over the equations, and Cbar."""
    values = {name: torch.from_numpy(part)[None] for name, part in one.values.items()}
    values["temperature"] = torch.tensor([one.temperature], dtype=torch.float64)
    rule_mask = None if one.rule_mask is None else one.rule_mask.tolist()
    W = [loop(values, 0, *pair, 1.0, rule_mask) * mask for pair, mask in zip(PAIRS, one.masks, strict=True)]
    count = [counts(one, *pair).sum((2, 3)) for pair in PAIRS]
    return W, [w / np.where(mask > 0, n, 1) for w, n, mask in zip(W, count, one.masks, strict=True)]


def counts(one, pre, post):
    """x_i^2 P_ij y_j^2 of every neuron pair and gene pair, (pre, post, g, g)."""
    x, y = one.values[f"{pre}.X"] ** 2, one.values[f"{post}.X"] ** 2
    P = 1 / (1 + np.exp(-one.values["O"] / one.temperature))
    P = P if one.rule_mask is None else P * one.rule_mask
    return np.einsum("ui,ij,vj->uvij", x, P, y)


def scale(one, degree):
    """Factor kappa = d N / (2 M)."""
    M = sum(
        (counts(one, *pair).sum((2, 3)) * mask).sum() for pair, mask in zip(PAIRS, one.masks, strict=True)
    )
    return degree * sum(SIZES) / (2 * M)


@pytest.mark.parametrize("one", [candidate(), masked()], ids=["full", "masked"])
@pytest.mark.parametrize("degree", [30.0, 1000.0])
def test_mean_and_variance_of_born_weights_are_those_of_the_rounded_counts(one, degree):
    kappa, (_, Cbar) = scale(one, degree), average(one)
    P = 1 / (1 + np.exp(-one.values["O"] / TAU))
    P = P if one.rule_mask is None else P * one.rule_mask
    for pair, mask, C, born in zip(PAIRS, one.masks, Cbar, bear(one, degree), strict=True):
        x, y = (one.values[f"{level}.X"] ** 2 for level in pair)
        n = np.rint(kappa * np.einsum("ui,vj->uvij", x, y)) * mask[..., None, None]
        npq = n * P * (1 - P)
        variance = npq.sum((2, 3))
        mean, V = C * (n * P).sum((2, 3)) / kappa, C**2 * variance / kappa**2
        random = variance > 0
        assert random.any()
        assert np.allclose(born[:, ~random], mean[~random])
        error = np.sqrt(V[random] / DRAWS)
        assert (np.abs(born.mean(0)[random] - mean[random]) <= 4 * error).all()
        kurtosis = (npq * (1 - 6 * P * (1 - P))).sum((2, 3))[random] / variance[random] ** 2  # excess
        error = V[random] * np.sqrt(2 / (DRAWS - 1) + kurtosis / DRAWS)
        assert (np.abs(born.var(0, ddof=1)[random] - V[random]) <= 4 * error).all()


@pytest.mark.parametrize("one", [candidate(), masked()], ids=["full", "masked"])
def test_mean_of_born_weights_is_the_average_weight_up_to_rounding(one):
    degree = 1000.0
    kappa, (W, Cbar) = scale(one, degree), average(one)
    P = 1 / (1 + np.exp(-one.values["O"] / TAU))
    for w, C, born in zip(W, Cbar, bear(one, degree), strict=True):
        error = 4 * born.std(0, ddof=1) / np.sqrt(DRAWS)
        assert (np.abs(born.mean(0) - w) <= np.abs(C) * 0.5 * P.sum() / kappa + error).all()


@pytest.mark.parametrize("one", [candidate(), masked()], ids=["full", "masked"])
@pytest.mark.parametrize("degree", [1e3, 1e5])
def test_neurons_have_the_wanted_number_of_synapses_on_average(one, degree):
    kappa, (_, Cbar) = scale(one, degree), average(one)
    synapses = 0.0
    for C, born in zip(Cbar, bear(one, degree, 50), strict=True):
        count = np.divide(born * kappa, C, out=np.zeros_like(born), where=C != 0)
        assert np.allclose(count, np.rint(count), atol=1e-6)
        synapses += count.sum() / 50
    assert 2 * synapses / sum(SIZES) == pytest.approx(degree, rel=0.01)


def test_more_synapses_leave_the_mean_and_shrink_the_spread():
    few, many = bear(candidate(), 1e3), bear(candidate(), 1e5)
    for a, b in zip(few, many, strict=True):
        assert np.allclose(a.mean(0), b.mean(0), atol=0.02 * np.abs(b).max())
        assert np.allclose(a.std(0) / b.std(0), 10, rtol=0.1)  # std ~ 1 / sqrt(kappa)


def test_agents_differ_and_each_is_its_generators():
    all_of_them = bear(candidate(), 1e4, 20)
    for W in all_of_them:
        assert len(np.unique(W.reshape(20, -1), axis=0)) == 20
    for few, many in zip(bear(candidate(), 1e4, 3), all_of_them, strict=True):
        assert np.array_equal(few, many[:3])


def test_no_possible_synapse_gives_zero_weights():
    dead = candidate(rule_mask=np.zeros((G, G)))
    assert not any(W.any() for W in bear(dead, 1e4, 3))


@pytest.mark.parametrize("strength", [-100.0, 100.0])
def test_saturated_rules_bear_agents_without_a_warning(strength):
    certain, almost = candidate(), candidate()
    certain.values["O"][0, 0], almost.values["O"][0, 0] = strength, strength / 50  # P is e^-1000 and e^-20
    for W, V in zip(bear(certain, 1e5, 50), bear(almost, 1e5, 50), strict=True):
        assert np.allclose(W.mean(0), V.mean(0), atol=0.01 * np.abs(V).max())


def test_direct_wiring_bears_equal_agents():
    rng = Key(0).child("direct").generator()
    values = {f"{pre}>{post}.W": rng.normal(size=(SIZES[pre], SIZES[post])) for pre, post in PAIRS}
    born = bear(Counted(values, 1.0, None, masked().masks), 1e4, 5, wiring=Direct())
    for (pre, post), mask, W in zip(PAIRS, masked().masks, born, strict=True):
        assert np.array_equal(W, np.broadcast_to(values[f"{pre}>{post}.W"] * mask, W.shape))
