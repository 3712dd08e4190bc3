from __future__ import annotations

import numpy as np
import pytest
import torch

from evogen.tasks import Fold
from evogen.tasks.mountain_car_continuous import MountainCarContinuous, advance

from .fakes import Linear, keys
from .reference import agrees, ends_as, ours, played, starts_as, stepped

ID = "MountainCarContinuous-v0"


def wander(state, generator):
    return generator.uniform(-1, 1, 1).astype(np.float32)


def pump(state, generator):
    force = 1.0 if generator.random() < 0.3 else generator.uniform(0.5, 1)
    return np.array([force if state[1] >= 0 else -force], dtype=np.float32)


def test_a_step_from_anywhere_equals_gymnasiums():
    rng = np.random.default_rng(0)
    states = rng.uniform([-1.2, -0.07], [0.6, 0.07], (5000, 2)).astype(np.float32)
    states[:200, 0] = np.float32(0.45) - rng.uniform(0, 1e-6, 200).astype(np.float32)  # at the goal's edge
    record = stepped(ID, states, rng.uniform(-1, 1, (5000, 1)).astype(np.float32))
    assert (record.after[:, 0] == np.float32(-1.2)).sum() > 20  # at the wall
    assert record.terminated.sum() > 20
    agrees(ours(MountainCarContinuous(), record), record, state=0.0)


@pytest.mark.parametrize(("policy", "episodes"), [(wander, 100), (pump, 120)])
def test_whole_episodes_equal_gymnasiums(policy, episodes):
    record = played(ID, policy, episodes)
    agrees(ours(MountainCarContinuous(), record), record, state=0.0)
    assert ends_as(MountainCarContinuous(), record) == 0.0
    assert record.terminated.any() == (policy is pump)
    assert record.truncated.any() == (policy is wander)


def test_a_force_beyond_the_bounds_is_cut_but_paid_in_full():
    states = np.array([[-0.5, 0.01], [-0.9, -0.02]], dtype=np.float32)
    record = stepped(ID, states, np.array([[3.0], [-1.5]], dtype=np.float32))
    agrees(ours(MountainCarContinuous(), record), record, state=1e-8)
    np.testing.assert_allclose(record.reward, [-0.9, -0.225])


def test_a_reset_is_gymnasiums():
    starts_as(MountainCarContinuous(), ID)


def test_torch_computes_what_numpy_does():
    rng = np.random.default_rng(1)
    state = np.concatenate([rng.uniform([-1.2, -0.07], [0.6, 0.07], (3, 500, 2)), np.ones((3, 500, 1))], -1)
    state = state.astype(np.float32).astype(np.float64)
    action = rng.uniform(-1, 1, (3, 500, 1))
    there = advance(torch, torch.from_numpy(state), torch.from_numpy(action))
    for own, other in zip(advance(np, state, action), there, strict=True):
        np.testing.assert_array_equal(own, other)
        assert str(own.dtype) == str(other.dtype).removeprefix("torch.")


@pytest.mark.parametrize("fold", Fold)
def test_an_agent_that_pushes_where_it_moves_is_paid(fold):
    weights = torch.zeros(2, 2, 1)
    weights[0, 1] = 1000.0
    task = MountainCarContinuous(episodes=3, report_episodes=3)
    pumping, idle = task.score(Linear(weights), keys(2), fold)
    assert 80 < pumping < 100
    assert idle == 0.0
