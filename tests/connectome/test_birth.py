"""What holds for the agents of every law of birth; their mean and variance are in test_moments."""

from itertools import product

import numpy as np
import pytest

from evogen.connectome import Counted
from evogen.connectome.birth import Birth
from evogen.connectome.direct import Direct
from evogen.connectome.gcm import GCM
from evogen.connectome.synaptogen import SynaptoGen
from evogen.keys import Key

from .laws import World, correction
from .test_moments import LAWS, named, sparse

WORLD = World((3, 4, 3), ((0, 1), (1, 2), (0, 2)), 4, 2)
SAMPLED = [
    law | {"sampler": sampler}
    for law, sampler in product(LAWS, ("exact", "fast"))
    if law["counts"] == "binomial" or sampler == "fast"
]
sampled = pytest.mark.parametrize("law", SAMPLED, ids=lambda law: "-".join(law.values()))


@sampled
@pytest.mark.parametrize("degree", [1e3, 1e5])
def test_neurons_have_the_wanted_number_of_synapses_on_average(law, degree):
    """Realised degree 2 sum B / N to 1 %, where rounding is small: counted with conductances of 1."""
    world = World((3, 4, 3), ((0, 1), (1, 2), (0, 2)), 4, 1)
    one = world.candidate()
    for name, part in one.values.items():
        if name.endswith(".R"):
            part[:] = [0.0, -800.0]  # only excitatory receptors
    one.values["c"][:] = 800.0
    kappa = correction(one, world.pairs, degree)
    born = world.bear(one, 50, degree=degree, **law)
    counts = kappa * np.concatenate([W.reshape(50, -1) for W in born], 1)
    assert np.allclose(counts, np.rint(counts), atol=1e-6)
    assert 2 * counts.sum(1).mean() / sum(world.sizes) == pytest.approx(degree, rel=0.01)


@sampled
def test_agents_differ_and_each_is_its_generators(law):
    one = sparse(WORLD)
    all_of_them = WORLD.bear(one, 20, degree=1e4, **law)
    for few, many in zip(WORLD.bear(one, 3, degree=1e4, **law), all_of_them, strict=True):
        assert len(np.unique(many.reshape(20, -1), axis=0)) == 20
        assert np.array_equal(few, many[:3])


@sampled
@pytest.mark.parametrize("degree", [3.0, 300.0, 1e4])
def test_a_weight_has_the_sign_of_its_synapses(law, degree):
    """With inhibitory receptors shut no weight is below 0, be it the sum of many rarely active synapses."""
    one = WORLD.candidate()
    for name, part in one.values.items():
        if name.endswith(".R"):
            part[:, 0] = part[:, 2] - 4.0  # one receptor in fifty answers the first transmitter
            part[:, 1::2] = -800.0
    for W in WORLD.bear(one, 500, degree=degree, **law):
        assert (W >= 0).all()
        assert W.any()


@sampled
def test_under_dales_law_all_synapses_of_a_neuron_have_one_sign(law):
    one, wiring = World((3, 6, 3), WORLD.pairs, 4, 3), SynaptoGen(polarity="neuron")
    signs = set()
    for seed in range(3):
        candidate = one.candidate(seed=seed)
        for (pre, _), W in zip(
            WORLD.pairs, one.bear(candidate, 300, wiring=wiring, degree=30.0, **law), strict=True
        ):
            strongest = candidate.values[f"{pre}.T"].argmax(1)
            sign = np.where(strongest % 2 == 0, 1.0, -1.0)
            assert (W * sign[:, None] >= 0).all()
            assert W.any()
            signs |= set(sign)
    assert signs == {-1.0, 1.0}


@named
def test_no_possible_synapse_gives_zero_weights(law):
    rules = WORLD.candidate(rule_mask=np.zeros((4, 4)))
    silent, parted = WORLD.candidate(), WORLD.candidate(masks=[0 * mask for mask in WORLD.candidate().masks])
    for name, part in silent.values.items():
        if name.endswith(".X"):
            part[:] = 0
    for dead in (rules, silent, parted):
        assert not any(W.any() for W in WORLD.bear(dead, 3, degree=1e4, **law))


@sampled
def test_a_single_open_pair_bears_the_synapses_of_all_neurons(law):
    masks = [np.zeros_like(mask) for mask in WORLD.candidate().masks]
    masks[0][1, 2] = 1.0
    one = WORLD.candidate(masks=masks)
    into, *others = WORLD.bear(one, 200, degree=1e4, **law)
    assert not any(W.any() for W in others)
    assert set(zip(*np.nonzero(into)[1:], strict=True)) == {(1, 2)}
    mean, variance = (part[1, 2] for part in WORLD.moments(one, degree=1e4, **law)[0])
    assert abs(into[:, 1, 2].mean() - mean) <= 4 * np.sqrt(variance / 200) + 1e-3 * abs(mean)


