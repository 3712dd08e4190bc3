from __future__ import annotations

from typing import NamedTuple

import gymnasium
import numpy as np
import pytest
import torch

from evogen.tasks import Fold
from evogen.tasks.cartpole import CartPole

from .fakes import BALANCING, Failing, Linear, balancing, keys, random_weights


class Transition(NamedTuple):
    """What Gymnasium did in one step."""

    before: np.ndarray
    elapsed: int
    action: int
    after: np.ndarray
    observation: np.ndarray
    reward: float
    terminated: bool
    truncated: bool


def balance(state, generator):
    return int(np.dot(BALANCING, state) > 0)


def flip_a_coin(state, generator):
    return int(generator.integers(2))


def episode(env, policy, seed):
    """Play one episode of Gymnasium's environment and return its transitions."""
    env.reset(seed=seed)
    generator, transitions, over = np.random.default_rng(seed), [], False
    while not over:
        before = env.unwrapped.state.copy()
        action = policy(before, generator)
        observation, reward, terminated, truncated, _ = env.step(action)
        transitions.append(
            Transition(
                before,
                len(transitions),
                action,
                env.unwrapped.state.copy(),
                observation,
                reward,
                terminated,
                truncated,
            )
        )
        over = terminated or truncated
    return transitions


@pytest.fixture(scope="module")
def official():
    with gymnasium.make("CartPole-v1") as env:
        yield env


def state_of(physical, elapsed=0):
    """(1, B, 6) states from (B, 4) physical ones."""
    physical = torch.as_tensor(np.asarray(physical), dtype=torch.float64)
    elapsed = torch.as_tensor(elapsed, dtype=torch.float64).expand(len(physical))
    return torch.cat([physical, elapsed[:, None], torch.zeros(len(physical), 1)], -1)[None]


@pytest.mark.parametrize(("policy", "episodes"), [(flip_a_coin, 300), (balance, 100)])
def test_every_step_equals_gymnasiums(official, policy, episodes):
    steps = [step for seed in range(episodes) for step in episode(official, policy, seed)]
    record = Transition(*(np.array(column) for column in zip(*steps, strict=True)))

    ours = CartPole().step(state_of(record.before, record.elapsed), torch.from_numpy(record.action)[None])

    np.testing.assert_allclose(ours.state[0, :, :4], record.after, rtol=1e-12, atol=1e-15)
    assert torch.equal(ours.state[0, :, 4], torch.from_numpy(record.elapsed + 1.0))
    np.testing.assert_allclose(ours.observation[0], record.observation, rtol=2e-7)
    assert ours.observation.dtype == torch.float32
    for name in ("reward", "terminated", "truncated"):
        np.testing.assert_array_equal(getattr(ours, name)[0], getattr(record, name), name)


def test_whole_episodes_equal_gymnasiums_when_nothing_is_corrected_on_the_way(official):
    for seed in range(100):
        steps = episode(official, flip_a_coin, seed)
        state = state_of([steps[0].before])
        for theirs in steps:
            ours = CartPole().step(state, torch.tensor([[theirs.action]]))
            np.testing.assert_allclose(ours.state[0, 0, :4], theirs.after, rtol=1e-9, atol=1e-12)
            assert ours.terminated.item() == theirs.terminated
            state = ours.state


def test_a_balanced_episode_is_truncated_at_step_500_and_not_before(official):
    task, state = CartPole(), state_of(np.full((1, 4), 0.01))
    truncated = []
    for _ in range(500):
        step = task.step(state, torch.tensor([[balance(state[0, 0, :4].numpy(), None)]]))
        state = step.state
        truncated.append(step.truncated.item())
        assert not step.terminated.item()
    assert truncated == [False] * 499 + [True]
    assert len(episode(official, balance, 0)) == 500


def test_a_fall_in_step_500_is_both_terminated_and_truncated():
    step = CartPole().step(state_of([[0.0, 0.0, 0.2, 3.0]], 499), torch.tensor([[1]]))
    assert step.terminated.item()
    assert step.truncated.item()
    assert step.reward.item() == 1.0


@pytest.mark.filterwarnings("ignore:.*You are calling 'step\\(\\)'")
def test_steps_beyond_the_end_are_worth_what_gymnasium_says():
    with gymnasium.make("CartPole-v1") as env:
        env.reset(seed=0)
        env.unwrapped.state = np.array([2.39, 3.0, 0.0, 0.0])
        state, rewards = state_of([env.unwrapped.state]), []
        for action in [0] * 40:  # leaves the track to the right, and comes back
            _, reward, terminated, _, _ = env.step(action)
            ours = CartPole().step(state, torch.tensor([[action]]))
            assert (ours.reward.item(), ours.terminated.item()) == (reward, terminated)
            state = ours.state
            rewards.append(reward)
    assert set(rewards) == {0.0, 1.0}


@pytest.mark.parametrize("seed", range(10))
def test_reset_maps_uniforms_to_gymnasiums_starts(official, seed):
    observation, _ = official.reset(seed=seed)
    uniforms = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed))).random((1, 1, 4))
    state, ours = CartPole().reset(torch.from_numpy(uniforms))
    np.testing.assert_array_equal(state[0, 0], [*official.unwrapped.state, 0.0, 0.0])
    np.testing.assert_array_equal(ours[0, 0], observation)


