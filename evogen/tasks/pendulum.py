"""Pendulum-v1 as a batched torch environment that equals Gymnasium's own step for step.

Swing a rod of length l = 1 m and mass m = 1 kg up and hold it there. With the angle θ (rad, 0 is upright), a
torque u within ±2 N m, g = 10 m/s² and τ = 0.05 s:

    reward = -(θ² + 0.1 θ̇² + 0.001 u²)                of the state before the step, θ taken in [-π, π)
    θ̇ ← θ̇ + (3 g / (2 l) sin θ + 3 / (m l²) u) τ      within ±8 rad/s
    θ ← θ + θ̇ τ

An episode is truncated after 200 steps. The terms in u are computed in float32, as in Gymnasium, whose
actions are; a step may differ from Gymnasium's in the last bit of the sine, its reward in that of u².

Source: Gymnasium 1.4.0, `envs/classic_control/pendulum.py`, whose order of operations is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from evogen.registry import register
from evogen.tasks import Step, TaskKind
from evogen.tasks.classic import Classic
from evogen.tasks.episodes import computed
from evogen.tasks.play import squashed

GRAVITY = 10.0  # m/s²
MASS = 1.0  # kg
LENGTH = 1.0  # m
TAU = 0.05  # s
MAX_SPEED = 8.0  # rad/s
MAX_TORQUE = 2.0  # N m
START_ANGLE, START_SPEED = math.pi, 1.0  # θ ~ U[-π, π), θ̇ ~ U[-1, 1)
HORIZON = 200  # steps


@register("task", "pendulum")
@dataclass(frozen=True)
class Pendulum(Classic):
    """Swing a rod up and hold it there.

    State: (P, B, 3) float64 = θ, θ̇, steps taken. Observation: (P, B, 3) float32 = cos θ, sin θ, θ̇.
    Action: (P, B, 1) torque in N m, within ±2.
    """

    official = "Pendulum-v1"
    kind = TaskKind.CONTINUOUS
    inputs = 3
    outputs = 1
    horizon = HORIZON
    draws = 2
    threshold = None

    def reset(self, uniforms: Tensor) -> tuple[Tensor, Tensor]:
        """Return (state, observation) of new episodes from (P, B, 2) float64 uniforms."""
        state, observation = computed(begin, uniforms)
        return state, observation

    def step(self, state: Tensor, action: Tensor) -> Step:
        """Advance every environment; one that has ended goes on by the same equations until it is reset."""
        return Step(*computed(advance, state, action))

    def act(self, output: Tensor) -> Tensor:
        """Return (P, B, 1) torques."""
        return squashed(output, -MAX_TORQUE, MAX_TORQUE)


def begin(xp: Any, uniforms: Any) -> tuple[Any, Any]:
    """Return the first state and observation, both (P, B, ...); xp is numpy or torch."""
    theta = -START_ANGLE + (START_ANGLE + START_ANGLE) * uniforms[..., 0]  # ~ U[-π, π)
    speed = -START_SPEED + (START_SPEED + START_SPEED) * uniforms[..., 1]  # ~ U[-1, 1)
    return xp.stack([theta, speed, xp.zeros_like(theta)], -1), observe(xp, theta, speed)


def observe(xp: Any, theta: Any, speed: Any) -> Any:
    """Return the (P, B, 3) float32 observation."""
    return xp.asarray(xp.stack([xp.cos(theta), xp.sin(theta), speed], -1), dtype=xp.float32)


def advance(xp: Any, state: Any, action: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Return the fields of a `Step`.

    Args:
        xp: numpy or torch, whose arrays the others are; the same equations run on both.
        state: (P, B, 3) float64.
        action: (P, B, 1) torques, rounded to float32.
    """
    theta, speed, steps = (state[..., part] for part in range(3))
    u = xp.clip(xp.asarray(action[..., 0], dtype=xp.float32), -MAX_TORQUE, MAX_TORQUE)
    upright = (theta + math.pi) % (2 * math.pi) - math.pi
    costs = xp.square(upright) + 0.1 * xp.square(speed) + 0.001 * xp.square(u)
    push = 3.0 / (MASS * LENGTH**2) * u
    speed = speed + (3 * GRAVITY / (2 * LENGTH) * xp.sin(theta) + push) * TAU
    speed = xp.clip(speed, -MAX_SPEED, MAX_SPEED)
    theta, steps = theta + speed * TAU, steps + 1
    after, truncated = xp.stack([theta, speed, steps], -1), steps >= HORIZON
    return after, observe(xp, theta, speed), -costs, xp.zeros_like(truncated), truncated
