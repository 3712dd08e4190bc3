"""Running statistics of observations against numpy's, and where they end up."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch_fakes import Layer, development, genome_of, plan_of, random_rules

from evogen.keys import Key
from evogen.learning.lens import SMALLEST, Statistics
from evogen.learning.ppo import PPO
from evogen.phenotype import develop, embryo
from evogen.phenotype.network import CLIP
from evogen.registry import evolvable_fields
from evogen.testing import tiny

MODULES = {7: [Layer(5)]}


def phenotype(rows=(0, 1, 2), *, inputs=3, normalised=True, dtype=torch.float32):
    how = replace(development(dtype=dtype), normalised=normalised)
    genomes = [genome_of(MODULES, rules=random_rules(seed=row)) for row in rows]
    return develop(how, [embryo(how, one, plan_of(MODULES, inputs=inputs)) for one in genomes])


def observations(part, rows=(0, 1, 2), *, size=50, inputs=3):
    """(P, M, inputs) float32 of means and spreads of their own, each row from its own key."""
    each = []
    for row in rows:
        rng = Key(row).child("observations", part).generator()
        centre, spread = np.linspace(-3, 100, inputs), np.linspace(0.1, 20, inputs)
        each.append((row + 1) * (centre + part) + spread * rng.normal(size=(size, inputs)))
    return torch.from_numpy(np.stack(each)).float()


def written(found, flat, name):
    (slot,) = (slot for slot in found.slots if slot.name == name)
    return flat[:, slot.start : slot.start + slot.size]


@pytest.mark.parametrize("sizes", [(50,), (1, 2, 3), (500, 1, 30, 7)])
def test_parts_add_up_to_the_mean_and_deviation_of_everything_seen(sizes):
    found = phenotype(dtype=torch.float64)
    seen, flat = Statistics(found), found.flat.clone()
    parts = [observations(number, size=size) for number, size in enumerate(sizes)]
    for part in parts:
        seen.see(part, flat)
    whole = torch.cat(parts, 1).double().numpy()
    np.testing.assert_allclose(written(found, flat, "0.m"), whole.mean(1), rtol=1e-12)
    np.testing.assert_allclose(written(found, flat, "0.s"), whole.std(1), rtol=1e-10)


def test_a_far_mean_does_not_swallow_the_deviation():
    found = phenotype(dtype=torch.float64)
    seen, flat = Statistics(found), found.flat.clone()
    parts = [1e6 + observations(number, size=40).double() for number in range(5)]
    for part in parts:
        seen.see(part, flat)
    np.testing.assert_allclose(written(found, flat, "0.s"), torch.cat(parts, 1).numpy().std(1), rtol=1e-8)


def test_only_the_lens_is_written():
    found = phenotype()
    flat = found.flat.clone()
    Statistics(found).see(observations(0), flat)
    names = [
        slot.name
        for slot in found.slots
        if not torch.equal(*(written(found, f, slot.name) for f in (flat, found.flat)))
    ]
    assert names == ["0.m", "0.s"]
    assert not (written(found, found.flat, "0.m") != 0).any()  # the lens of the unborn changes nothing
    assert (written(found, found.flat, "0.s") == 1).all()


def test_without_a_lens_nothing_is_seen():
    found = phenotype(normalised=False)
    flat, seen = found.flat.clone(), Statistics(found)
    seen.see(observations(0), flat)
    assert torch.equal(flat, found.flat)
    assert torch.equal(seen.view(observations(1)), observations(1))


def test_a_view_has_mean_0_and_deviation_1_and_is_clipped():
    found = phenotype()
    seen, flat = Statistics(found), found.flat.clone()
    assert torch.equal(seen.view(observations(0)), observations(0))  # nothing seen yet
    seen.see(observations(0, size=4000), flat)
    view = seen.view(observations(0, size=4000))
    assert view.mean(1).abs().max() < 1e-4
    torch.testing.assert_close(view.std(1), torch.ones(3, 3), rtol=1e-3, atol=0)
    assert seen.view(1e6 + observations(0)).unique().tolist() == [CLIP]


def test_a_constant_is_centred_and_not_blown_up():
    found = phenotype()
    seen, flat = Statistics(found), found.flat.clone()
    constant = torch.tensor([0.1, -7.3, 1e5]).expand(3, 20, 3)
    for _ in range(7):
        seen.see(constant, flat)
    assert (written(found, flat, "0.s") == SMALLEST).all()
    assert not seen.view(constant).any()
    near = seen.view(constant + torch.tensor([1e-5, 0.0, 0.0]))
    assert near.abs().max() <= 0.11


def test_born_and_average_agents_see_through_what_was_written():
    """An agent with the lens answers o as the one without answers (o - mean) / deviation."""
    found, bare = phenotype(dtype=torch.float64), phenotype(normalised=False, dtype=torch.float64)
    flat = found.flat.clone()
    Statistics(found).see(observations(0), flat)
    mean, deviation = (
        observations(0).double().mean(1, keepdim=True),
        observations(0).double().std(1, keepdim=True, correction=0),
    )
    o = observations(1, size=6).double()
    keys = [Key(1).child(row) for row in range(3)]
    through = found.network(flat).forward(o)
    direct = bare.network(bare.flat).forward(((o - mean) / deviation).clamp(-CLIP, CLIP))
    torch.testing.assert_close(through, direct, rtol=1e-9, atol=1e-9)
    law = replace(found.birth, agents=4)
    born, plain = found.agents(flat, keys, law), bare.agents(bare.flat, keys, law)
    assert born.rows == 12
    again = [part.repeat_interleave(4, 0) for part in (o, (o - mean) / deviation)]
    torch.testing.assert_close(
        born.forward(again[0]), plain.forward(again[1].clamp(-CLIP, CLIP)), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("inputs", [1, 3, 4, 17])
@pytest.mark.parametrize("size", [1, 50, 4096])
def test_a_candidate_sees_alone_what_it_sees_in_company(inputs, size):
    """Bit for bit, beside a candidate whose observations are NaN too."""
    company, single = phenotype(inputs=inputs), phenotype([1], inputs=inputs)
    together, alone, broken = company.flat.clone(), single.flat.clone(), company.flat.clone()
    seen = [Statistics(company), Statistics(single), Statistics(company)]
    for part in range(3):
        everything = observations(part, size=size, inputs=inputs)
        seen[0].see(everything, together)
        seen[1].see(everything[1:2].clone(), alone)
        everything[0] = torch.nan
        seen[2].see(everything, broken)
    assert torch.equal(together[1], alone[0])
    assert torch.equal(together[1:], broken[1:])
    o = observations(9, inputs=inputs)
    assert torch.equal(seen[0].view(o)[1], seen[1].view(o[1:2])[0])


def test_ppo_leaves_the_statistics_of_its_rollouts_in_the_tuned_parameters(monkeypatch):
    """Observations x, 1 of Walk: the mean and deviation of all of them, gradients aside."""
    observed, see = [], Statistics.see

    def remembered(self, observation, flat):
        observed.append(observation.clone())
        see(self, observation, flat)

    monkeypatch.setattr(Statistics, "see", remembered)
    found = phenotype(inputs=2)
    learner = PPO(iterations=3, environments=4, horizon=16, minibatches=2)
    values = {item.name: torch.full((3,), getattr(learner, item.name)) for item in evolvable_fields(PPO)}
    flat = learner.fit(found, tiny.Walk(), tiny.keys(), values).flat
    whole = torch.cat(observed, 1).double().numpy()
    assert whole.shape == (3, 3 * 4 * 16, 2)
    assert (whole[..., 1] == 1).all()
    np.testing.assert_allclose(written(found, flat, "0.m"), whole.mean(1), rtol=1e-6)
    np.testing.assert_allclose(written(found, flat, "0.s"), np.maximum(whole.std(1), SMALLEST), rtol=1e-6)
