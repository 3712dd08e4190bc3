"""Gradients of mean and variance in float64 against finite differences, in every parameter and every law."""

import pytest
import torch

from evogen.connectome import Dimensions
from evogen.connectome.birth import Birth
from evogen.connectome.synaptogen import SynaptoGen
from evogen.keys import Key

from .test_moments import named
from .test_synaptogen import PAIRS, SIZES, draw

WIRINGS = [
    SynaptoGen(mask=mask, polarity=polarity, scale=2.0)
    for mask in ("forbid", "band")
    for polarity in ("receptor", "neuron")
]
wired = pytest.mark.parametrize("wiring", WIRINGS, ids=lambda wiring: f"{wiring.mask}-{wiring.polarity}")


def setting(seed=3):
    """Two candidates of g = 3, n = 3 with a rule mask, and sparse synapses."""
    values = draw(seed, g=3, n=3)
    rng = Key(seed).child("masks").generator()
    values["rule_mask"] = torch.from_numpy(1.0 * (rng.random((2, 3, 3)) < 0.6))
    values["genes"], values["neurons"] = torch.full((2,), 3.0).double(), torch.full((2,), 13.0).double()
    masks = [torch.from_numpy(1.0 * (rng.random((2, SIZES[a], SIZES[b])) < 0.8)) for a, b in PAIRS]
    return values, masks


@named
@wired
def test_gradients_of_mean_and_variance_equal_finite_differences(wiring, law):
    """Directional derivatives in X, T, R, O, c, all at once; kappa depends on all X and on O."""
    values, masks = setting()
    names = [name for name in values if name.partition(".")[2] in ("X", "T", "R") or name in ("O", "c")]

    def all_moments(*parts):
        changed = values | dict(zip(names, parts, strict=True))
        found = wiring.moments(changed, PAIRS, masks, Birth(degree=20.0, **law))
        return tuple(part for pair in found for part in pair)

    inputs = [values[name].requires_grad_() for name in names]
    assert torch.autograd.gradcheck(all_moments, inputs, fast_mode=True)
    variance = sum(part.variance.sum() for part in wiring.moments(values, PAIRS, masks, Birth(**law)))
    for name, gradient in zip(names, torch.autograd.grad(variance, inputs), strict=True):
        assert gradient.any(), f"{name} has no effect on the variance"


@wired
@pytest.mark.parametrize("name", ["0.X", "1.X", "O"])
def test_the_banded_and_forbidden_rules_equal_central_differences(wiring, name):
    """Plain differences of W, without autograd's own checker; forbidden entries of O have gradient 0."""
    values, _ = setting()
    direction = torch.from_numpy(Key(0).child(name).generator().normal(size=tuple(values[name].shape)))

    def along(step):
        return sum(
            (W**2).sum() for W in wiring.weights(values | {name: values[name] + step * direction}, PAIRS)
        )

    part = values[name].clone().requires_grad_()
    total = sum((W**2).sum() for W in wiring.weights(values | {name: part}, PAIRS))
    (gradient,) = torch.autograd.grad(total, part)
    difference = (along(1e-5) - along(-1e-5)) / 2e-5
    torch.testing.assert_close((gradient * direction).sum(), difference, rtol=1e-6, atol=1e-9)
    if name == "O":
        outside = gradient[values["rule_mask"] == 0]
        assert outside.any() == (wiring.mask == "band")


@named
def test_one_level_moves_the_variance_of_pairs_it_takes_no_part_in(law):
    """Through kappa: more synapses elsewhere leave fewer for a pair, so its variance rises."""
    values, masks = setting()
    x = values["0.X"].requires_grad_()
    found = SynaptoGen().moments(values, PAIRS, masks, Birth(**law))
    (gradient,) = torch.autograd.grad(found[1].variance.sum(), x)
    assert (gradient * x).sum() > 0
    assert not found[1].mean.requires_grad


@named
def test_silence_and_saturation_have_finite_moments_and_gradients(law):
    """No expression at all, no allowed pair, and one certain synapse type, in float32."""
    for change in ("silent", "forbidden", "unconnected", "saturated"):
        values, masks = setting()
        values = {name: part.detach().float() for name, part in values.items()}
        masks = [mask.float() for mask in masks]
        if change == "silent":
            values |= {name: 0 * part for name, part in values.items() if name.endswith(".X")}
        if change == "forbidden":
            values["rule_mask"] = 0 * values["rule_mask"]
        if change == "unconnected":
            masks = [0 * mask for mask in masks]
        if change == "saturated":
            values |= {name: 1e4 * part for name, part in values.items() if name[-1] in "TRcO"}
        names = [name for name in values if name.partition(".")[2] in ("X", "T", "R") or name in ("O", "c")]
        inputs = [values[name].requires_grad_() for name in names]
        found = SynaptoGen().moments(values, PAIRS, masks, Birth(degree=1e9, **law))
        assert all((variance >= 0).all() and mean.isfinite().all() for mean, variance in found)
        total = sum((variance + 1e-20).sqrt().sum() + mean.sum() for mean, variance in found)
        assert all(part.isfinite().all() for part in torch.autograd.grad(total, inputs))
        if change != "saturated":
            assert not any(variance.any() for _, variance in found)


def test_rounding_leaves_no_variance_below_0():
    """All synapses certain and alike: m2 - Cbar^2 is 0, in float32 a little above or below."""
    wiring, sizes = SynaptoGen(polarity="neuron"), (3, 200)
    rng = Key(0).child("alike").generator()
    specs = wiring.parameters(Dimensions(sizes, 2, 1), [(0, 1)])
    values = {
        name: torch.from_numpy(rng.normal(size=(1, *spec.shape))).float() for name, spec in specs.items()
    }
    values |= {"O": torch.full((1, 2, 2), 1e3), "c": torch.full((1, 1, 2), 0.3)}
    values |= {name: torch.tensor([number]) for name, number in (("temperature", 0.1), ("neurons", 203.0))}
    ((mean, variance),) = wiring.moments(
        values, [(0, 1)], [torch.ones(1, *sizes)], Birth(conductance="drawn")
    )
    assert (variance >= 0).all()
    assert (variance.sqrt() <= 1e-5 * mean.abs().max()).all()
