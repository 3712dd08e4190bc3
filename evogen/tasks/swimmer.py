"""A swimming chain of links that equals dm_control's swimmer to the bit, at the speed of MuJoCo alone.

N links of 10 cm in a viscous fluid, N - 1 hinges with motors. The reward of a control step of 0.03 s (15
steps of 2 ms) is clip(v / 0.1, 0, 1), v the head's forward speed in m/s; an episode is truncated after 1,000
control steps (dm_control's 30 s), so that 1,000 is the most there is. It starts at rest with the head turned
by an angle ~ U[-pi, pi) and every joint ~ U[-2 pi / N, 2 pi / N).

What an agent sees, with J = N - 1 joints and q = clip(joint / (2 pi / N), -1, 1), is made for the circuits
of worms as well as for any other network:

    d = max(q, 0), v = max(-q, 0)     J numbers each: how far each joint is bent to either side
    O_d, O_v                          a clock: 1, 0 in the first half of its period, 0, 1 in the second
    x, y, z of every link             3 N numbers: velocity in m/s along and across, and rotation in rad/s

The model is that of dm_control's suite without what can only be seen (Tassa et al. 2018, "DeepMind Control
Suite", https://arxiv.org/abs/1801.00690, `suite/swimmer.py`); the reward, the scaling of joints and the clock
of 60 steps are those of the swim task of Bhattasali, Zador, Engel 2022 (https://arxiv.org/abs/2201.05242).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.registry import register, setting
from evogen.tasks import Fold, Step, TaskKind
from evogen.tasks.episodes import BatchedEpisodes
from evogen.tasks.play import play

SUBSTEPS = 15  # of 2 ms in a control step
SPEED = 0.1  # m/s, from which the reward is 1

WORLD = """
<mujoco model="swimmer">
  <option timestep="0.002" density="3000"> <flag contact="disable"/> </option>
  <default>
    <joint type="hinge" pos="0 -.05 0" axis="0 0 1" limited="true"
           solreflimit=".05 1" solimplimit="0 .8 .1" armature="1e-6"/>
    <geom type="box" size=".001 .05 .01" mass=".01"/>
    <motor gear="5e-4" ctrllimited="true" ctrlrange="-1 1"/>
  </default>
  <worldbody>
    <body pos="0 0 .05">
      <joint type="slide" axis="1 0 0" limited="false" armature="0"/>
      <joint type="slide" axis="0 1 0" limited="false" armature="0"/>
      <joint limited="false" armature="0"/>
      <geom/> <site name="site"/>
      {links}
    </body>
  </worldbody>
  <actuator> {motors} </actuator>
  <sensor> <velocimeter site="site"/> <gyro site="site"/> {sensors} </sensor>
