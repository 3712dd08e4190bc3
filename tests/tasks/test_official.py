from __future__ import annotations

import gymnasium
import torch

from evogen.tasks.official import play_gymnasium

from .fakes import Linear, random_weights


def test_returns_are_laid_out_by_agent_and_seed():
    weights = random_weights((3, 4, 2))
    seeds = [[1, 2], [3, 4], [5, 6]]
    together = play_gymnasium("CartPole-v1", Linear(weights), seeds=seeds)
    assert together.shape == (3, 2)
    for row in range(3):
        for place in range(2):
            alone = play_gymnasium("CartPole-v1", Linear(weights[[row]]), seeds=[[seeds[row][place]]])
            assert together[row, place] == alone.item()


def test_any_discrete_environment_with_a_vector_observation_can_be_played():
    returns = play_gymnasium("MountainCar-v0", Linear(torch.zeros(1, 2, 3)), seeds=[[0]])
    assert returns.item() == -200.0  # its time limit, at -1 a step


def test_every_environment_is_closed(monkeypatch):
    made, closed = [], []
    make = gymnasium.make

    def recorded(env_id):
        env = make(env_id)
        made.append(env)
        monkeypatch.setattr(env.unwrapped, "close", lambda: closed.append(env))
        return env

    monkeypatch.setattr(gymnasium, "make", recorded)
    play_gymnasium("CartPole-v1", Linear(torch.zeros(2, 4, 2)), seeds=[[0, 1], [2, 3]])
    assert len(made) == 4
    assert all(env in closed for env in made)
