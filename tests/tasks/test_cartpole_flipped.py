from __future__ import annotations

import pytest
import torch

from evogen.tasks import Fold
from evogen.tasks.cartpole import CartPole
from evogen.tasks.cartpole_flipped import WEYL, CartPoleFlipped
from evogen.tasks.episodes import uniforms

from .fakes import BALANCING, Linear, keys


def begun(signs=(0.2, 0.8), seed=0):
    """One row of two lives, crossed and straight, from equal starts."""
    numbers = uniforms(keys(1), (1, 5)).expand(1, 2, 5).clone()
    numbers[0, :, 0] = torch.tensor(signs)
    return CartPoleFlipped().reset(numbers)[0]


def knowing(sign):
    """(1, 5, 2) weights that balance the pole where the sign is known."""
    push = sign * torch.tensor([*BALANCING, 0.0]) / torch.tensor([1.0, 1.0, 5.0, 1.0, 1.0])
    return torch.stack([-push, push], -1)[None]


def test_a_straight_life_moves_as_cartpole_and_a_crossed_one_as_with_the_other_push():
    task, plain = CartPoleFlipped(), CartPole()
    state = begun()
    straight = crossed = torch.cat([state[:, :1, :4], torch.zeros(1, 1, 2)], -1).double()
    for push in (0, 1, 1, 0, 1, 1, 0):
        state = task.step(state, torch.full((1, 2), push)).state
        straight = plain.step(straight, torch.full((1, 1), push)).state
        crossed = plain.step(crossed, torch.full((1, 1), 1 - push)).state
        assert torch.equal(state[0, 0, :4], crossed[0, 0, :4])
        assert torch.equal(state[0, 1, :4], straight[0, 0, :4])


def test_nothing_that_is_seen_at_the_start_tells_the_sign():
    state = begun()
    seen = CartPoleFlipped().reset(torch.cat([torch.tensor([[[0.2], [0.8]]]), state[..., 7:]], -1))[1]
    assert torch.equal(seen[0, 0], seen[0, 1])


def test_a_fall_costs_and_the_pole_stands_again_at_the_next_of_weyls_starts():
    task, state = CartPoleFlipped(cost=7.0), begun()
    start = state[0, 1, 7:].clone()
    for _ in range(30):
        step = task.step(state, torch.ones(1, 2))
        assert not step.terminated.any()
        state = step.state
        if step.reward[0, 1] < 1:
            break
    assert step.reward[0, 1] == 1.0 - 7.0
    assert step.observation[0, 1, 4] == 1.0
    torch.testing.assert_close(state[0, 1, 7:], (start + torch.tensor(WEYL).double()) % 1)
    torch.testing.assert_close(state[0, 1, :4], -0.05 + 0.1 * state[0, 1, 7:])
    assert task.step(state, torch.ones(1, 2)).observation[0, 1, 4] == 0.0


def test_the_starts_of_a_life_are_spread_evenly():
    u = torch.tensor([0.3, 0.6, 0.1, 0.9], dtype=torch.float64)
    starts = torch.stack([(u + n * torch.tensor(WEYL).double()) % 1 for n in range(200)])
    for part in starts.T:
        counts = torch.histc(part, 10, 0, 1)
        assert counts.min() >= 17
        assert counts.max() <= 23


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_who_knows_one_sign_balances_its_lives_and_falls_all_the_time_in_the_others(sign):
    task = CartPoleFlipped(horizon=300)
    numbers = torch.cat([torch.tensor([[[0.2], [0.8]]]), begun()[..., 7:]], -1)
    state, agent, total = task.reset(numbers)[0], Linear(knowing(sign)), torch.zeros(1, 2)
    seen = task.reset(numbers)[1]
    for _ in range(task.horizon):
        output, _ = agent.step(seen, None)
        step = task.step(state, task.act(output))
        state, seen, total = step.state, step.observation, total + step.reward
    own, other = (1, 0) if sign > 0 else (0, 1)
    assert total[0, own] == 300.0
    assert total[0, other] < -200.0
    assert step.truncated.all()


def test_both_signs_are_drawn_and_folds_differ():
    task = CartPoleFlipped(horizon=50, episodes=64, report_episodes=64)
    agents = Linear(knowing(1.0))
    task.score(agents, keys(1), Fold.SEARCH)
    starts = agents.seen[0][0]
    task.score(agents, keys(1), Fold.REPORT)
    other = agents.seen[50][0]
    assert not torch.isin(starts[..., :4], other[..., :4]).any()
    crossed = task.start([keys(1)[0].child("search")], 64, torch.device("cpu"))._state[0, :, 5]
    assert 16 <= int((crossed < 0).sum()) <= 48


def test_a_longer_life_is_the_same_life_at_first():
    task = CartPoleFlipped(horizon=40)
    longer = task.lasting(80)
    assert longer.horizon == 80
    state = begun()
    for push in (0, 1, 0):
        short, long = (one.step(state, torch.full((1, 2), push)) for one in (task, longer))
        assert torch.equal(short.state, long.state)
        state = short.state
