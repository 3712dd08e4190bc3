from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from evogen.keys import Key
from evogen.tasks import Fold
from evogen.tasks.cue_reward import CueReward
from evogen.tasks.episodes import uniforms

from .fakes import Linear, keys, random_weights


@dataclass
class Correlating:
    """An associator by hand: sums what a cue was worth going for, and goes where that is >= 0."""

    bits: int
    rows: int = 1
    device: Any = None
    dtype: torch.dtype = torch.float32

    def start(self, batch: int) -> Any:
        return torch.zeros(self.rows, batch, self.bits), torch.zeros(self.rows, batch, self.bits)

    def step(self, seen: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        worth, before = state
        cue, went, paid = seen[..., : self.bits], seen[..., -2:-1], seen[..., -1:]
        worth = worth + paid * (2 * went - 1) * before
        value = (worth * cue).sum(-1)
        return torch.stack([torch.zeros_like(value), value + 0.5], -1), (worth, cue)

    live = step


def life(task, seed=0, lives=400):
    return task.reset(uniforms([Key(seed)], (lives, task.draws)))


def test_a_life_of_actions_that_know_the_target_is_worth_every_trial():
    task = CueReward(trials=12)
    state, _ = life(task)
    total = torch.zeros(1, 400)
    for _ in range(task.horizon):
        step = task.step(state, (task._cue(state) == state[..., 3]).long())
        state, total = step.state, total + step.reward
    assert step.truncated.all()
    assert (total == 12).all()


def test_half_of_the_cues_are_the_target_and_the_rest_is_even():
    task, counts = CueReward(cues=4, trials=30), torch.zeros(4)
    state, _ = life(task)
    target = state[..., 3]
    for _ in range(30):
        away = (task._cue(state) - target) % 4
        counts += torch.bincount(away.flatten().long(), minlength=4)
        for _ in range(2):
            state = task.step(state, torch.zeros(1, 400)).state
    share = counts / counts.sum()  # of 12,000 trials: five standard errors are 0.023 and 0.017
    assert abs(share[0] - 1 / 2) < 0.023
    assert (share[1:] - 1 / 6).abs().max() < 0.017
    assert abs(torch.bincount(target.flatten().long()).float() / 400 - 0.25).max() < 0.11


def test_a_cue_is_shown_as_signs_and_then_what_was_done_and_its_worth():
    task = CueReward(bits=8)
    state, seen = life(task, lives=50)
    assert (seen[..., :8].abs() == 1).all()
    assert (seen[..., 8:] == 0).all()
    action = torch.arange(50)[None] % 2
    step = task.step(state, action)
    assert (step.observation[..., :8] == 0).all()
    assert torch.equal(step.observation[..., 8:10].argmax(-1), action)
    assert torch.equal(step.observation[..., 10], step.reward)
    later = task.step(step.state, action)
    assert (later.reward == 0).all()
    assert (later.observation[..., :8].abs() == 1).all()
    assert (later.observation[..., 8:] == 0).all()


def test_the_same_cue_looks_the_same_and_signs_are_even():
    task = CueReward(cues=3, bits=6, trials=20)
    state, seen = life(task)
    shown: dict[tuple[int, int], torch.Tensor] = {}
    for _ in range(20):
        for b, cue in enumerate(task._cue(state)[0].tolist()):
            assert torch.equal(shown.setdefault((b, int(cue)), seen[0, b, :6]), seen[0, b, :6])
        for _ in range(2):
            step = task.step(state, torch.ones(1, 400))
            state, seen = step.state, step.observation
    signs = torch.stack(list(shown.values()))
    assert len(signs) > 1000
    assert signs.mean(0).abs().max() < 0.17  # five standard errors of 1,000 signs


def test_an_agent_without_memory_scores_nothing_and_an_associator_most_trials():
    task = CueReward(cues=4, bits=12, trials=30, report_episodes=400)
    static = task.score(Linear(random_weights((6, 15, 2))), keys(6), Fold.REPORT)
    assert static.abs().max() < 30 * 5 / (30 * 400) ** 0.5  # five standard errors of a guesser's return
    learning = task.score(Correlating(12), keys(1), Fold.REPORT)
    assert learning > 18.0


def test_folds_have_other_lives_and_longer_lives_more_trials():
    task = CueReward()
    search, report = (task.start([key.child(fold.value)], 5, torch.device("cpu")).observation
                      for key in keys(1) for fold in Fold)  # fmt: skip
    assert not torch.equal(search, report)
    assert task.lasting(600).trials == 300
    assert task.lasting(600).horizon == 600