@sampled
@pytest.mark.parametrize("strength", [-100.0, 100.0])
def test_saturated_rules_bear_agents_without_a_warning(law, strength):
    certain, almost = WORLD.candidate(), WORLD.candidate()
    certain.values["O"][0, 0], almost.values["O"][0, 0] = strength, strength / 50  # P is e^-1000 and e^-20
    for W, V in zip(
        *(WORLD.bear(one, 50, degree=1e6, **law) for one in (certain, almost)),
        strict=True,
    ):
        assert np.allclose(W.mean(0), V.mean(0), atol=0.02 * np.abs(V).max())


@sampled
def test_hardly_any_and_a_billion_synapses_can_be_born(law):
    """At d = 1e-3 nearly every agent is unconnected; at 1e9 all are near the average network."""
    one = WORLD.candidate()
    few = WORLD.bear(one, 400, degree=1e-3, **law)
    connected = np.concatenate([W.reshape(400, -1) for W in few], 1).any(1)
    assert connected.mean() <= 0.05  # d N / 2 = 0.005 synapses an agent
    assert all(np.isfinite(W).all() for W in few)
    many = WORLD.bear(one, 3, degree=1e9, **law)
    for W, (mean, variance) in zip(many, WORLD.moments(one, degree=1e9, **law), strict=True):
        assert (np.sqrt(variance) < 1e-3 * np.abs(mean).max()).all()
        assert (np.abs(W - mean) <= 5 * np.sqrt(variance) + 1e-6).all()


@sampled
@pytest.mark.parametrize("factor", [1e-15, 1e15])
def test_the_scale_of_expression_cancels_in_the_counts(law, factor):
    """X -> sX scales every born weight by s^4 and changes no count: kappa takes it back."""
    one, scaled = WORLD.candidate(), WORLD.candidate()
    for name, part in scaled.values.items():
        if name.endswith(".X"):
            part *= factor
    for W, V in zip(*(WORLD.bear(c, 5, degree=1e3, **law) for c in (one, scaled)), strict=True):
        np.testing.assert_allclose(V / factor**4, W, rtol=1e-9, atol=1e-12)


@sampled
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_cannot_be_counted_bears_agents_that_are_nan(law, value):
    broken = WORLD.candidate()
    broken.values["0.X"][0, 0] = value
    assert all(np.isnan(W).all() for W in WORLD.bear(broken, 2, degree=1e3, **law))
    one = World((2, 2), ((0, 1),), 1, 1)
    (W,) = one.bear(one.candidate(), 2, degree=2e19, **law)
    assert np.isnan(W).any()


def test_one_transmitter_and_one_gene_are_enough():
    world = World((2, 3), ((0, 1),), 1, 1)
    for law in SAMPLED:
        (W,) = world.bear(world.candidate(), 200, degree=1e4, **law)
        (mean, variance) = world.moments(world.candidate(), degree=1e4, **law)[0]
        assert (np.abs(W.mean(0) - mean) <= 4 * np.sqrt(variance / 200) + 1e-3 * np.abs(mean)).all()


def test_direct_wiring_bears_equal_agents():
    rng = Key(0).child("direct").generator()
    values = {f"{a}>{b}.W": rng.normal(size=(WORLD.sizes[a], WORLD.sizes[b])) for a, b in WORLD.pairs}
    masks = sparse(WORLD).masks
    born = WORLD.bear(Counted(values, 1.0, None, masks), 5, wiring=Direct(), degree=1e4)
    for (pre, post), mask, W in zip(WORLD.pairs, masks, born, strict=True):
        assert np.array_equal(W, np.broadcast_to(values[f"{pre}>{post}.W"] * mask, W.shape))


def test_gcm_bears_x_o_y_where_synapses_may_form():
    one = sparse(WORLD)
    born = WORLD.bear(one, 3, wiring=GCM(), degree=1.0, counts="poisson")
    O = one.values["O"] * one.rule_mask
    for (pre, post), mask, W in zip(WORLD.pairs, one.masks, born, strict=True):
        expected = one.values[f"{pre}.X"] @ O @ one.values[f"{post}.X"].T * mask
        np.testing.assert_allclose(W, np.broadcast_to(expected, W.shape), rtol=1e-12, atol=1e-14)


def test_the_default_law_is_the_reference():
    law = Birth()
    assert (law.degree, law.counts, law.conductance, law.training) == (1e5, "binomial", "mean", "mean")