</mujoco>
"""


@register("task", "swimmer")
@dataclass(frozen=True)
class Swimmer:
    """Swim forward with a chain of links; needs the extra `mujoco`.

    State: (P, B, 3 (N + 2) + 1) float64 = positions, speeds and last accelerations of x, y, the head's angle
    and the joints, then steps taken. Observation: (P, B, 5 N) float32. Action: (P, B, N - 1) torques within
    ±1, to which raw outputs are clipped.
    """

    links: int = setting(6, low=3, high=30, doc="links of the chain, one more than its joints")
    period: int = setting(60, low=2, high=1000, doc="control steps of one turn of the clock")
    steps: int = setting(1000, low=1, high=100_000, doc="control steps of an episode")
    episodes: int = setting(4, low=1, high=1000, doc="episodes behind each score of an agent in the search")
    report_episodes: int = setting(10, low=1, high=1000, doc="other episodes of an agent in the report")
    normalised: bool = setting(False, doc="input neurons standardise what they observe")

    kind = TaskKind.CONTINUOUS
    threshold = None

    def __post_init__(self) -> None:
        if find_spec("mujoco") is None:
            raise ValueError("the task 'swimmer' needs the package mujoco: pip install \"evogen[mujoco]\"")

    @property
    def reported(self) -> str:
        """The same task with starts that the search never saw."""
        return f"the swimmer of {self.links} links, {self.report_episodes} fresh episodes an agent"

    @property
    def inputs(self) -> int:
        """Halves of the joints, halves of the clock, velocities."""
        return 2 * self.outputs + 2 + 3 * self.links

    @property
    def outputs(self) -> int:
        """Joints."""
        return self.links - 1

    @property
    def horizon(self) -> int:
        """Control steps after which an episode is truncated."""
        return self.steps

    @property
    def draws(self) -> int:
        """The head's angle and the joints'."""
        return self.links

    def reset(self, uniforms: Tensor) -> tuple[Tensor, Tensor]:
        """Return (state, observation) of new episodes from (P, B, N) float64 uniforms."""
        angles = (2 * uniforms - 1) * uniforms.new_tensor([math.pi] + self.outputs * [self._limit])
        free = angles.shape[-1] + 2
        state = angles.new_zeros(*angles.shape[:-1], 3 * free + 1)
        state[..., 2:free] = angles
        still = torch.zeros(*angles.shape[:-1], self.links, 3, dtype=state.dtype, device=state.device)
        return state, self._observed(state, still)

    def step(self, state: Tensor, action: Tensor) -> Step:
        """Advance every environment; one that has ended goes on by the same equations until it is reset."""
        before = state.detach().cpu().double().numpy()
        flat = before.reshape(-1, before.shape[-1])
        torques = np.clip(np.nan_to_num(action.detach().cpu().double().numpy()), -1.0, 1.0)
        moved, velocity = _advance(self.links, flat, torques.reshape(len(flat), -1))
        after = torch.from_numpy(moved.reshape(before.shape)).to(state.device)
        felt = torch.from_numpy(velocity.reshape(*before.shape[:-1], self.links, 3)).to(state.device)
        reward = (-felt[..., 0, 1] / SPEED).clamp(0.0, 1.0)
        truncated = after[..., -1] >= self.steps
        return Step(after, self._observed(after, felt), reward, torch.zeros_like(truncated), truncated)

    def act(self, output: Tensor) -> Tensor:
        """Return (P, B, N - 1) torques: the output itself, clipped."""
        return output.clamp(-1.0, 1.0)

    def start(
        self, keys: Sequence[Key], copies: int, device: torch.device, *, again: bool = True
    ) -> BatchedEpisodes:
        """Return running episodes, B = copies a row."""
        return BatchedEpisodes(self, keys, copies, device, again=again)

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) mean returns; the starts of SEARCH and REPORT differ."""
        episodes = self.episodes if fold is Fold.SEARCH else self.report_episodes
        return play(self, agents, keys=[key.child(fold.value) for key in keys], episodes=episodes).mean(-1)

    @property
    def _limit(self) -> float:
        return 2 * math.pi / self.links  # rad

    def _observed(self, state: Tensor, velocity: Tensor) -> Tensor:
        """Return the (P, B, 5 N) float32 observation.

        Args:
            state: (P, B, ...).
            velocity: (P, B, N, 3) in m/s, m/s and rad/s, in the frame of each link.
        """
        bent = (state[..., 3 : 3 + self.outputs] / self._limit).clamp(-1.0, 1.0)
        first = (state[..., -1:] % self.period < self.period / 2).to(state.dtype)
        seen = [bent.clamp_min(0.0), (-bent).clamp_min(0.0), first, 1 - first, velocity.flatten(-2)]
        return torch.cat(seen, -1).float()


class _World(NamedTuple):
    """A model with room for one simulation, and views of what a state is made of.

    Nothing of one call is left for the next: whoever steps it writes all of the state first.
    """

    model: Any
    data: Any
    state: tuple[Any, Any, Any]  # positions, speeds, and the accelerations that the solver begins from
    torques: Any
    sensors: Any


@cache
def _world(links: int) -> _World:
    import mujoco

    model = mujoco.MjModel.from_xml_string(model_text(links))
    data = mujoco.MjData(model)
    state = data.qpos, data.qvel, data.qacc_warmstart
    return _World(model, data, state, data.ctrl, data.sensordata)


def model_text(links: int) -> str:
    """Return the MJCF model of a chain."""
    limit = 360.0 / links  # degrees
    body = '<body pos="0 .1 0"> <geom/> <site name="site_{0}"/> <joint name="joint_{0}" range="{1} {2}"/>'
    joints = range(links - 1)
    return WORLD.format(
        links="".join(body.format(at, -limit, limit) for at in joints) + (links - 1) * "</body>",
        motors="".join(f'<motor joint="joint_{at}"/>' for at in joints),
        sensors="".join(f'<velocimeter site="site_{at}"/><gyro site="site_{at}"/>' for at in joints),
    )


def _advance(
    links: int, states: np.ndarray[Any, Any], torques: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Move environments by one control step, one after another.

    Args:
        links: N.
        states: (E, 3 (N + 2) + 1).
        torques: (E, N - 1).

    Returns:
        The states after it, and (E, N, 3) velocities of the links.
    """
    import mujoco

    model, data, (q, v, w), ctrl, sensors = _world(links)
    free, asleep = len(q), int(mujoco.mjtDisableBit.mjDSBL_SENSOR)
    moved, velocity = np.empty_like(states), np.empty((len(states), links, 3))
    moved[:, -1] = states[:, -1] + 1
    for at, state in enumerate(states):
        q[:], v[:], w[:] = state[:free], state[free : 2 * free], state[2 * free : -1]
        ctrl[:] = torques[at]
        model.opt.disableflags |= asleep  # nobody reads the sensors of the steps in between
        mujoco.mj_step(model, data, SUBSTEPS)
        model.opt.disableflags &= ~asleep
        mujoco.mj_step1(model, data)
        moved[at, :free], moved[at, free : 2 * free], moved[at, 2 * free : -1] = q, v, w
        velocity[at] = sensors.reshape(links, 6)[:, (0, 1, 5)]
    return moved, velocity
