"""PPO through the noise of birth: one draw an iteration, rows apart, and networks that learn."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from evogen.connectome.birth import Birth
from evogen.connectome.gcm import GCM
from evogen.connectome.synaptogen import SynaptoGen
from evogen.keys import Key
from evogen.learning.batch import Batch, sharing
from evogen.learning.ppo import PPO
from evogen.phenotype import Phenotype
from evogen.registry import evolvable_fields
from evogen.testing import tiny

NOISY = Birth(degree=30.0, counts="poisson", conductance="drawn", training="noise")
SHORT = PPO(iterations=3, environments=4, horizon=11, epochs=2, minibatches=2, critic=5)
TASKS = {"walk": tiny.Walk(), "drift": tiny.Drift()}
MEMORY = pytest.mark.parametrize("rule", ["none", "abcd"])


def phenotype(numbers=(0, 1, 2), *, law=NOISY, wiring=None, task=TASKS["walk"], **how):
    return replace(tiny.phenotype(task, numbers, wiring=wiring or SynaptoGen(), **how), birth=law)


def fit(learner, found, numbers=(0, 1, 2), *, task=TASKS["walk"], **changes):
    values = {item.name: getattr(learner, item.name) for item in evolvable_fields(PPO)} | changes
    values = {
        name: torch.full((found.rows,), value, dtype=found.flat.dtype) for name, value in values.items()
    }
    return learner.fit(found, task, tiny.keys(numbers), values)


@MEMORY
@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_candidate_learns_alone_as_in_company_and_beside_nan(task, rule):
    company = phenotype(task=task, rule=rule)
    together = fit(SHORT, company, task=task)
    alone = fit(SHORT, phenotype([1], task=task, rule=rule), [1], task=task)
    flat = company.flat.clone()
    flat[0] = torch.nan
    beside = fit(SHORT, replace(company, flat=flat), task=task)
    assert torch.equal(together.flat[1], alone.flat[0])
    assert torch.equal(together.curve[1], alone.curve[0])
    assert torch.equal(together.flat[1:], beside.flat[1:])
    assert torch.equal(together.curve[1:], beside.curve[1:])
    assert not beside.flat[0].isfinite().all()
    assert together.flat.isfinite().all()
    assert not torch.equal(together.flat, company.flat)


@pytest.fixture
def networks(monkeypatch):
    """The noise of every network that was made, in order."""
    used, made = [], Phenotype.network

    def remembered(self, flat, noise=None):
        used.append(noise)
        return made(self, flat, noise)

    monkeypatch.setattr(Phenotype, "network", remembered)
    return used


@MEMORY
def test_rollout_and_updates_of_an_iteration_share_their_noise(networks, rule):
    fit(SHORT, phenotype(rule=rule))
    size = 1 + SHORT.epochs * SHORT.minibatches
    assert len(networks) == SHORT.iterations * size
    first = [networks[start] for start in range(0, len(networks), size)]
    for number, noise in enumerate(networks):
        assert noise is first[number // size]
    copies = SHORT.environments // (1 if rule == "none" else SHORT.minibatches)
    assert all(eps.shape[:2] == (3, copies) for noise in first for eps in noise)
    for a, b in pairwise(first):
        assert not any(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@MEMORY
@pytest.mark.parametrize("training", ["mean", "noise"])
def test_without_a_step_every_action_is_as_likely_in_the_update_as_in_the_rollout(
    monkeypatch, rule, training
):
    """At learning rate 0 all ratios are 1, in each environment: its updates are of the agent that acted."""
    off, loss = [], PPO._loss

    def remembered(self, policy, output, *rest):
        (part,) = (each for each in rest if isinstance(each, Batch))
        off.append((policy.chance(output, part.action) - part.chance).detach().abs().max())
        return loss(self, policy, output, *rest)

    monkeypatch.setattr(PPO, "_loss", remembered)
    found = phenotype(rule=rule, dtype=torch.float64, law=replace(NOISY, training=training))
    fit(SHORT, found, learning_rate=0.0)
    assert len(off) == SHORT.iterations * SHORT.epochs * SHORT.minibatches
    assert max(off) < 1e-6
    if training == "noise":  # and not by chance: other agents act otherwise
        drawn = Phenotype.noise
        off.clear()
        calls = iter(range(10**6))
        made = Phenotype.network

        def another(self, flat, noise=None):
            return made(self, flat, drawn(self, [Key(next(calls))] * 3, noise[0].shape[1]))

        monkeypatch.setattr(Phenotype, "network", another)
        fit(SHORT, found, learning_rate=0.0)
        assert max(off) > 1e-2


def test_training_the_average_network_never_meets_the_noise(networks):
    """Whatever the law of birth, and bit for bit what it was."""
    plain = fit(SHORT, phenotype(law=Birth()))
    other = fit(SHORT, phenotype(law=replace(NOISY, training="mean", agents=3)))
    assert torch.equal(plain.flat, other.flat)
    assert torch.equal(plain.curve, other.curve)
    assert set(networks) == {None}


def test_free_weights_are_trained_alike_under_both():
    found = phenotype(wiring=tiny.FREE)
    assert torch.equal(
        fit(SHORT, found).flat, fit(SHORT, replace(found, birth=replace(NOISY, training="mean"))).flat
    )


def test_noise_changes_what_is_learnt_and_so_does_its_strength():
    fits = [
        fit(SHORT, phenotype(law=law)).flat
        for law in (NOISY, replace(NOISY, training="mean"), replace(NOISY, degree=300.0))
    ]
    assert not torch.equal(fits[0], fits[1])
    assert not torch.equal(fits[0], fits[2])


def test_walking_is_learnt_through_the_noise_and_by_born_agents_better_than_on_average():
    """With 3 synapses a neuron: mean returns of six candidates, and of 32 agents born of each.

    A random walk of at most 5 steps earns about 1.3, standing near the middle 3.9. The average networks learn
    it too, but agents do not inherit it: 1.7 to 2.4 were seen against 2.7.
    """
    numbers = tuple(range(6))
    learner = PPO(iterations=40, environments=8, horizon=32, minibatches=4)
    scores = {}
    for training in ("mean", "noise"):
        found = phenotype(numbers, law=replace(NOISY, degree=3.0, training=training, agents=32))
        learnt = fit(learner, found, numbers, gamma=0.9)
        assert learnt.curve[:, -5:].mean() > learnt.curve[:, :3].mean() + 1
        keys = [key.child("born") for key in tiny.keys(numbers)]
        agents = found.agents(learnt.flat, keys)
        episodes = [key.child(agent) for key in keys for agent in range(32)]
        scores[training] = float(tiny.Walk().score(agents, episodes, tiny.Fold.SEARCH).mean())
    assert scores["noise"] > scores["mean"] + 0.3


def test_a_wiring_without_variance_trains_copies_of_its_average():
    still = fit(SHORT, phenotype(wiring=GCM(), dtype=torch.float64))
    plain = fit(SHORT, phenotype(wiring=GCM(), dtype=torch.float64, law=replace(NOISY, training="mean")))
    torch.testing.assert_close(still.curve[:, 0], plain.curve[:, 0])
    assert still.flat.isfinite().all()


@pytest.mark.parametrize(
    ("environments", "minibatches", "copies"), [(9, 4, 1), (8, 4, 2), (12, 4, 3), (7, 2, 1)]
)
def test_lives_with_memory_share_agents_evenly(environments, minibatches, copies):
    assert sharing(environments, minibatches, memory=True) == copies
    assert sharing(environments, minibatches, memory=False) == environments
