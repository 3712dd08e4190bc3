"""MountainCar-v0 as a batched torch environment that equals Gymnasium's own step for step.

A car too weak to climb the right hill must swing up the left one first. With position x (m), velocity v (m a
step) and action a of 0, 1, 2:

    v ← v + (a - 1) 0.001 + cos(3 x) (-0.0025)        within ±0.07
    x ← x + v                                         within -1.2 and 0.6; the left wall takes all of v < 0

Every step costs 1. An episode terminates at x >= 0.5 with v >= 0 and is truncated after 200 steps. A step may
differ from Gymnasium's in the last bit of the cosine.

Source: Moore 1990, "Efficient memory-based learning for robot control" (PhD thesis, Cambridge); Gymnasium
1.4.0, `envs/classic_control/mountain_car.py`, whose order of operations is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from evogen.registry import register
from evogen.tasks import Step, TaskKind
from evogen.tasks.classic import Classic
from evogen.tasks.episodes import computed
from evogen.tasks.play import greedy

LEFT, RIGHT, GOAL = -1.2, 0.6, 0.5  # m
MAX_SPEED = 0.07  # m a step
FORCE = 0.001  # m a step, each step
GRAVITY = 0.0025
START_LOW, START_HIGH = -0.6, -0.4  # m
HORIZON = 200  # steps


@register("task", "mountain-car")
@dataclass(frozen=True)
class MountainCar(Classic):
    """Drive out of a valley.

    State: (P, B, 3) float64 = x, v, steps taken. Observation: (P, B, 2) float32 = x, v.
    Actions: 0 accelerates to the left, 2 to the right, 1 not at all.
    """

    official = "MountainCar-v0"
    kind = TaskKind.CONTROL
    inputs = 2
    outputs = 3
    horizon = HORIZON
    draws = 1
    threshold = -110.0

    def reset(self, uniforms: Tensor) -> tuple[Tensor, Tensor]:
        """Return (state, observation) of new episodes from (P, B, 1) float64 uniforms."""
        state, observation = computed(begin, uniforms)
        return state, observation

    def step(self, state: Tensor, action: Tensor) -> Step:
        """Advance every environment; one that has ended goes on by the same equations until it is reset."""
        return Step(*computed(advance, state, action))

    def act(self, output: Tensor) -> Tensor:
        """Return (P, B) int64 accelerations: the index of the largest output."""
        return greedy(output)


def begin(xp: Any, uniforms: Any) -> tuple[Any, Any]:
    """Return the first state and observation, both (P, B, ...); xp is numpy or torch."""
    x = START_LOW + (START_HIGH - START_LOW) * uniforms[..., 0]  # ~ U[-0.6, -0.4)
    state = xp.stack([x, xp.zeros_like(x), xp.zeros_like(x)], -1)
    return state, xp.asarray(state[..., :2], dtype=xp.float32)


def advance(xp: Any, state: Any, action: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Return the fields of a `Step`.

    Args:
        xp: numpy or torch, whose arrays the others are; the same equations run on both.
        state: (P, B, 3) float64.
        action: (P, B) integers.
    """
    x, v, steps = (state[..., part] for part in range(3))
    push = (xp.asarray(action, dtype=xp.float64) - 1) * FORCE
    v = xp.clip(v + (push + xp.cos(3 * x) * -GRAVITY), -MAX_SPEED, MAX_SPEED)
    x = xp.clip(x + v, LEFT, RIGHT)
    v = xp.where((x == LEFT) & (v < 0), 0.0, v)
    terminated = (x >= GOAL) & (v >= 0)
    after = xp.stack([x, v, steps + 1], -1)
    seen = xp.asarray(after[..., :2], dtype=xp.float32)
    return after, seen, -xp.ones_like(x), terminated, after[..., 2] >= HORIZON
