"""The swimming circuit of Bhattasali, Zador, Engel 2022, written down in numpy from its equations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch


def graded(x):
    return np.clip(x, 0.0, 1.0)


def torques(seen, joints: int, weights: Sequence[float]):
    """Return (..., J) torques at (..., 5 (J + 1)) observations of a swimmer.

    Bd_0 = g(osc O_d), Bd_i = g(prop d_{i-1}), and so Bv; Md = g(ipsi Bd + contra Bv), Mv the other way round;
    torque = Md - Mv.

    Args:
        seen: halves d, v of the joints, O_d, O_v, and velocities, which the circuit does not feel.
        joints: J.
        weights: prop, osc, ipsi, contra.
    """
    prop, osc, ipsi, contra = weights
    d, v, clock = (seen[..., :joints], seen[..., joints : 2 * joints], seen[..., 2 * joints : 2 * joints + 2])
    Bd = graded(np.concatenate([osc * clock[..., :1], prop * d[..., :-1]], -1))
    Bv = graded(np.concatenate([osc * clock[..., 1:], prop * v[..., :-1]], -1))
    return graded(ipsi * Bd + contra * Bv) - graded(ipsi * Bv + contra * Bd)


@dataclass(frozen=True)
class Worm:
    """An agent that acts by these torques; see `evogen.phenotype.Network`."""

    joints: int
    weights: Sequence[float]
    rows = 1
    device = torch.device("cpu")
    dtype = torch.float64

    def start(self, batch: int) -> None:
        return None

    def step(self, observation, state):
        return torch.from_numpy(torques(observation.numpy(), self.joints, self.weights)), state

    live = step
