from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from evogen.keys import Key
from evogen.metrics.horizon import Horizon, lasting, live, numbers, slope
from evogen.tasks import TaskKind
from evogen.tasks.cartpole import CartPole
from evogen.tasks.cartpole_flipped import CartPoleFlipped
from evogen.tasks.cue_reward import CueReward
from evogen.testing import tiny
from evogen.testing.metric import subject


@dataclass
class Fading:
    """Balances until a step of its life; its one weight grows by `rate` a step."""

    until: int
    rate: float = 0.0
    rows: int = 1
    device: Any = None
    dtype: torch.dtype = torch.float32

    def start(self, batch: int) -> Any:
        return {"steps": torch.zeros(1, batch)}

    def step(self, seen: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        push = seen @ torch.tensor([0.1, 0.3, 1.0, 0.5])
        push = torch.where(state["steps"] < self.until, push, torch.ones_like(push))
        return torch.stack([-push, push], -1), {"steps": state["steps"] + 1}

    live = step

    def effective(self, state: Any) -> tuple[torch.Tensor, ...]:
        return ((1 + self.rate * state["steps"])[..., None, None],)


def course(agent: Fading, horizon: int = 100, factor: int = 4):
    task = lasting(CartPole(horizon=horizon), factor * horizon)
    assert task is not None
    steps = factor * horizon
    keys = [Key(0)]
    return live(task, agent, keys=keys, lives=3, steps=steps, marks=(horizon, steps))


def test_who_balances_forever_survives_and_keeps_its_reward():
    found = numbers(course(Fading(until=10_000)), 100)
    assert found["horizon_survival"] == 1.0
    assert found["horizon_reward"] == found["horizon_retention"] == 1.0
    assert found["horizon_slope"].abs() < 1e-12
    assert found["horizon_growth"] == 1.0


def test_who_lets_go_after_its_horizon_survives_nothing_and_its_reward_falls():
    lived = course(Fading(until=150))
    found = numbers(lived, 100)
    assert not lived.survived.any()
    assert (lived.lasted > 150).all()
    assert (lived.lasted < 190).all()
    assert torch.equal(lived.reward.sum(-1), lived.lasted.double())
    assert found["horizon_survival"] == 0.0
    assert found["horizon_reward"] == pytest.approx(float(lived.lasted.double().mean() - 100) / 300)
    assert found["horizon_slope"] < 0


def test_growth_is_the_weights_size_over_that_at_the_horizon():
    found = numbers(course(Fading(until=10_000, rate=0.01)), 100)
    assert found["horizon_growth"] == pytest.approx((1 + 4.0) / (1 + 1.0))


def test_the_slope_is_that_of_numpys_line():
    reward = torch.from_numpy(Key(1).generator().normal(size=(2, 3, 50)))
    lines = [np.polyfit(np.arange(50), row.mean(0), 1)[0] for row in reward.numpy()]
    np.testing.assert_allclose(slope(reward), lines, rtol=1e-10)


@pytest.mark.parametrize("task", [CartPole(horizon=20), CartPoleFlipped(horizon=20), CueReward(trials=10)])
def test_a_longer_life_begins_like_the_task_itself(task):
    longer = lasting(task, 60)
    assert longer is not None
    assert longer.horizon == 60
    agents = tiny.network(task)
    whole = live(longer, agents, keys=tiny.keys(), lives=2, steps=60, marks=(20, 60))
    start = live(longer, agents, keys=tiny.keys(), lives=2, steps=20, marks=(20,))
    assert torch.equal(whole.reward[..., :20], start.reward)
    assert torch.equal(whole.weight[..., :1], start.weight)


def test_a_task_without_more_time_cannot_be_measured():
    asked = subject(TaskKind.CONTROL)

    @dataclass(frozen=True)
    class Short:
        horizon: int = 5

    found = Horizon().measure(replace(asked, task=Short()))
    assert all(each.isnan().all() for each in found.values())


def test_an_output_that_is_not_finite_is_not_measured_and_does_not_survive():
    task = CartPole(horizon=20)
    agents = tiny.network(task)
    biases = (*agents.biases[:-1], agents.biases[-1] * torch.nan)
    broken = replace(agents, biases=biases)
    lived = live(task, broken, keys=tiny.keys(), lives=2, steps=40, marks=(20, 40))
    found = numbers(lived, 20)
    assert (found["horizon_survival"] == 0).all()
    assert found["horizon_reward"].isnan().any() or found["horizon_retention"].isnan().all()
