from __future__ import annotations

import pytest
import torch

from evogen.tasks.gymnasium import Gymnasium
from evogen.tasks.pendulum import Pendulum
from evogen.tasks.play import play, squashed

from .fakes import Linear, keys, random_weights


def test_squashing_keeps_order_and_bounds():
    output = torch.tensor([-1e9, -2.0, 0.0, 2.0, 1e9]).reshape(1, 5, 1)
    action = squashed(output, -1.0, 3.0)
    assert action[0, 0, 0] == -1.0
    assert action[0, 2, 0] == 1.0
    assert action[0, 4, 0] == 3.0
    assert (action.diff(dim=1) > 0).all()
    low, high = torch.tensor([-1.0, 0.0]), torch.tensor([1.0, 10.0])
    assert squashed(torch.zeros(1, 1, 2), low, high).tolist() == [[[0.0, 5.0]]]


@pytest.mark.parametrize("task", [Pendulum(), Gymnasium(id="Pendulum-v1")])
def test_a_return_is_the_sum_over_the_first_episode(task):
    agents = Linear(random_weights((2, 3, 1)))
    returns = play(task, agents, keys=keys(2), episodes=3)
    episodes, total = task.start(keys(2), 3, agents.device), torch.zeros(2, 3, dtype=torch.float64)
    for _ in range(200):
        turn = episodes.step(task.act(episodes.observation @ agents.weights))
        total += turn.reward
    assert turn.truncated.all()
    assert torch.equal(returns, total)


def test_episodes_that_are_over_are_not_stepped(monkeypatch):
    from gymnasium.envs.classic_control.cartpole import CartPoleEnv

    steps, step = [], CartPoleEnv.step

    def counted(self, action):
        steps.append(action)
        return step(self, action)

    monkeypatch.setattr(CartPoleEnv, "step", counted)
    agents = Linear(torch.zeros(2, 4, 2))
    returns = play(Gymnasium(id="CartPole-v1"), agents, keys=keys(2), episodes=3)
    assert len(steps) == returns.sum()
    assert len(agents.seen) <= 25
