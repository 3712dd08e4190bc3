from __future__ import annotations

import numpy as np
import pytest
import torch

from evogen.tasks import Fold
from evogen.tasks.acrobot import Acrobot, advance, wrapped

from .fakes import Linear, keys
from .reference import agrees, ends_as, ours, played, starts_as, stepped

ID = "Acrobot-v1"
BOUNDS = np.array([np.pi, np.pi, 4 * np.pi, 9 * np.pi])


def pump(state, generator):
    return 2 if state[3] > 0 else 0  # the torque's power, torque times joint velocity, stays positive


def wander(state, generator):
    return int(generator.integers(3))


def test_a_step_from_anywhere_equals_gymnasiums():
    """Angles that leave [-pi, pi] and velocities that are cut are among them."""
    rng = np.random.default_rng(0)
    record = stepped(ID, rng.uniform(-BOUNDS, BOUNDS, (3000, 4)), rng.integers(0, 3, 3000))
    assert (np.abs(record.after[:, 3]) == 9 * np.pi).sum() > 20
    assert (np.abs(record.after[:, 2]) == 4 * np.pi).sum() > 20
    assert 20 < record.terminated.sum() < 2980
    agrees(ours(Acrobot(), record), record, state=1e-11)
    slow = np.abs(record.before[:, 2:]).max(-1) < 4 * np.pi
    calm = type(record)(*(part[slow] for part in record))
    agrees(ours(Acrobot(), calm), calm, state=1e-12)


@pytest.mark.parametrize(("policy", "episodes"), [(wander, 40), (pump, 200)])
def test_whole_episodes_equal_gymnasiums(policy, episodes):
    record = played(ID, policy, episodes)
    agrees(ours(Acrobot(), record), record, state=1e-12)
    assert ends_as(Acrobot(), record) < 0.01  # errors of one bit grow on the way
    assert record.terminated.any() == (policy is pump)
    assert record.truncated.any() == (policy is wander)


def test_a_reset_is_gymnasiums():
    starts_as(Acrobot(), ID)


def test_angles_are_wrapped_as_by_gymnasium():
    from gymnasium.envs.classic_control.acrobot import wrap

    angles = np.concatenate([np.random.default_rng(0).uniform(-40, 40, 2000), [np.pi, -np.pi, 0.0]])
    expected = [wrap(angle, -np.pi, np.pi) for angle in angles]
    np.testing.assert_allclose(wrapped(np, angles), expected, rtol=0, atol=1e-13)


def test_torch_computes_what_numpy_does():
    rng = np.random.default_rng(1)
    state = np.concatenate([rng.uniform(-BOUNDS / 2, BOUNDS / 2, (3, 500, 4)), np.ones((3, 500, 1))], -1)
    action = rng.integers(0, 3, (3, 500))
    there = advance(torch, torch.from_numpy(state), torch.from_numpy(action))
    for own, other in zip(advance(np, state, action), there, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-6, atol=1e-11)
        assert str(own.dtype) == str(other.dtype).removeprefix("torch.")


@pytest.mark.parametrize("fold", Fold)
def test_an_agent_that_pumps_energy_swings_up(fold):
    weights = torch.zeros(2, 6, 3)
    weights[0, 5] = torch.tensor([-1.0, 0.0, 1.0])
    pumping, idle = Acrobot(episodes=4, report_episodes=4).score(Linear(weights), keys(2), fold)
    assert -250 < pumping < -50
    assert idle == -500  # a constant torque
