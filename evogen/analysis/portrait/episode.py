"""Episode: one life of a born agent in a control task, step by step, and pictures of it where there are any.

A task that stands in for one of Gymnasium's environments is recorded in that environment, as on the report's
fold. Pictures are made afterwards: the same actions are played again from the same start, which costs a few
renderings, however long the episode is.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol

import gymnasium
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network, State
from evogen.tasks import ControlTask, Episodes
from evogen.tasks.classic import Classic
from evogen.tasks.gymnasium import Gymnasium

STEPS = 2000
PICTURES = 8
WIDTH = 200  # pixels of a picture, at most
DRAWABLE = ("gymnasium.envs.classic_control", "gymnasium.envs.box2d")  # these need no display
SDL = {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
Array = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]


class Trace(NamedTuple):
    """The activity of one neuron, (T,)."""

    name: str
    values: Array


class Change(NamedTuple):
    """How far plastic weights from one level to another are from those at birth: (T,) root mean square.

    `born` is the root mean square of the same weights at birth.
    """

    pre: int
    post: int
    rule: str
    values: Array
    born: float


@dataclass(frozen=True)
class Episode:
    """T steps.

    Attributes:
        world: the environment's id, or the task's name.
        observations: (T, inputs).
        actions: (T,) of a choice, or (T, A).
        rewards: (T,).
        hidden, output: activity of neurons by level.
        changes: one per plastic link.
        end: `terminated`, `truncated`, or `cut` after STEPS.
        pictures: (step, (height, width, 3)).
        why: there are no pictures; empty if there are.
    """

    world: str
    observations: Array
    actions: npt.NDArray[Any]
    rewards: Array
    hidden: tuple[Trace, ...]
    output: tuple[Trace, ...]
    changes: tuple[Change, ...]
    end: str
    pictures: tuple[tuple[int, Picture], ...] = ()
    why: str = ""

    @property
    def total(self) -> float:
        """The return."""
        return float(self.rewards.sum())


class _World(Protocol):
    def observe(self) -> Tensor: ...

    def act(self, action: Tensor) -> tuple[float, bool, bool]: ...


def record(task: ControlTask, agent: Network, key: Key, names: Sequence[Sequence[str]]) -> Episode:
    """Let one agent live one episode without exploring.

    Args:
        task: where.
        agent: one row.
        key: of the episode. Where the task stands in for one of Gymnasium's environments, the rewards sum to
            the agent's score on REPORT with this key and one episode.
        names: of the neurons of each level.
    """
    env_id = _official(task)
    if env_id is None:
        started = task.start([key.child("episodes")], 1, agent.device, again=False)
        return _lived(task, agent, _Batched(started), names, type(task).__name__)
    seed = key.child("report", 0).integer()
    with closing(gymnasium.make(env_id, **_made_with(task))) as env:
        found = _lived(task, agent, _Gymnasium(env, seed), names, env_id)
    return _pictured(found, env_id, seed)


def _official(task: ControlTask) -> str | None:
    match task:
        case Classic():
            return task.official
        case Gymnasium():
            return task.id
        case _:
            return None


def _made_with(task: ControlTask) -> Mapping[str, Any]:
    return task.made_with if isinstance(task, Classic) else {}


class _Batched:
    def __init__(self, episodes: Episodes) -> None:
        self._episodes = episodes

    def observe(self) -> Tensor:
        return self._episodes.observation  # (1, 1, inputs)

    def act(self, action: Tensor) -> tuple[float, bool, bool]:
        turn = self._episodes.step(action)
        return float(turn.reward), bool(turn.terminated), bool(turn.truncated)


class _Gymnasium:
    def __init__(self, env: Any, seed: int) -> None:
        self._env = env
        self._seen = env.reset(seed=seed)[0]

    def observe(self) -> Tensor:
        return torch.as_tensor(self._seen).view(1, 1, -1)

    def act(self, action: Tensor) -> tuple[float, bool, bool]:
        taken = action[0, 0].cpu().numpy().astype(self._env.action_space.dtype)
        self._seen, reward, terminated, truncated, _ = self._env.step(taken)
        return float(reward), bool(terminated), bool(truncated)


@torch.no_grad()
def _lived(
    task: ControlTask, agent: Network, world: _World, names: Sequence[Sequence[str]], title: str
) -> Episode:
    memory, end = agent.start(1), "cut"
    observations, actions, rewards, changes = [], [], [], []
    activity: list[list[Tensor]] = [[] for _ in names]
    for _ in range(min(task.horizon, STEPS)):
        observation = world.observe().to(agent.device, agent.dtype)
        for found, level in zip(activity, agent.activity(observation, memory), strict=True):
            found.append(level[0, 0])
        output, memory = agent.step(observation, memory)
        action = task.act(output)
        reward, terminated, truncated = world.act(action)
        observations.append(observation[0, 0].double().cpu().numpy())
        actions.append(action[0, 0].cpu().numpy())
        rewards.append(reward if bool(output.isfinite().all()) else float("nan"))
        changes.append(_changes(agent, memory))
        if terminated or truncated or not np.isfinite(rewards[-1]):
            end = "terminated" if terminated else "truncated" if truncated else "not finite"
            break
    traces = [
        [
            Trace(name, line)
            for name, line in zip(own, torch.stack(found, 1).double().cpu().numpy(), strict=False)
        ]
        for own, found in zip(names, activity, strict=True)
    ]
    return Episode(
        title,
        np.stack(observations),
        np.stack(actions),
        np.array(rewards),
        tuple(trace for level in traces[1:-1] for trace in level),
        tuple(traces[-1]),
        _plastic(agent, np.array(changes)),
        end,
    )


def _changes(agent: Network, memory: State) -> list[float]:
    """Return the root mean square of each plastic link's fast weights."""
    found = []
    for number, link in enumerate(agent.layout.links):
        for rule in link.rules:
            mask = agent.traits.rule[f"{number}.{rule}"]
            fast = memory[f"{number}.{rule}"]
            found.append(float((fast.square().sum() / mask.sum().clamp_min(1)).sqrt()))
    return found


