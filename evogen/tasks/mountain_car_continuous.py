"""MountainCarContinuous-v0 as a batched torch environment that equals Gymnasium's own step for step.

The car of `mountain_car` with an engine of any force f within ±1:

    v ← v + (0.0015 f - 0.0025 cos(3 x))              within ±0.07
    x ← x + v                                         within -1.2 and 0.6; the left wall takes all of v < 0

A step costs 0.1 f². An episode terminates at x >= 0.45 with v >= 0, which pays 100, and is truncated after
999 steps. Gymnasium's x and v are float64 at the start and float32 from the first step on, and so is what it
computes of them, but for the cosine. Here each operation is rounded to float32. For forces within ±1 this
gives the same bits, unless the last bit of a cosine decides a rounding.

Source: Moore 1990, "Efficient memory-based learning for robot control" (PhD thesis, Cambridge); Gymnasium
1.4.0, `envs/classic_control/continuous_mountain_car.py`, whose order of operations is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from evogen.registry import register
from evogen.tasks import Step, TaskKind
from evogen.tasks.classic import Classic
from evogen.tasks.episodes import computed
from evogen.tasks.play import squashed

LEFT, RIGHT, GOAL = (float(np.float32(x)) for x in (-1.2, 0.6, 0.45))  # m
MAX_SPEED = float(np.float32(0.07))  # m a step
POWER = float(np.float32(0.0015))  # m a step, each step
GRAVITY = 0.0025
START_LOW, START_HIGH = -0.6, -0.4  # m
HORIZON = 999  # steps


@register("task", "mountain-car-continuous")
@dataclass(frozen=True)
class MountainCarContinuous(Classic):
    """Drive out of a valley with as little force as possible.

    State: (P, B, 3) float64 = x, v, steps taken. Observation: (P, B, 2) float32 = x, v.
    Action: (P, B, 1) force, within ±1.
    """

    official = "MountainCarContinuous-v0"
    kind = TaskKind.CONTINUOUS
    inputs = 2
    outputs = 1
    horizon = HORIZON
    draws = 1
    threshold = 90.0

    def reset(self, uniforms: Tensor) -> tuple[Tensor, Tensor]:
        """Return (state, observation) of new episodes from (P, B, 1) float64 uniforms."""
        state, observation = computed(begin, uniforms)
        return state, observation

    def step(self, state: Tensor, action: Tensor) -> Step:
        """Advance every environment; one that has ended goes on by the same equations until it is reset."""
        return Step(*computed(advance, state, action))

    def act(self, output: Tensor) -> Tensor:
        """Return (P, B, 1) forces."""
        return squashed(output, -1.0, 1.0)


def begin(xp: Any, uniforms: Any) -> tuple[Any, Any]:
    """Return the first state and observation, both (P, B, ...); xp is numpy or torch."""
    x = START_LOW + (START_HIGH - START_LOW) * uniforms[..., 0]  # ~ U[-0.6, -0.4)
    state = xp.stack([x, xp.zeros_like(x), xp.zeros_like(x)], -1)
    return state, xp.asarray(state[..., :2], dtype=xp.float32)


def rounded(xp: Any, numbers: Any) -> Any:
    """Return the nearest float32 numbers, in float64."""
    return xp.asarray(xp.asarray(numbers, dtype=xp.float32), dtype=xp.float64)


def advance(xp: Any, state: Any, action: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Return the fields of a `Step`.

    Args:
        xp: numpy or torch, whose arrays the others are; the same equations run on both.
        state: (P, B, 3) float64.
        action: (P, B, 1) forces, rounded to float32.
    """
    x, v, steps = (state[..., part] for part in range(3))
    wanted = rounded(xp, action[..., 0])
    force = xp.clip(wanted, -1.0, 1.0)
    angle = xp.where(steps > 0, rounded(xp, 3 * x), 3 * x)
    v = rounded(xp, v + rounded(xp, rounded(xp, force * POWER) - rounded(xp, GRAVITY * xp.cos(angle))))
    v = xp.clip(v, -MAX_SPEED, MAX_SPEED)
    x = xp.clip(rounded(xp, x + v), LEFT, RIGHT)
    v = xp.where((x == LEFT) & (v < 0), 0.0, v)
    terminated = (x >= GOAL) & (v >= 0)
    reward = 100.0 * terminated - xp.square(wanted) * 0.1
    after = xp.stack([x, v, steps + 1], -1)
    seen = xp.asarray(after[..., :2], dtype=xp.float32)
    return after, seen, reward, terminated, after[..., 2] >= HORIZON
