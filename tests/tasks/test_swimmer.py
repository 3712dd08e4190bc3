from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from worm import Worm

from evogen.errors import SpecError
from evogen.schema import Where, settings
from evogen.tasks.episodes import uniforms
from evogen.tasks.play import play
from evogen.tasks.swimmer import Swimmer

from .fakes import keys

pytest.importorskip("mujoco")

UNIT = (1.0, 1.0, 1.0, -1.0)  # prop, osc, ipsi, contra


@pytest.fixture(scope="module")
def official():
    """dm_control's own swimmers, without a window."""
    os.environ.setdefault("MUJOCO_GL", "disable")
    return pytest.importorskip("dm_control.suite.swimmer").swimmer


def returns(weights, *, episodes=3, **of_the_task):
    task = Swimmer(**of_the_task)
    return play(task, Worm(task.outputs, weights), keys=keys(1), episodes=episodes)[0]


@pytest.mark.parametrize("links", [3, 6, 11])
def test_every_step_is_dm_controls_own_to_the_bit(official, links):
    task, (key,) = Swimmer(links=links), keys(1)
    state, seen = task.reset(uniforms([key], (2, task.draws)))
    theirs = official(links, random=0)
    theirs.reset()
    with theirs.physics.reset_context():
        theirs.physics.data.qpos[:] = state[0, 0, : links + 2]
    actions = key.child("act").generator().uniform(-1.2, 1.2, (200, links - 1))
    bent = 0.0
    for action in actions:
        both = torch.from_numpy(np.stack([action, -action]))[None]  # the other one must not leak
        state, seen, reward, _, _ = task.step(state, both)
        theirs.step(np.clip(action, -1, 1))
        physics = theirs.physics
        assert state[0, 0, : links + 2].tolist() == physics.data.qpos.tolist()
        assert state[0, 0, links + 2 : 2 * links + 4].tolist() == physics.data.qvel.tolist()
        velocities = physics.body_velocities()
        np.testing.assert_array_equal(seen[0, 0, -3 * links :], velocities.astype(np.float32))
        np.testing.assert_allclose(reward[0, 0], np.clip(-velocities[1] / 0.1, 0, 1), atol=1e-15)
        q = physics.joints() / (2 * np.pi / links)
        halves = np.concatenate([q.clip(0, 1), (-q).clip(0, 1)])
        np.testing.assert_array_equal(seen[0, 0, : 2 * links - 2], halves.astype(np.float32))
        bent = max(bent, abs(q).max())
    assert bent > 1.0  # joints met their limits, where the solver works


def test_starts_are_spread_over_all_angles():
    task = Swimmer(links=4)
    state, seen = task.reset(uniforms(keys(1), (2000, task.draws)))
    angles = state[0, :, 2:6]
    widths = torch.tensor([np.pi, np.pi / 2, np.pi / 2, np.pi / 2])
    np.testing.assert_allclose(angles.mean(0) / widths, np.zeros(4), atol=0.06)  # ~ U, 4.6 deviations
    np.testing.assert_allclose(angles.std(0) / widths, np.full(4, 3**-0.5), atol=0.03)
    assert not state[0, :, 6:].any()
    assert not seen[0, :, -12:].any()


def test_the_clock_is_a_square_wave_of_its_period():
    task = Swimmer(links=3, period=6)
    state, seen = task.reset(uniforms(keys(1), (1, task.draws)))
    ticks = [seen[0, 0, 4:6].tolist()]
    for _ in range(11):
        state, seen, *_ = task.step(state, torch.zeros(1, 1, 2))
        ticks.append(seen[0, 0, 4:6].tolist())
    assert ticks == 2 * (3 * [[1.0, 0.0]] + 3 * [[0.0, 1.0]])


def test_the_worms_circuit_swims_before_it_learns_anything():
    assert returns(UNIT).min() > 700  # of 1,000; 794 to 807 where it was measured first


def test_no_other_signs_swim():
    others = [(1, 1, 1, 1), (1, 1, -1, -1), (1, -1, 1, -1), (-1, 1, 1, -1)]
    assert max(returns(signs, episodes=2).mean() for signs in others) < 250


def test_the_circuit_swims_in_longer_bodies():
    assert returns(UNIT, links=12, episodes=2).min() > 700


def test_a_shorter_life_is_the_start_of_a_longer_one():
    short, long = (returns(UNIT, steps=steps, episodes=1).item() for steps in (50, 100))
    assert 0 < short < long <= 100


def test_a_torque_is_the_output_within_its_bounds():
    task = Swimmer(links=3)
    assert task.act(torch.tensor([-7.0, 0.25])).tolist() == [-1.0, 0.25]


def test_what_is_no_torque_stands_still():
    task = Swimmer(links=3)
    state, _ = task.reset(uniforms(keys(1), (1, task.draws)))
    broken, still = (task.step(state, torch.full((1, 1, 2), torque)) for torque in (torch.nan, 0.0))
    assert torch.equal(broken.state, still.state)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr("evogen.tasks.swimmer.find_spec", lambda _: None)
    with pytest.raises(SpecError, match=r'pip install "evogen\[mujoco\]"'):
        settings(Swimmer, {}, Where())
