"""Any Gymnasium environment with a vector observation and discrete or bounded real-valued actions.

One environment object an episode, stepped one after another: as fast as Gymnasium's SyncVectorEnv (30 against
32 microseconds a step of LunarLander on one core) and far slower than the batched tasks, which are the better
choice wherever one exists. An environment is seeded once and draws its later episodes from its own generator.

Source: https://gymnasium.farama.org (Towers et al. 2024). Environments of another package are found if an
entry point of `evogen.plugins` imports the module that registers them.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.phenotype.rows import rowwise
from evogen.registry import register, setting
from evogen.tasks import Fold, TaskKind, Turn
from evogen.tasks.official import mean_return
from evogen.tasks.play import greedy, squashed

EXTRAS = ("box2d", "mujoco")  # of evogen, each what the package gymnasium.envs.EXTRA needs


class Facts(NamedTuple):
    """What an environment says of itself; the bounds, one per component, are None for discrete actions."""

    inputs: int
    outputs: int
    low: tuple[float, ...] | None
    high: tuple[float, ...] | None
    horizon: int
    threshold: float | None


@register("task", "gymnasium")
@dataclass(frozen=True)
class Gymnasium:
    """Whatever the environment asks for; LunarLander and its kin need the extra `box2d`, Ant's `mujoco`."""

    id: str = setting("LunarLander-v3", doc="a Gymnasium environment: vector observation, time limit")
    episodes: int = setting(10, low=1, high=1000, doc="episodes behind each score of an agent in the search")
    report_episodes: int = setting(10, low=1, high=1000, doc="other episodes of an agent in the report")
    normalised: bool = setting(True, doc="input neurons standardise what they observe")

    def __post_init__(self) -> None:
        facts(self.id)

    @property
    def kind(self) -> TaskKind:
        """CONTROL for discrete actions, CONTINUOUS for vectors."""
        return TaskKind.CONTROL if facts(self.id).low is None else TaskKind.CONTINUOUS

    @property
    def reported(self) -> str:
        """The same environment with seeds that the search never saw."""
        return f"Gymnasium's {self.id}, {self.report_episodes} fresh episodes an agent"

    @property
    def inputs(self) -> int:
        """Components of an observation."""
        return facts(self.id).inputs

    @property
    def outputs(self) -> int:
        """Discrete actions, or components of an action."""
        return facts(self.id).outputs

    @property
    def horizon(self) -> int:
        """Steps after which the environment truncates an episode."""
        return facts(self.id).horizon

    @property
    def threshold(self) -> float | None:
        """The mean return from which the environment counts as solved, where it declares one."""
        return facts(self.id).threshold

    def start(
        self, keys: Sequence[Key], copies: int, device: torch.device, *, again: bool = True
    ) -> GymnasiumEpisodes:
        """Return running episodes, B = copies a row; copy b of row p is seeded by keys[p].child(b)."""
        return GymnasiumEpisodes(self.id, keys, copies, device, again=again)

    def act(self, output: Tensor) -> Tensor:
        """Return (P, B) int64 actions, or (P, B, outputs) within the environment's bounds."""
        _, _, low, high, _, _ = facts(self.id)
        if low is None or high is None:
            return greedy(output)
        return squashed(output, output.new_tensor(low), output.new_tensor(high))

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) mean returns; the seeds of SEARCH and REPORT differ."""
        return mean_return(
            self,
            self.id,
            agents,
            keys=keys,
            fold=fold,
            episodes=self.episodes,
            report_episodes=self.report_episodes,
        )


class _Episode:
    """An environment, what it shows now (inputs,) float32, and whether its only episode is over."""

    def __init__(self, env_id: str, seed: int) -> None:
        self.env: Any = gymnasium.make(env_id, disable_env_checker=True)
        self.stopped = False
        self.begin(seed)

    def begin(self, seed: int | None = None) -> None:
        """Begin an episode."""
        self.seen = np.array(self.env.reset(seed=seed)[0], dtype=np.float32)


@rowwise(shared=["_low", "_high"])
class GymnasiumEpisodes:
    """P x B running episodes of one environment; see `evogen.tasks.Episodes`."""

    def __init__(
        self, env_id: str, keys: Sequence[Key], copies: int, device: torch.device, *, again: bool = True
    ) -> None:
        """Make P x copies environments; see `evogen.tasks.ControlTask.start`."""
        _, _, self._low, self._high, _, _ = facts(env_id)
        self._device, self._again = device, again
        self._rows = [[_Episode(env_id, key.child(copy).integer()) for copy in range(copies)] for key in keys]

    @property
    def observation(self) -> Tensor:
        """(P, B, inputs) float32, of the episodes that run now."""
        return self._tensor(np.array([one.seen for one in self._each()]))

    def step(self, action: Tensor) -> Turn:
        """Advance every episode by one step and begin anew those that ended."""
        episodes = self._each()
        actions = self._allowed(action.flatten(0, 1).cpu().numpy())
        reward = np.zeros(len(actions), dtype=np.float32)
        terminated, truncated = np.zeros((2, len(actions)), dtype=bool)
        after = np.array([one.seen for one in episodes])
        for at, one in enumerate(episodes):
            if one.stopped:
                continue
            after[at], reward[at], terminated[at], truncated[at], _ = one.env.step(actions[at])
            one.seen = after[at].copy()
            if terminated[at] or truncated[at]:
                one.stopped = not self._again
                if self._again:
                    one.begin()
        return Turn(*(self._tensor(part) for part in (reward, terminated, truncated, after)))

    def _allowed(self, actions: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return actions that every environment can take, whatever a broken row wants."""
        if self._low is None:
            return actions
        allowed: np.ndarray[Any, Any] = np.clip(np.nan_to_num(actions), self._low, self._high)
        return allowed.astype(self._rows[0][0].env.action_space.dtype)

    def _tensor(self, flat: np.ndarray[Any, Any]) -> Tensor:
        shape = (len(self._rows), len(self._rows[0]), *flat.shape[1:])
        return torch.from_numpy(flat.reshape(shape)).to(self._device)

    def _each(self) -> list[_Episode]:
        return [one for row in self._rows for one in row]  # P B


