"""CartPole whose controls are crossed in half of all lives: which way an action pushes must be found out.

The sign s of the force, F = s (2 a - 1) 10 N, is drawn once a life, and nothing that is seen tells it but
what pushes lead to. A life is not over with a fall: the pole is set up again, near upright, and a fall costs
`cost` steps' reward,

    reward = 1 - cost in the step of a fall, else 1

so that a life of T steps with n falls is worth T - cost n. Bounds and equations are those of
`evogen.tasks.cartpole`. The n-th start within a life is u_n = u_0 + n w modulo 1 (Weyl's sequence, by the
square roots of four primes), so that a life depends on the five numbers that it begins with alone.

An answer that follows from the state alone cannot serve both signs: a force K(state) that damps the pole with
one of them drives it with the other. What was done last is not shown, because it is half of a memory: with it
static weights learn to go on with what helped, and had three quarters of the reward without learning anything
in life. Ours, after the flipped signs of tasks for learning within a lifetime;
the physics are Gymnasium's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.registry import register, setting
from evogen.tasks import Fold, Step, TaskKind
from evogen.tasks.cartpole import START, advance
from evogen.tasks.episodes import BatchedEpisodes, computed
from evogen.tasks.play import greedy, play

PHYSICAL = 4  # x, ẋ, θ, θ̇
WEYL = tuple(math.sqrt(prime) % 1 for prime in (2, 3, 5, 7))
SCALE = (1.0, 1.0, 5.0, 1.0)  # of what is seen: θ is a fifth of the others


@register("task", "cartpole-flipped")
@dataclass(frozen=True)
class CartPoleFlipped:
    """Balance a pole on a cart that may go the other way; an episode is one life, with all its falls.

    State: (P, B, 11) float64 = x, ẋ, θ, θ̇, steps taken, sign, fell, the last start's u (4).
    Observation: (P, B, 5) float32 = x, ẋ, 5 θ, θ̇, 1 after a fall. Actions: 0 means left, 1 right.
    """

    horizon: int = setting(400, low=1, high=1_000_000, doc="steps of a life")
    cost: float = setting(20.0, low=0.0, high=1000.0, doc="what a fall costs, in steps")
    episodes: int = setting(10, low=1, high=1000, doc="lives behind each score of an agent in the search")
    report_episodes: int = setting(20, low=1, high=10_000, doc="other lives of an agent in the report")

    kind = TaskKind.CONTROL
    inputs = 5
    outputs = 2
    normalised = False
    threshold = None
    draws = 1 + PHYSICAL

    @property
    def reported(self) -> str:
        """Lives with signs and starts that the search never saw."""
        return f"{self.report_episodes} fresh lives an agent, with other signs and starts"

    def lasting(self, steps: int) -> CartPoleFlipped:
        """Return the same task with lives of so many steps."""
        return replace(self, horizon=steps)

    def reset(self, uniforms: Tensor) -> tuple[Tensor, Tensor]:
        """Return (state, observation) of new lives from (P, B, 5) float64 uniforms."""
        sign = torch.where(uniforms[..., :1] < 0.5, -1.0, 1.0).to(uniforms)
        u, nothing = uniforms[..., 1:], torch.zeros_like(sign)
        state = torch.cat([_start(u), nothing, sign, nothing, u], -1)
        return state, _seen(state)

    def step(self, state: Tensor, action: Tensor) -> Step:
        """Advance every life by one step; a pole that fell stands again after it."""
        after, fell, over = computed(partial(_live, horizon=self.horizon), state, action.double())
        reward = 1.0 - self.cost * fell
        return Step(after, _seen(after), reward.float(), torch.zeros_like(over), over)

    def start(
        self, keys: Sequence[Key], copies: int, device: torch.device, *, again: bool = True
    ) -> BatchedEpisodes:
        """Return running lives, B = copies a row."""
        return BatchedEpisodes(self, keys, copies, device, again=again)

    def act(self, output: Tensor) -> Tensor:
        """Return (P, B) int64 pushes: the larger of two outputs."""
        return greedy(output)

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) mean returns of lives, others for REPORT than for SEARCH."""
        count = self.episodes if fold is Fold.SEARCH else self.report_episodes
        return play(self, agents, keys=[key.child(fold.value) for key in keys], episodes=count).mean(-1)


def _live(xp: Any, state: Any, action: Any, *, horizon: int) -> tuple[Any, Any, Any]:
    """Return the next state, 1 for a fall, and whether time is out."""
    sign, u = state[..., 5], state[..., 7:]
    push = (sign * (2.0 * action - 1.0) + 1.0) / 2.0
    plain = xp.concatenate([state[..., :5], 0.0 * state[..., :1]], -1)
    moved, _, fell, over = advance(xp, plain, push, horizon=horizon)
    down = fell[..., None]
    u = xp.where(down, xp.stack([(u[..., i] + WEYL[i]) % 1.0 for i in range(PHYSICAL)], -1), u)
    physical = xp.where(down, _start(u), moved[..., :PHYSICAL])
    told = xp.stack([moved[..., 4], sign, 1.0 * fell], -1)
    return xp.concatenate([physical, told, u], -1), 1.0 * fell, over


def _start(u: Any) -> Any:
    return -START + 2 * START * u  # ~ U[-START, START), as Gymnasium's


def _seen(state: Tensor) -> Tensor:
    scaled = state[..., :PHYSICAL] * state.new_tensor(SCALE)
    return torch.cat([scaled, state[..., 6:7]], -1).float()
