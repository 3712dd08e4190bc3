"""Acrobot-v1 as a batched torch environment that equals Gymnasium's own step for step.

Two links hang from a pivot; a torque of -1, 0 or 1 N m at the joint between them must swing the tip up.
With the angles θ₁ (from straight down) and θ₂ (relative to the first link), the links' masses m, lengths l,
centres of mass l_c and moments of inertia I:

    d₁ = m₁ l_c1² + m₂ (l₁² + l_c2² + 2 l₁ l_c2 cos θ₂) + I₁ + I₂
    d₂ = m₂ (l_c2² + l₁ l_c2 cos θ₂) + I₂
    φ₂ = m₂ l_c2 g cos(θ₁ + θ₂ - π/2)
    φ₁ = -m₂ l₁ l_c2 θ̇₂² sin θ₂ - 2 m₂ l₁ l_c2 θ̇₂ θ̇₁ sin θ₂ + (m₁ l_c1 + m₂ l₁) g cos(θ₁ - π/2) + φ₂
    θ̈₂ = (torque + d₂ φ₁ / d₁ - m₂ l₁ l_c2 θ̇₁² sin θ₂ - φ₂) / (m₂ l_c2² + I₂ - d₂² / d₁)
    θ̈₁ = -(d₂ θ̈₂ + φ₁) / d₁

integrated over 0.2 s by one step of the classical Runge-Kutta method; then the angles are wrapped into
[-π, π] and the velocities cut to ±4π and ±9π rad/s. Every step costs 1, but for one that ends with the tip
1 m above the pivot, -cos θ₁ - cos(θ₁ + θ₂) > 1, where the episode terminates; it is truncated after 500
steps. A step may differ from Gymnasium's in the last bits of sin and cos; swings are chaotic, so whole
trajectories may part.

Source: Sutton, Barto 2018, "Reinforcement learning", section 11.3 of the first edition; Gymnasium 1.4.0,
`envs/classic_control/acrobot.py`, whose order of operations is kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from evogen.registry import register
from evogen.tasks import Step, TaskKind
from evogen.tasks.classic import Classic
from evogen.tasks.episodes import computed
from evogen.tasks.play import greedy

GRAVITY = 9.8  # m/s²
DT = 0.2  # s
M1 = M2 = 1.0  # kg
L1 = 1.0  # m
LC1 = LC2 = 0.5  # m
I1 = I2 = 1.0  # kg m²
MAX_SPEEDS = (4 * math.pi, 9 * math.pi)  # rad/s
TURN = math.pi - -math.pi
START = 0.1  # every coordinate starts ~ U[-START, START), rounded to float32
HORIZON = 500  # steps


@register("task", "acrobot")
@dataclass(frozen=True)
class Acrobot(Classic):
    """Swing two links up by the joint between them.

    State: (P, B, 5) float64 = θ₁, θ₂, θ̇₁, θ̇₂, steps taken.
    Observation: (P, B, 6) float32 = cos θ₁, sin θ₁, cos θ₂, sin θ₂, θ̇₁, θ̇₂.
    Actions: torques of -1, 0 and 1 N m.
    """

    official = "Acrobot-v1"
    kind = TaskKind.CONTROL
    inputs = 6
    outputs = 3
    horizon = HORIZON
    draws = 4
    threshold = -100.0

    def reset(self, uniforms: Tensor) -> tuple[Tensor, Tensor]:
        """Return (state, observation) of new episodes from (P, B, 4) float64 uniforms."""
        state, observation = computed(begin, uniforms)
        return state, observation

    def step(self, state: Tensor, action: Tensor) -> Step:
        """Advance every environment; one that has ended goes on by the same equations until it is reset."""
        return Step(*computed(advance, state, action))

    def act(self, output: Tensor) -> Tensor:
        """Return (P, B) int64 torques: the index of the largest output."""
        return greedy(output)


def begin(xp: Any, uniforms: Any) -> tuple[Any, Any]:
    """Return the first state and observation, both (P, B, ...); xp is numpy or torch."""
    start = xp.asarray(-START + (START + START) * uniforms, dtype=xp.float32)  # ~ U[-START, START)
    clock = xp.zeros_like(start[..., 0])
    parts = [start[..., part] for part in range(4)]
    return xp.asarray(xp.stack([*parts, clock], -1), dtype=xp.float64), observe(xp, parts)


def observe(xp: Any, parts: Sequence[Any]) -> Any:
    """Return the (P, B, 6) float32 observation of θ₁, θ₂, θ̇₁, θ̇₂, (P, B) each."""
    first, second, *velocities = parts
    seen = [xp.cos(first), xp.sin(first), xp.cos(second), xp.sin(second), *velocities]
    return xp.asarray(xp.stack(seen, -1), dtype=xp.float32)


def advance(xp: Any, state: Any, action: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Return the fields of a `Step`.

    Args:
        xp: numpy or torch, whose arrays the others are; the same equations run on both.
        state: (P, B, 5) float64.
        action: (P, B) integers.
    """
    y = [state[..., part] for part in range(4)]
    torque, steps = action - 1.0, state[..., 4] + 1
    k1 = flow(xp, y, torque)
    k2 = flow(xp, [part + DT / 2 * k for part, k in zip(y, k1, strict=True)], torque)
    k3 = flow(xp, [part + DT / 2 * k for part, k in zip(y, k2, strict=True)], torque)
    k4 = flow(xp, [part + DT * k for part, k in zip(y, k3, strict=True)], torque)
    first, second, fast, faster = (
        part + DT / 6.0 * (a + 2 * b + 2 * c + d) for part, a, b, c, d in zip(y, k1, k2, k3, k4, strict=True)
    )
    first, second = wrapped(xp, first), wrapped(xp, second)
    fast, faster = (xp.clip(v, -most, most) for v, most in zip((fast, faster), MAX_SPEEDS, strict=True))
    parts = [first, second, fast, faster]
    terminated = -xp.cos(first) - xp.cos(second + first) > 1.0
    reward = xp.where(terminated, 0.0, -xp.ones_like(first))
    return xp.stack([*parts, steps], -1), observe(xp, parts), reward, terminated, steps >= HORIZON