@cache
def facts(env_id: str) -> Facts:
    """Return what an environment says of itself; makes it once.

    Raises:
        ValueError: there is none, a package is missing, or it is not what a network can act in.
    """
    with _made(env_id) as env:
        seen, acted, spec = env.observation_space, env.action_space, env.spec
    where = f"environment '{env_id}'"
    if not isinstance(seen, Box) or len(seen.shape) != 1:
        raise ValueError(f"{where} shows {seen}, wanted a vector (Box of one axis): name another `id`")
    if spec.max_episode_steps is None:
        raise ValueError(
            f"{where} has no time limit: register it with max_episode_steps, or name another `id`"
        )
    threshold = None if spec.reward_threshold is None else float(spec.reward_threshold)
    limits = int(spec.max_episode_steps), threshold
    if isinstance(acted, Discrete) and acted.start == 0:
        return Facts(seen.shape[0], int(acted.n), None, None, *limits)
    if isinstance(acted, Box) and len(acted.shape) == 1 and acted.is_bounded():
        low, high = (tuple(float(end) for end in ends) for ends in (acted.low, acted.high))
        return Facts(seen.shape[0], acted.shape[0], low, high, *limits)
    raise ValueError(
        f"{where} takes {acted}, wanted Discrete actions from 0 or a bounded vector (Box): name another `id`"
    )


def _made(env_id: str) -> closing[Any]:
    if env_id not in gymnasium.registry:  # nor MODULE:ID, which would run a module that a file names
        close = difflib.get_close_matches(env_id, gymnasium.registry, n=1, cutoff=0.5)
        hint = f"; did you mean '{close[0]}'?" if close else " (https://gymnasium.farama.org lists all)"
        raise ValueError(f"no environment of Gymnasium has the id '{env_id}'{hint}")
    try:
        with warnings.catch_warnings():
            # Box2D warns while it is imported; where warnings are errors, that kills the process.
            warnings.simplefilter("ignore", DeprecationWarning)
            return closing(gymnasium.make(env_id, disable_env_checker=True))
    except (gymnasium.error.Error, ImportError) as error:
        entry, said = str(gymnasium.registry[env_id].entry_point), str(error).splitlines()[0]
        wanted = [f'pip install "evogen[{extra}]"' for extra in EXTRAS if f"gymnasium.envs.{extra}." in entry]
        todo = wanted[0] if wanted else said
        raise ValueError(f"environment '{env_id}' cannot be made: {todo}") from error
