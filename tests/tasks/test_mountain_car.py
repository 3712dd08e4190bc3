from __future__ import annotations

import numpy as np
import pytest
import torch

from evogen.tasks import Fold
from evogen.tasks.mountain_car import MountainCar, advance

from .fakes import Linear, keys, random_weights
from .reference import agrees, ends_as, ours, played, starts_as, stepped

ID = "MountainCar-v0"
PUMPING = torch.tensor([[0.0, 0.0, 0.0], [-100.0, 0.0, 100.0]])  # pushes where it moves


def pump(state, generator):
    return 2 if state[1] >= 0 else 0


def pump_at_last(state, generator):
    return pump(state, generator) if generator.random() < 0.7 else int(generator.integers(3))


def wander(state, generator):
    return int(generator.integers(3))


def test_a_step_from_anywhere_equals_gymnasiums():
    rng = np.random.default_rng(0)
    states = rng.uniform([-1.2, -0.07], [0.6, 0.07], (5000, 2))
    record = stepped(ID, states, rng.integers(0, 3, 5000))
    assert (record.after[:, 0] == -1.2).sum() > 20  # at the wall
    assert record.terminated.sum() > 20
    agrees(ours(MountainCar(), record), record, state=1e-15)


@pytest.mark.parametrize("policy", [wander, pump, pump_at_last])
def test_whole_episodes_equal_gymnasiums(policy):
    record = played(ID, policy, 100)
    agrees(ours(MountainCar(), record), record, state=1e-15)
    assert ends_as(MountainCar(), record) < 1e-12
    assert record.terminated.any() == (policy is not wander)
    assert record.truncated.any() == (policy is not pump)


def test_a_reset_is_gymnasiums():
    starts_as(MountainCar(), ID)


def test_torch_computes_what_numpy_does():
    rng = np.random.default_rng(1)
    state = np.concatenate([rng.uniform([-1.2, -0.07], [0.6, 0.07], (3, 500, 2)), np.ones((3, 500, 1))], -1)
    action = rng.integers(0, 3, (3, 500))
    there = advance(torch, torch.from_numpy(state), torch.from_numpy(action))
    for own, other in zip(advance(np, state, action), there, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-7, atol=1e-15)
        assert str(own.dtype) == str(other.dtype).removeprefix("torch.")


@pytest.mark.parametrize("fold", Fold)
def test_an_agent_that_pushes_where_it_moves_reaches_the_goal(fold):
    weights = torch.stack([PUMPING, torch.zeros(2, 3)])
    pumping, idle = MountainCar(episodes=4, report_episodes=4).score(Linear(weights), keys(2), fold)
    assert -140 < pumping < -90
    assert idle == -200


def test_a_score_depends_on_the_agent_and_its_key_only():
    weights, task = 30 * random_weights((4, 2, 3)), MountainCar(episodes=3)
    together = task.score(Linear(weights), keys(4), Fold.SEARCH)
    alone = [task.score(Linear(weights[[row]]), [keys(4)[row]], Fold.SEARCH) for row in range(4)]
    assert torch.equal(together, torch.cat(alone))