def flow(xp: Any, y: Sequence[Any], torque: Any) -> tuple[Any, Any, Any, Any]:
    """Return the time derivatives of θ₁, θ₂, θ̇₁, θ̇₂, (P, B) each."""
    theta1, theta2, dtheta1, dtheta2 = y
    cos2, sin2 = xp.cos(theta2), xp.sin(theta2)
    d1 = M1 * LC1**2 + M2 * (L1**2 + LC2**2 + 2 * L1 * LC2 * cos2) + I1 + I2
    d2 = M2 * (LC2**2 + L1 * LC2 * cos2) + I2
    phi2 = M2 * LC2 * GRAVITY * xp.cos(theta1 + theta2 - math.pi / 2.0)
    phi1 = (
        -M2 * L1 * LC2 * xp.square(dtheta2) * sin2
        - 2 * M2 * L1 * LC2 * dtheta2 * dtheta1 * sin2
        + (M1 * LC1 + M2 * L1) * GRAVITY * xp.cos(theta1 - math.pi / 2)
        + phi2
    )
    ddtheta2 = (torque + d2 / d1 * phi1 - M2 * L1 * LC2 * xp.square(dtheta1) * sin2 - phi2) / (
        M2 * LC2**2 + I2 - xp.square(d2) / d1
    )
    ddtheta1 = -(d2 * ddtheta2 + phi1) / d1
    return dtheta1, dtheta2, ddtheta1, ddtheta2


def wrapped(xp: Any, angle: Any) -> Any:
    """Return an angle in [-π, π], by as few whole turns as bring it there."""
    over = xp.clip(xp.ceil((angle - math.pi) / TURN), 0.0, None)
    under = xp.clip(xp.ceil((-math.pi - angle) / TURN), 0.0, None)
    return angle - TURN * over + TURN * under
