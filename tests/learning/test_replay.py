import pytest
import torch

from evogen.keys import Key
from evogen.learning.replay import Replay, Returns, Stream, Transitions

CPU = torch.device("cpu")


def step(number, rows=2, copies=3):
    """A step whose every entry tells its row, its step and its copy."""
    code = 100.0 * torch.arange(rows)[:, None] + 10 * number + torch.arange(copies)
    return Transitions(
        torch.stack([code, -code], -1), code.long(), code, code % 2 == 0, torch.stack([-code, code], -1)
    )


def test_a_full_ring_overwrites_the_oldest():
    replay, lengths = Replay(capacity=7, copies=3), []
    for number in range(4):
        replay.add(step(number))
        lengths.append(len(replay))
    assert lengths == [3, 6, 6, 6]
    held = replay.take(torch.arange(6).expand(2, -1))
    for row in range(2):
        wanted = {100.0 * row + 10 * number + copy for number in (2, 3) for copy in range(3)}
        assert set(held.reward[row].tolist()) == wanted


def test_what_is_taken_belongs_together_and_to_its_own_candidate():
    replay = Replay(capacity=100, copies=3)
    for number in range(5):
        replay.add(step(number))
    index = torch.tensor([[0, 14, 7, 7], [3, 3, 13, 1]])
    taken = replay.take(index)
    code = 100.0 * torch.arange(2)[:, None] + 10 * (index // 3) + index % 3
    expected = Transitions(
        torch.stack([code, -code], -1), code.long(), code, code % 2 == 0, torch.stack([-code, code], -1)
    )
    for found, wanted in zip(taken, expected, strict=True):
        assert torch.equal(found, wanted)


def test_a_ring_smaller_than_a_round_holds_one_round():
    replay = Replay(capacity=1, copies=3)
    for number in range(2):
        replay.add(step(number))
    assert replay.take(torch.arange(3).expand(2, -1)).reward[0].tolist() == [10.0, 11.0, 12.0]


def test_a_stream_is_its_keys_draws_block_by_block():
    keys = [Key(1).child(row) for row in range(2)]
    stream = Stream(keys, "batch", shape=(3,), block=4)
    drawn = torch.stack([stream.draw(CPU) for _ in range(10)], 1)  # (P, 10, 3)
    for row, key in enumerate(keys):
        blocks = [key.child("batch", block).generator().random((4, 3)) for block in range(3)]
        expected = torch.cat([torch.from_numpy(block) for block in blocks])[:10]
        assert torch.equal(drawn[row], expected)


def test_returns_are_those_of_whole_episodes():
    returns = Returns(2, 2, CPU)
    nothing = torch.zeros(2, 2, dtype=torch.bool)
    ended = torch.tensor([[True, False], [True, True]])
    reward = torch.tensor([[1.0, 2.0], [3.0, 5.0]])
    assert returns.close().tolist() == [0.0, 0.0]
    returns.add(reward, nothing)
    returns.add(reward, ended)
    returns.add(reward, nothing)
    assert returns.close().tolist() == [2.0, 8.0]  # 1 + 1; (3 + 3 + 5 + 5) / 2
    returns.add(reward, torch.tensor([[False, True], [False, False]]))
    assert returns.close().tolist() == [8.0, 8.0]  # 4 times 2, begun before; none, so as before


def test_a_reward_that_is_not_a_number_stays_in_its_episode():
    returns = Returns(1, 1, CPU)
    over = torch.ones(1, 1, dtype=torch.bool)
    returns.add(torch.full((1, 1), torch.nan), over)
    assert returns.close().isnan().all()
    returns.add(torch.ones(1, 1), over)
    assert returns.close().item() == pytest.approx(1.0)
