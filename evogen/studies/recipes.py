"""Recipes: how long and with which settings each task is trained, and how much of it a study does.

The reference's settings of DQN are those of its paper's table (arXiv 2402.07242); of the three learning rates
that it tried on every task, the one with which it reports its best network (39 genes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from evogen.learning import Learner
from evogen.learning.distill import Distill
from evogen.learning.dqn import DQN
from evogen.learning.ppo import PPO
from evogen.learning.snes import SNES
from evogen.registry import find
from evogen.studies.regimes import BIOLOGICAL, REFERENCE, SPARSE, Regime
from evogen.tasks import ControlTask

HIDDEN, TRANSMITTERS = 128, 3  # as the reference's


@dataclass(frozen=True)
class Effort:
    """How much of a study is done.

    Attributes:
        seeds: training seeds of a cell.
        agents: born of each of them in each regime.
        episodes: behind the score of each agent.
        average_episodes: behind the score of the average network.
        part: of the environment steps of the recipe.
    """

    seeds: int = 10
    agents: int = 100
    episodes: int = 10
    average_episodes: int = 100
    part: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """One task: the registered task and its settings, learners, and regimes of the final score.

    `dqn` is the reference's learner, one environment step after another: None where this would take hours.
    """

    title: str
    task: str
    settings: Mapping[str, Any]
    ppo: PPO
    dqn: DQN | None = None
    regimes: tuple[Regime, ...] = (REFERENCE, BIOLOGICAL)

    def play(self, episodes: int) -> ControlTask:
        """Return the task with so many episodes behind a score, on either fold.

        Raises:
            ValueError: a package that the environment needs is missing.
        """
        made: ControlTask = find("task", self.task)(
            episodes=episodes, report_episodes=episodes, **self.settings
        )
        return made

    def learner(self, name: str, part: float) -> Learner:
        """Return a learner; all spend the same environment steps, but for `distill`."""
        ppo = replace(self.ppo, iterations=max(1, round(self.ppo.iterations * part)))
        steps = ppo.iterations * ppo.environments * ppo.horizon
        pupil = replace(PUPIL, iterations=max(1, round(PUPIL.iterations * part)))
        learners: dict[str, Learner] = {"ppo": ppo, "snes": SNES(steps=steps), "distill": pupil}
        if self.dqn is not None:
            learners["dqn"] = replace(self.dqn, steps=steps)
        return learners[name]


PUPIL = Distill(
    iterations=100,
    environments=16,
    horizon=128,
    epochs=4,
    minibatches=8,
    learning_rate=0.01,
    temperature=1.0,
    clip=0.5,
)
_SHORT = PPO(
    iterations=244,
    environments=8,
    horizon=128,
    epochs=4,
    minibatches=4,
    learning_rate=0.01,
    gamma=0.99,
    gae_lambda=0.95,
    clip_range=0.2,
    entropy=0.0,
    critic=32,
    clip=0.5,
)
_LONG = replace(_SHORT, iterations=240, environments=16, horizon=256, minibatches=8, learning_rate=0.005)

RECIPES: Mapping[str, Recipe] = {
    "cartpole": Recipe(
        "CartPole-v1",
        "cartpole",
        {},
        _SHORT,
        DQN(
            environments=1,
            learning_rate=3e-4,
            batch=64,
            buffer=100_000,
            starts=1000,
            gamma=0.99,
            target_every=10,
            train_every=256,
            gradient_steps=128,
            epsilon_fraction=0.16,
            epsilon_final=0.04,
        ),
        (REFERENCE, BIOLOGICAL, SPARSE),
    ),
    "mountain-car": Recipe(
        "MountainCar-v0", "mountain-car", {}, replace(_LONG, gamma=0.995, gae_lambda=0.98)
    ),
    "lunar-lander": Recipe(
        "LunarLander-v3",
        "gymnasium",
        {"id": "LunarLander-v3"},
        replace(_LONG, minibatches=16, gamma=0.995, entropy=0.003),
    ),
    "acrobot": Recipe("Acrobot-v1", "acrobot", {}, _LONG),
}