def _plastic(agent: Network, changes: Array) -> tuple[Change, ...]:
    found, at = [], 0
    for number, (link, W) in enumerate(zip(agent.layout.links, agent.weights, strict=True)):
        for rule in link.rules:
            mask = agent.traits.rule[f"{number}.{rule}"][:, 0]
            born = float(((W * mask).square().sum() / mask.sum().clamp_min(1)).sqrt())
            if bool(mask.any()):
                found.append(Change(link.pre, link.post, rule, changes[:, at], born))
            at += 1
    return tuple(found)


def _pictured(found: Episode, env_id: str, seed: int) -> Episode:
    if not str(gymnasium.spec(env_id).entry_point).startswith(DRAWABLE):
        return replace(found, why=f"{env_id} is not drawn here")
    if find_spec("pygame") is None:
        return replace(found, why='pictures need pygame: pip install "gymnasium[classic-control]"')
    steps = sorted({round(step) for step in np.linspace(0, len(found.rewards) - 1, PICTURES)})
    pictures, seen = [], None
    with _headless(), closing(gymnasium.make(env_id, render_mode="rgb_array")) as env:
        seen = env.reset(seed=seed)[0]
        for step, action in enumerate(found.actions):
            if step in steps:
                pictures.append((step, _small(np.asarray(env.render()))))
            if step < steps[-1]:
                seen = env.step(action.astype(env.action_space.dtype))[0]
    if not np.allclose(seen, found.observations[-1], rtol=1e-6, equal_nan=True):
        return replace(found, why=f"{env_id} goes another way when the same actions are played again")
    return replace(found, pictures=tuple(pictures))


@contextmanager
def _headless() -> Iterator[None]:
    """Let SDL look for no screen and no sound, and pygame not warn while it is imported."""
    before = {name: os.environ.get(name) for name in SDL}
    os.environ.update(SDL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _small(image: Picture) -> Picture:
    """Return a picture of WIDTH pixels or less: each one the mean of a square."""
    by = -(-image.shape[1] // WIDTH)
    height, width = (size // by for size in image.shape[:2])
    cut = image[: height * by, : width * by].reshape(height, by, width, by, 3)
    return np.asarray(np.rint(cut.mean((1, 3))).astype(np.uint8))
