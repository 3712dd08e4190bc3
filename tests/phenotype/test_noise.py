"""Networks drawn through the noise of birth, and the numbers that tell their agents apart."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch_fakes import Layer, genome_of, phenotype_of, random_rules

from evogen.connectome.birth import Birth
from evogen.connectome.direct import Direct
from evogen.connectome.gcm import GCM
from evogen.connectome.synaptogen import SynaptoGen
from evogen.genome import frozen
from evogen.keys import Key

MODULES = {7: [Layer(5, density=0.7)], 8: [Layer(3, "selu")]}
NOISY = Birth(degree=50.0, counts="poisson", conductance="drawn", training="noise")
LAWS = [
    replace(NOISY, counts=counts, conductance=conductance)
    for counts in ("binomial", "poisson")
    for conductance in ("mean", "drawn")
]
named = pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law.counts}-{law.conductance}")


def phenotype(rows=(0, 1, 2), *, law=NOISY, wiring=None, masked=False, dtype=torch.float64, seed=0):
    """Candidates with rules of their own; `seed` changes every rule and so every weight."""
    genomes = []
    for row in rows:
        bits = Key(row).child("bits").generator().random((5, 5)) < 0.7
        rules = random_rules(5, 3, seed=10 * seed + row, mask=frozen(bits) if masked else None)
        genomes.append(genome_of(MODULES, rules=rules))
    return replace(phenotype_of(*((one, MODULES) for one in genomes), wiring=wiring, dtype=dtype), birth=law)


def keys(rows=(0, 1, 2)):
    return [Key(4).child(row) for row in rows]


@named
@pytest.mark.parametrize(
    "wiring", [SynaptoGen(), SynaptoGen(mask="band", polarity="neuron")], ids=["free", "bio"]
)
def test_gradients_through_the_noise_equal_finite_differences(wiring, law):
    """In all of X, T, R, O, c, b, through mean, deviation and kappa, and on to the output of the network."""
    found = phenotype(range(2), law=law, wiring=wiring, masked=True)
    noise = found.noise(keys(range(2)), 2)
    observation = torch.linspace(-1, 1, 4 * 3 * 4).double().reshape(4, 3, 4)

    def parts(flat):
        network = found.network(flat, noise)
        return (*network.weights, network.forward(observation))

    assert torch.autograd.gradcheck(parts, [found.flat.requires_grad_()], fast_mode=True)
    network = found.network(found.flat, noise)
    (gradient,) = torch.autograd.grad(network.forward(observation).square().sum(), found.flat)
    for slot in found.slots:
        part = gradient[:, slot.start : slot.start + slot.size]
        assert part.isfinite().all()
        assert part.any(), f"{slot.name} has no effect"


@named
def test_an_agent_is_mean_plus_deviation_times_its_numbers(law):
    found, copies = phenotype(law=law), 3
    noise, pairs = found.noise(keys(), copies), found.layout.pairs
    born = found.network(found.flat, noise)
    assert born.rows == 9
    expected = found.wiring.moments(found.values(found.flat), pairs, found.masks, law)
    for W, eps, (mean, variance), mask in zip(born.weights, noise, expected, found.masks, strict=True):
        for row in range(3):
            for copy in range(copies):
                own = (mean[row] + variance[row].sqrt() * eps[row, copy]) * mask[row]
                torch.testing.assert_close(W[row * copies + copy], own, rtol=1e-9, atol=1e-9)
        assert not W[(mask == 0).repeat_interleave(copies, 0)].any()


@named
def test_agents_through_the_noise_are_spread_as_born_ones_are(law):
    """3,000 of each: means within 4.5 standard errors of their difference, variances within 12 % in the mean.

    Weights of few synapses have heavy tails, so single variances are not compared. A true law would fail for
    one seed in 600 (about 60 open synapses).
    """
    agents = 3000
    found = phenotype([0], law=replace(law, degree=5e3))
    noisy = found.network(found.flat, found.noise(keys([0]), agents))
    born = found.agents(found.flat, keys([0]), replace(found.birth, agents=agents))
    for W, V, mask in zip(noisy.weights, born.weights, found.masks, strict=True):
        open_ = mask[0] == 1
        a, b = W[:, open_], V[:, open_]
        a, b = a[:, b.var(0) > 0], b[:, b.var(0) > 0]
        error = ((a.var(0) + b.var(0)) / agents).sqrt()
        bias = 0.01 * a.mean(0).abs()  # attempts are rounded in binomial births
        assert ((a.mean(0) - b.mean(0)).abs() <= 4.5 * error + bias).all()
        assert (b.var(0) / a.var(0)).mean() == pytest.approx(1, abs=0.12)


def test_no_deviation_gives_the_average_network_bit_for_bit():
    found = phenotype(dtype=torch.float32)
    still = tuple(0 * eps for eps in found.noise(keys(), 2))
    average = found.network(found.flat)
    born = found.network(found.flat, still)
    for W, V in zip(born.weights, average.weights, strict=True):
        assert torch.equal(W, V.repeat_interleave(2, 0))
    for b, c in zip(born.biases, average.biases, strict=True):
        assert torch.equal(b, c.repeat_interleave(2, 0))


def test_noise_depends_on_the_key_and_the_layout_only():
    found = phenotype()
    noise = found.noise(keys(), 4)
    others = (
        phenotype(seed=1),
        phenotype(law=replace(NOISY, degree=1e5, counts="binomial", conductance="mean", agents=3)),
        phenotype(masked=True),
        phenotype(wiring=SynaptoGen(polarity="neuron")),
        replace(found, flat=found.flat * torch.nan),
    )
    for other in others:
        assert other.layout == found.layout
        assert all(torch.equal(a, b) for a, b in zip(noise, other.noise(keys(), 4), strict=True))
    single = phenotype([1]).noise(keys([1]), 4)
    assert all(torch.equal(a[1:2], b) for a, b in zip(noise, single, strict=True))
    low = phenotype(dtype=torch.float32).noise(keys(), 4)
    assert all(
        b.dtype == torch.float32 and torch.equal(a, b.double()) for a, b in zip(noise, low, strict=True)
    )


def test_noise_is_standard_normal_and_of_every_agent_its_own():
    found = phenotype()
    noise = found.noise(keys(), 16)
    assert [eps.shape for eps in noise] == [(3, 16, *mask.shape[1:]) for mask in found.masks]
    whole = torch.cat([eps.flatten(2) for eps in noise], 2).flatten(0, 1)  # (48, synapses)
    assert abs(whole.mean()) <= 4 / whole.numel() ** 0.5
    assert abs(whole.var() - 1) <= 4 * (2 / whole.numel()) ** 0.5
    alike = np.corrcoef(whole.numpy()) - np.eye(48)
    assert np.abs(alike).max() <= 5 / whole.shape[1] ** 0.5


def test_average_training_and_free_weights_have_no_noise():
    assert phenotype(law=replace(NOISY, training="mean")).noise(keys(), 2) is None
    assert phenotype(wiring=Direct()).noise(keys(), 2) is None


def test_a_wiring_without_variance_bears_equal_copies():
    found = phenotype(wiring=GCM())
    average = found.network(found.flat)
    born = found.network(found.flat, found.noise(keys(), 2))
    for W, V in zip(born.weights, average.weights, strict=True):
        assert torch.equal(W, V.repeat_interleave(2, 0))


@named
def test_a_candidate_has_the_agents_and_gradients_alone_that_it_has_in_company(law):
    """Bit for bit in float32, and beside a candidate that is NaN."""

    def outcome(found, numbers, flat):
        flat = flat.clone().requires_grad_()
        network = found.network(flat, found.noise(keys(numbers), 2))
        observation = torch.linspace(-1, 1, 12).reshape(1, 3, 4).expand(network.rows, -1, -1)
        total = network.forward(observation).square().sum()
        return network.weights, torch.autograd.grad(total, flat)[0]

    company, single = (phenotype(rows, law=law, dtype=torch.float32) for rows in ((0, 1, 2), (1,)))
    weights, gradient = outcome(company, (0, 1, 2), company.flat)
    own, alone = outcome(single, (1,), single.flat)
    broken = company.flat.clone()
    broken[0] = torch.nan
    beside, other = outcome(company, (0, 1, 2), broken)
    assert torch.equal(gradient[1], alone[0])
    assert torch.equal(gradient[1:], other[1:])
    for W, V, U in zip(weights, own, beside, strict=True):
        assert torch.equal(W[2:4], V)
        assert torch.equal(W[2:], U[2:])
