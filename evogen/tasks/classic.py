"""What batched copies of Gymnasium's classic control environments share: settings, episodes and scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.registry import setting
from evogen.tasks import Fold, Step, TaskKind
from evogen.tasks.episodes import BatchedEpisodes
from evogen.tasks.official import mean_return


@dataclass(frozen=True)
class Classic(ABC):
    """A batched copy of one of Gymnasium's environments.

    Attributes:
        official: Gymnasium's id of it.
        draws: uniform numbers that one reset consumes.
    """

    episodes: int = setting(10, low=1, high=1000, doc="episodes behind each score of an agent in the search")
    report_episodes: int = setting(10, low=1, high=1000, doc="Gymnasium episodes of an agent in the report")
    normalised: bool = setting(True, doc="input neurons standardise what they observe")

    official: ClassVar[str]
    kind: ClassVar[TaskKind]
    inputs: ClassVar[int]
    outputs: ClassVar[int]
    draws: ClassVar[int]

    @property
    @abstractmethod
    def horizon(self) -> int:
        """Steps after which an episode is truncated."""

    @property
    @abstractmethod
    def threshold(self) -> float | None:
        """The mean return from which the environment counts as solved."""

    @property
    def made_with(self) -> Mapping[str, Any]:
        """What `gymnasium.make` is told beside the id, to make an environment of this horizon."""
        return {}

    @property
    def reported(self) -> str:
        """The reference environment, with starts that the search never saw."""
        return f"Gymnasium's {self.official}, {self.report_episodes} fresh episodes an agent"

    @abstractmethod
    def reset(self, uniforms: Tensor) -> tuple[Tensor, Tensor]:
        """Return (state, observation) of new episodes from (P, B, draws) float64 uniforms."""

    @abstractmethod
    def step(self, state: Tensor, action: Tensor) -> Step:
        """Advance every environment; one that has ended goes on by the same equations until it is reset."""

    @abstractmethod
    def act(self, output: Tensor) -> Tensor:
        """Return the environment's action for (P, B, outputs) raw network outputs."""

    def start(
        self, keys: Sequence[Key], copies: int, device: torch.device, *, again: bool = True
    ) -> BatchedEpisodes:
        """Return running episodes, B = copies a row."""
        return BatchedEpisodes(self, keys, copies, device, again=again)

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) mean returns; REPORT plays Gymnasium's own environment, from other starts."""
        return mean_return(
            self,
            self.official,
            agents,
            keys=keys,
            fold=fold,
            episodes=self.episodes,
            report_episodes=self.report_episodes,
            made_with=self.made_with,
        )