def test_a_non_finite_state_leaves_the_other_rows_alone_and_ends_at_the_horizon():
    task = CartPole()
    healthy = task.reset(torch.from_numpy(np.random.default_rng(0).random((3, 2, 4))))[0]
    sick = healthy.clone()
    sick[1, :, 2] = torch.nan
    sick[2, :, 0] = torch.inf
    for count in range(1, 501):
        action = torch.full((3, 2), count % 2)
        step, reference = task.step(sick, action), task.step(healthy, action)
        sick, healthy = step.state, reference.state
    assert torch.equal(sick[0], healthy[0])
    assert step.truncated.all()
    assert not step.terminated[1].any()
    assert step.terminated[2].all()


def test_score_of_a_balancing_agent_is_500_and_of_a_stubborn_one_about_9():
    weights = balancing(2)
    weights[1] = 0.0  # equal outputs: always action 0
    for fold in Fold:
        balanced, stubborn = CartPole(episodes=5).score(Linear(weights), keys(2), fold)
        assert balanced == 500.0
        assert 8.0 <= stubborn <= 11.0


def test_search_score_is_what_gymnasium_gives_from_the_same_starts(official):
    agents, task = Linear(random_weights((6, 4, 2))), CartPole(episodes=4)
    scores = task.score(agents, keys(6), Fold.SEARCH)
    for row, key in enumerate(keys(6)):
        starts = key.child("episodes").generator().random((4, 4))
        returns = []
        for start in starts:
            observation, _ = official.reset()
            official.unwrapped.state = -0.05 + 0.1 * start
            observation, total, over = official.unwrapped.state.astype(np.float32), 0.0, False
            while not over:
                action = int((torch.from_numpy(observation) @ agents.weights[row]).argmax())
                observation, reward, terminated, truncated, _ = official.step(action)
                total, over = total + reward, terminated or truncated
            returns.append(total)
        assert scores[row].item() == np.mean(returns)


def test_a_score_depends_on_the_agent_and_its_key_only():
    weights, task = random_weights((5, 4, 2)), CartPole(episodes=3)
    together = task.score(Linear(weights), keys(5), Fold.SEARCH)
    reverse = task.score(Linear(weights.flip(0)), keys(5)[::-1], Fold.SEARCH)
    alone = [task.score(Linear(weights[[row]]), [keys(5)[row]], Fold.SEARCH) for row in range(5)]
    assert torch.equal(together, torch.cat(alone))
    assert torch.equal(together, reverse.flip(0))


def test_report_plays_gymnasium_on_seeds_of_its_own_stream(official):
    agents, task = Linear(random_weights((3, 4, 2), seed=1)), CartPole(report_episodes=2)
    scores = task.score(agents, keys(3), Fold.REPORT)
    for row, key in enumerate(keys(3)):
        returns = []
        for n in range(2):
            observation, _ = official.reset(seed=key.child("report", n).integer())
            total, over = 0.0, False
            while not over:
                action = int((torch.from_numpy(observation) @ agents.weights[row]).argmax())
                observation, reward, terminated, truncated, _ = official.step(action)
                total, over = total + reward, terminated or truncated
            returns.append(total)
        assert scores[row].item() == np.mean(returns)


def test_search_and_report_start_differently():
    search, report = Linear(random_weights((1, 4, 2))), Linear(random_weights((1, 4, 2)))
    CartPole(episodes=8).score(search, keys(1), Fold.SEARCH)
    CartPole(report_episodes=8).score(report, keys(1), Fold.REPORT)
    (first_search, _), (first_report, _) = search.seen[0], report.seen[0]
    assert not torch.isin(first_search, first_report).any()


@pytest.mark.parametrize("fold", Fold)
def test_non_finite_output_gives_a_nan_score_and_spares_the_other_rows(fold):
    task = CartPole(episodes=2)
    weights = random_weights((3, 4, 2))
    weights[1] = balancing(1)[0]
    healthy = task.score(Linear(weights), keys(3), fold)
    scores = task.score(Failing(weights, row=1, step_of_failure=40), keys(3), fold)
    assert scores[1].isnan()
    assert torch.equal(scores[[0, 2]], healthy[[0, 2]])


@pytest.mark.parametrize("fold", Fold)
def test_output_after_the_last_episode_of_a_row_does_not_count(fold):
    task = CartPole(episodes=2)
    weights = balancing(2)
    weights[1] = 0.0
    assert task.score(Failing(weights, row=1, step_of_failure=20), keys(2), fold)[1] < 20.0


def test_scoring_stops_soon_after_the_last_fall():
    agents = Linear(torch.zeros(4, 4, 2))
    longest = CartPole(episodes=1).score(agents, keys(4), Fold.SEARCH).max()
    assert longest <= len(agents.seen) <= longest + 25


def test_a_longer_horizon_truncates_later_and_declares_no_threshold():
    task, state = CartPole(horizon=700), state_of(np.full((1, 4), 0.01))
    for count in range(1, 701):
        step = task.step(state, torch.tensor([[balance(state[0, 0, :4].numpy(), None)]]))
        state = step.state
        assert step.truncated.item() == (count == 700)
    assert task.threshold is None
    assert CartPole().threshold == 475.0
    assert CartPole().lasting(700) == task


def test_beyond_its_horizon_the_report_is_gymnasiums_own_physics():
    weights = balancing(2)
    weights[1] = 0.0
    for fold in Fold:
        balanced, stubborn = CartPole(episodes=2, report_episodes=2, horizon=800).score(
            Linear(weights), keys(2), fold
        )
        assert balanced == 800.0
        assert 8.0 <= stubborn <= 11.0
