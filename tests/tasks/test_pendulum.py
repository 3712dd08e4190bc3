from __future__ import annotations

import numpy as np
import pytest
import torch

from evogen.tasks import Fold
from evogen.tasks.pendulum import Pendulum, advance

from .fakes import Failing, Linear, keys, random_weights
from .reference import agrees, ends_as, ours, played, starts_as, stepped

ID = "Pendulum-v1"
ONE_BIT = 0.001 * 2.0**-21  # of u² in [4, 8), which Gymnasium computes by a float32 power


def wander(state, generator):
    return generator.uniform(-2, 2, 1).astype(np.float32)


def pump(state, generator):
    return np.array([2.0 if state[1] > 0 else -2.0], dtype=np.float32)


def test_a_step_from_anywhere_equals_gymnasiums():
    """Torques and velocities that are cut are among them."""
    rng = np.random.default_rng(0)
    states = rng.uniform([-10, -8], [10, 8], (5000, 2))
    record = stepped(ID, states, rng.uniform(-3, 3, (5000, 1)).astype(np.float32))
    assert (np.abs(record.after[:, 1]) == 8).sum() > 20
    agrees(ours(Pendulum(), record), record, state=1e-14, reward=ONE_BIT)


@pytest.mark.parametrize("policy", [wander, pump])
def test_whole_episodes_equal_gymnasiums(policy):
    record = played(ID, policy, 120)
    agrees(ours(Pendulum(), record), record, state=1e-13, reward=ONE_BIT)
    assert ends_as(Pendulum(), record) < 1e-9
    assert record.truncated.sum() == 120


def test_a_reset_is_gymnasiums():
    starts_as(Pendulum(), ID)


def test_torch_computes_what_numpy_does():
    rng = np.random.default_rng(1)
    state = np.concatenate([rng.uniform([-10, -8], [10, 8], (3, 500, 2)), np.ones((3, 500, 1))], -1)
    action = rng.uniform(-3, 3, (3, 500, 1))
    there = advance(torch, torch.from_numpy(state), torch.from_numpy(action))
    for own, other in zip(advance(np, state, action), there, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-6, atol=1e-13)
        assert str(own.dtype) == str(other.dtype).removeprefix("torch.")


def test_an_action_is_a_torque_within_its_bounds():
    action = Pendulum().act(torch.tensor([-50.0, -1.0, 0.0, 1.0, 50.0]).reshape(1, 5, 1))
    np.testing.assert_allclose(action[0, :, 0], [-2, 2 * np.tanh(-1), 0, 2 * np.tanh(1), 2], rtol=1e-6)


@pytest.mark.parametrize("fold", Fold)
def test_holding_back_is_better_than_pushing_one_way(fold):
    weights = torch.zeros(2, 3, 1)
    weights[0, 1:] = torch.tensor([[-20.0], [-2.0]])  # against sine and velocity
    holding, idle = Pendulum(episodes=20, report_episodes=20).score(Linear(weights), keys(2), fold)
    assert -1700 < idle < -800
    assert -1700 < holding < 0


def test_search_and_gymnasium_give_one_agent_one_return():
    """The search's own starts, set in Gymnasium's environment."""
    import gymnasium

    agents, task = Linear(random_weights((1, 3, 1))), Pendulum(episodes=3)
    score = task.score(agents, keys(1), Fold.SEARCH)
    starts = keys(1)[0].child("episodes").generator().random((3, 2))
    totals = []
    with gymnasium.make(ID) as env:
        for start in starts:
            env.reset()
            env.unwrapped.state = np.array([-np.pi, -1.0]) + np.array([2 * np.pi, 2.0]) * start
            observation, total, over = env.unwrapped._get_obs(), 0.0, False
            while not over:
                output = torch.from_numpy(observation)[None, None] @ agents.weights
                observation, reward, _, over, _ = env.step(task.act(output)[0, 0].numpy())
                total += reward
            totals.append(total)
    assert score.item() == pytest.approx(np.mean(totals), rel=1e-6)


@pytest.mark.parametrize("fold", Fold)
def test_non_finite_output_gives_a_nan_score_and_spares_the_other_rows(fold):
    @torch.no_grad()
    def scores(agents):
        return Pendulum(episodes=2, report_episodes=2).score(agents, keys(3), fold)

    weights = random_weights((3, 3, 1))
    healthy = scores(Linear(weights))
    sick = scores(Failing(weights, row=1, step_of_failure=40))
    assert sick[1].isnan()
    assert torch.equal(sick[[0, 2]], healthy[[0, 2]])
