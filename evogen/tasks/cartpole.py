"""CartPole-v1 as a batched torch environment that equals Gymnasium's own step for step.

With cart position x (m), pole angle θ (rad) and force F = ±10 N, every τ = 0.02 s:

    s  = (F + m_p l θ̇² sin θ) / m
    θ̈  = (g sin θ - s cos θ) / (l (4/3 - m_p cos² θ / m))
    ẍ  = s - m_p l θ̈ cos θ / m
    (x, ẋ, θ, θ̇) ← (x, ẋ, θ, θ̇) + τ (ẋ, ẍ, θ̇, θ̈)          (explicit Euler, before any velocity is updated)

An episode terminates beyond |x| = 2.4 m or |θ| = 12° and is truncated after `horizon` steps, 500 in
Gymnasium; every step until then, the last one included, is worth 1. A step may differ from Gymnasium's in the
last bit of sin and cos; since an unbalanced pole falls like e^(4 t/s), two whole trajectories may still part
after several seconds.

Source: Barto, Sutton, Anderson 1983, "Neuronlike adaptive elements that can solve difficult learning control
problems"; Gymnasium 1.4.0, `envs/classic_control/cartpole.py`, whose order of operations is kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from evogen.registry import register, setting
from evogen.tasks import Step, TaskKind
from evogen.tasks.classic import Classic
from evogen.tasks.episodes import computed
from evogen.tasks.play import greedy

GRAVITY = 9.8  # m/s²
MASS_POLE = 0.1  # kg
MASS = MASS_POLE + 1.0  # kg, with the cart
LENGTH = 0.5  # m, half the pole
FORCE = 10.0  # N
TAU = 0.02  # s
X_LIMIT = 2.4  # m
THETA_LIMIT = 12 * 2 * math.pi / 360  # rad
HORIZON = 500  # steps, of Gymnasium's own
THRESHOLD = 475.0
START = 0.05  # every coordinate starts ~ U[-START, START)
MASS_POLE_LENGTH = MASS_POLE * LENGTH


@register("task", "cartpole")
@dataclass(frozen=True)
class CartPole(Classic):
    """Balance a pole on a cart.

    State: (P, B, 6) float64 = x, ẋ, θ, θ̇, steps taken, steps spent out of bounds (worth 0 after the first).
    Observation: (P, B, 4) float32 = x, ẋ, θ, θ̇. Actions: 0 pushes left, 1 right.
    """

    horizon: int = setting(HORIZON, low=1, high=1_000_000, doc="steps after which an episode is truncated")

    official = "CartPole-v1"
    kind = TaskKind.CONTROL
    inputs = 4
    outputs = 2
    draws = 4

    @property
    def threshold(self) -> float | None:
        """475 of Gymnasium's 500 steps; none is declared for another horizon."""
        return THRESHOLD if self.horizon == HORIZON else None

    @property
    def made_with(self) -> Mapping[str, Any]:
        """The horizon, where it is not Gymnasium's own."""
        return {} if self.horizon == HORIZON else {"max_episode_steps": self.horizon}

    def lasting(self, steps: int) -> CartPole:
        """Return the same task with episodes of so many steps."""
        return replace(self, horizon=steps)

    def reset(self, uniforms: Tensor) -> tuple[Tensor, Tensor]:
        """Return (state, observation) of new episodes from (P, B, 4) float64 uniforms."""
        physical = -START + 2 * START * uniforms  # ~ U[-START, START)
        clock = torch.zeros_like(uniforms[..., :2])
        return torch.cat([physical, clock], -1), physical.float()

    def step(self, state: Tensor, action: Tensor) -> Step:
        """Advance every environment; one that has ended goes on by the same equations until it is reset."""
        after, paid, terminated, truncated = computed(partial(advance, horizon=self.horizon), state, action)
        return Step(after, after[..., :4].float(), paid.float(), terminated, truncated)

    def act(self, output: Tensor) -> Tensor:
        """Return (P, B) int64 pushes: the larger of two outputs."""
        return greedy(output)


def advance(xp: Any, state: Any, action: Any, *, horizon: int = HORIZON) -> tuple[Any, Any, Any, Any]:
    """Return the next state (P, B, 6) and, (P, B) bool each: paid 1, out of bounds, out of time.

    Args:
        xp: numpy or torch, whose arrays the others are; the same equations run on both.
        state: (P, B, 6) float64.
        action: (P, B) integers.
        horizon: steps after which time is out.
    """
    x, x_dot, theta, theta_dot, steps, over = (state[..., part] for part in range(6))
    force = FORCE * (2.0 * action - 1.0)
    cos, sin = xp.cos(theta), xp.sin(theta)
    s = (force + MASS_POLE_LENGTH * xp.square(theta_dot) * sin) / MASS
    theta_acc = (GRAVITY * sin - cos * s) / (LENGTH * (4.0 / 3.0 - MASS_POLE * xp.square(cos) / MASS))
    x_acc = s - MASS_POLE_LENGTH * theta_acc * cos / MASS
    x, theta, steps = x + TAU * x_dot, theta + TAU * theta_dot, steps + 1.0
    terminated = (xp.abs(x) > X_LIMIT) | (xp.abs(theta) > THETA_LIMIT)
    parts = [x, x_dot + TAU * x_acc, theta, theta_dot + TAU * theta_acc, steps, over + 1.0 * terminated]
    return xp.stack(parts, -1), ~(terminated & (over > 0.0)), terminated, steps >= horizon
