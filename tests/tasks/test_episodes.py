from __future__ import annotations

import numpy as np
import pytest
import torch

from evogen.phenotype.rows import gather
from evogen.tasks.cartpole import CartPole
from evogen.tasks.episodes import BLOCK, BatchedEpisodes
from evogen.tasks.gymnasium import Gymnasium
from evogen.tasks.pendulum import Pendulum
from evogen.testing.tiny import Walk

from .fakes import keys

CPU = torch.device("cpu")


def test_first_starts_come_from_the_key_and_later_ones_from_the_block_of_their_step():
    task, (key,) = Walk(), keys(1)
    episodes = BatchedEpisodes(task, [key], 3, CPU)
    first = 2 * key.generator().random((3, 1)) - 1
    np.testing.assert_array_equal(episodes.observation[0, :, 0], first[:, 0].astype(np.float32))
    ends = 0
    for step in range(2 * BLOCK + 10):
        turn = episodes.step(torch.full((1, 3), step % 2))
        over = (turn.terminated | turn.truncated)[0]
        block, at = divmod(step, BLOCK)
        drawn = key.child("block", block).generator().random((BLOCK, 3, 1))
        fresh = (2 * drawn[at, :, 0] - 1).astype(np.float32)
        np.testing.assert_array_equal(episodes.observation[0, over, 0], fresh[over])
        ends += int(over.sum())
    assert ends > 100


def test_episodes_end_when_their_own_clocks_say_so():
    """A walk is truncated five steps after its own start; three one way end some of them before."""
    episodes = BatchedEpisodes(Walk(), keys(1), 16, CPU)
    since, seen = np.zeros(16, dtype=int), set()
    for step in range(100):
        turn = episodes.step(torch.full((1, 16), step // 3 % 2))
        since += 1
        over = (turn.terminated | turn.truncated)[0].numpy()
        assert (turn.truncated[0].numpy() == (since == 5)).all()
        seen |= set(since[over])
        since[over] = 0
    assert {2, 5} <= seen


def test_without_again_nothing_is_begun_anew():
    episodes = BatchedEpisodes(Walk(), keys(2), 3, CPU, again=False)
    for _ in range(7):
        turn = episodes.step(torch.zeros(2, 3, dtype=torch.int64))
        assert torch.equal(episodes.observation, turn.after)


def test_rewards_are_float32_whatever_the_task_computes_in():
    episodes = BatchedEpisodes(Pendulum(), keys(1), 2, CPU)
    turn = episodes.step(torch.zeros(1, 2, 1))
    assert turn.reward.dtype == torch.float32
    assert (turn.reward < 0).all()


@pytest.mark.parametrize("copies", [1, 5])
def test_another_number_of_copies_is_another_draw_but_the_same_first_starts(copies):
    few, many = (BatchedEpisodes(CartPole(), keys(2), count, CPU) for count in (copies, 8))
    assert torch.equal(few.observation, many.observation[:, :copies])


@pytest.mark.parametrize("cut", [2, BLOCK + 2])
@pytest.mark.parametrize(
    "task", [Walk(), CartPole(), Gymnasium("CartPole-v1")], ids=["walk", "ours", "gymnasium"]
)
def test_episodes_taken_apart_and_put_together_go_on_as_they_would(task, cut):
    """By the cut some have ended and some have not, so that blocks of starts were drawn for a part only."""
    moves = torch.from_numpy(np.random.default_rng(0).integers(0, 2, (cut + BLOCK, 3, 2)))
    whole = task.start(keys(3), 2, CPU)
    parts = [task.start(keys(3)[:2], 2, CPU), task.start(keys(3)[2:], 2, CPU)]
    for move in moves[:cut]:
        whole.step(move)
        parts[0].step(move[:2])
        parts[1].step(move[2:])
    mixed = gather(parts[::-1], [[0], [1]])
    for move in moves[cut:]:
        assert torch.equal(mixed.observation, whole.observation[[2, 1]])
        turn, other = mixed.step(move[[2, 1]]), whole.step(move)
        assert all(torch.equal(part, of_all[[2, 1]]) for part, of_all in zip(turn, other, strict=True))
