"""Gymnasium's classic control, played by scripted policies, and our batched tasks held against the record."""

from __future__ import annotations

from typing import NamedTuple

import gymnasium
import numpy as np
import torch

from evogen.tasks import Step


class Record(NamedTuple):
    """n transitions of Gymnasium's environment, one a row, episode after episode."""

    before: np.ndarray
    elapsed: np.ndarray
    action: np.ndarray
    after: np.ndarray
    observation: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray

    def episodes(self) -> list[Record]:
        ends = np.flatnonzero(self.terminated | self.truncated) + 1
        return [Record(*(part[a:b] for part in self)) for a, b in zip([0, *ends], ends, strict=False)]


def played(env_id, policy, episodes):
    """Return the record of whole episodes with seeds 0, 1, ...; policy(state, generator) gives the action."""
    rows = []
    with gymnasium.make(env_id, disable_env_checker=True) as env:
        for seed in range(episodes):
            env.reset(seed=seed)
            generator, elapsed, over = np.random.default_rng(seed), 0, False
            while not over:
                before = np.array(env.unwrapped.state, dtype=np.float64)
                action = policy(before, generator)
                rows.append((before, elapsed, action, *_step(env, action)))
                elapsed, over = elapsed + 1, bool(rows[-1][-2] or rows[-1][-1])
    return _record(rows)


def stepped(env_id, states, actions, elapsed=1):
    """Return the record of one step from each of these states."""
    rows = []
    with gymnasium.make(env_id, disable_env_checker=True) as env:
        env.reset(seed=0)
        for state, action in zip(states, actions, strict=True):
            env.unwrapped.state = state.copy()
            rows.append((state.astype(np.float64), elapsed, action, *_step(env.unwrapped, action)))
    return _record(rows)


def ours(task, record) -> Step:
    """Return one step of our task from every state of the record, (1, n, ...)."""
    elapsed = np.asarray(record.elapsed, dtype=np.float64)[:, None]
    state = np.concatenate([record.before, elapsed], -1)
    return task.step(torch.from_numpy(state)[None], torch.from_numpy(record.action)[None])


def agrees(step, record, *, state, reward=0.0):
    """Assert that a step of ours is the record's, to these absolute tolerances."""
    np.testing.assert_allclose(step.state[0, :, :-1], record.after, rtol=0, atol=state)
    np.testing.assert_array_equal(step.state[0, :, -1], record.elapsed + 1)
    np.testing.assert_allclose(step.observation[0], record.observation, rtol=2e-7, atol=max(state, 1e-9))
    np.testing.assert_allclose(step.reward[0], record.reward, rtol=0, atol=reward)
    np.testing.assert_array_equal(step.terminated[0], record.terminated)
    np.testing.assert_array_equal(step.truncated[0], record.truncated)
    assert step.observation.dtype == torch.float32
    assert step.state.dtype == torch.float64


def ends_as(task, record):
    """Assert that our task, left alone with the record's actions, ends every episode in the same step.

    Returns:
        The largest distance of any state on the way.
    """
    episodes = record.episodes()
    longest = max(len(each.reward) for each in episodes)
    actions = np.zeros((longest, 1, len(episodes), *record.action.shape[1:]), dtype=record.action.dtype)
    for place, each in enumerate(episodes):
        actions[: len(each.action), 0, place] = each.action
    first = np.stack([np.append(each.before[0], 0.0) for each in episodes])
    state, running, worst = torch.from_numpy(first)[None], np.ones(len(episodes), dtype=bool), 0.0
    for number, action in enumerate(actions):
        step = task.step(state, torch.from_numpy(action))
        state = step.state
        for place in np.flatnonzero(running):
            each = episodes[place]
            assert step.terminated[0, place].item() == each.terminated[number]
            assert step.truncated[0, place].item() == each.truncated[number]
            worst = max(worst, np.abs(state[0, place, :-1].numpy() - each.after[number]).max())
            running[place] = number + 1 < len(each.reward)
    assert not running.any()
    return worst


def starts_as(task, env_id):
    """Assert that a reset from the numbers that Gymnasium draws gives its state and observation."""
    with gymnasium.make(env_id) as env:
        for seed in range(20):
            observation, _ = env.reset(seed=seed)
            generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
            state, seen = task.reset(torch.from_numpy(generator.random((1, 1, task.draws))))
            np.testing.assert_array_equal(state[0, 0], [*env.unwrapped.state, 0.0])
            np.testing.assert_allclose(seen[0, 0], observation, rtol=2e-7)


def _step(env, action):
    observation, reward, terminated, truncated, _ = env.step(action)
    state = np.array(env.unwrapped.state, dtype=np.float64)
    return state, observation.copy(), float(reward), terminated, truncated


def _record(rows):
    return Record(*(np.array(column) for column in zip(*rows, strict=True)))
