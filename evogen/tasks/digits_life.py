"""Learning to read digits within one life, without a gradient.

An agent is shown `lessons` training images one after another, each with its label as teacher: the one-hot
target stands in for the output's activity in the local plasticity rule. Then it is questioned with the fast
weights of its last lesson; no question changes them. An agent whose weights stay as they were born has had no
way to learn which output is which class; unless evolution wired it so, it scores chance, 0.1.

Source of the images and folds: `evogen.tasks.digits`. Teacher forcing of a local rule as in Hebb-rule
classifiers, e.g. Najarro, Risi 2020 (https://arxiv.org/abs/2007.02686) for rules found by evolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.registry import register, setting
from evogen.tasks import Fold, TaskKind
from evogen.tasks.digits import CLASSES, PIXELS, SCORED_ON, Digits
from evogen.tasks.play import hits


@register("task", "digits-life")
@dataclass(frozen=True)
class DigitsLife:
    """Learn digits from labelled lessons by plasticity alone."""

    lessons: int = setting(200, low=1, high=700, doc="labelled training images an agent lives through")
    lives: int = setting(4, low=1, high=64, doc="parallel lives of an agent, each with its own lessons")
    questions: int = setting(100, low=10, high=150, doc="validation images behind each score in the search")
    split_seed: int = setting(0, low=0, high=2**31 - 1, doc="seed of the split into folds")
    validation: float = setting(0.2, low=0.1, high=0.3, doc="share of the images that selection scores on")
    test: float = setting(0.2, low=0.1, high=0.3, doc="share of the images that only the report scores on")

    kind = TaskKind.LIFE
    reported = "the test fold of scikit-learn's digits after a life of lessons"
    inputs = PIXELS
    outputs = CLASSES

    @torch.no_grad()
    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) accuracies over all lives and questions; REPORT asks about all of the test fold."""
        output, labels, sane = self.questioned(agents, keys, fold)
        right = hits(output, labels.unsqueeze(-1))  # (Q, P, B)
        return right.mean(0).masked_fill(~sane, torch.nan).mean(-1)

    @torch.no_grad()
    def questioned(self, agents: Network, keys: Sequence[Key], fold: Fold) -> tuple[Tensor, Tensor, Tensor]:
        """Let agents live through their lessons and ask them.

        Returns:
            The outputs (Q, P, B, 10) to Q questions, their (Q, P) labels, and (P, B) whether every output was
            finite during the lessons.
        """
        assert len(keys) == agents.rows
        keys = [key.child(fold.value) for key in keys]
        memory, sane = self._live(agents, keys)
        features, labels = self._examples(SCORED_ON[fold], agents)
        asked = self._questions(keys, fold, len(labels)).to(agents.device)  # (P, Q)
        found = []
        for question in asked.unbind(1):
            image = features[question].unsqueeze(1).expand(-1, self.lives, -1)  # (P, B, 64)
            found.append(agents.step(image, memory)[0])
        return torch.stack(found), labels[asked].T, sane

    def _live(self, agents: Network, keys: Sequence[Key]) -> tuple[Any, Tensor]:
        """Return the state at the end of all lessons, and (P, B) whether every output was finite."""
        features, labels = self._examples("train", agents)
        order = torch.from_numpy(
            np.stack([self._order(key.child("lessons"), len(labels)) for key in keys])
        ).to(agents.device)  # (P, B, T)
        targets = torch.eye(CLASSES, device=agents.device, dtype=agents.dtype)
        memory = agents.start(self.lives)
        sane = torch.ones(agents.rows, self.lives, dtype=torch.bool, device=agents.device)
        for lesson in order.unbind(-1):
            output, memory = agents.live(features[lesson], memory, teach=targets[labels[lesson]])
            sane = sane & output.isfinite().all(-1)
        return memory, sane

    def _order(self, key: Key, examples: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        generator = key.generator()
        return np.stack([generator.permutation(examples)[: self.lessons] for _ in range(self.lives)])

    def _questions(self, keys: Sequence[Key], fold: Fold, examples: int) -> Tensor:
        """Return the (P, Q) examples that each agent is asked about, the same in all its lives."""
        if fold is Fold.REPORT:
            return torch.arange(examples).expand(len(keys), -1)
        drawn = [key.child("questions").generator().permutation(examples)[: self.questions] for key in keys]
        return torch.from_numpy(np.stack(drawn))

    def _examples(self, fold: str, agents: Network) -> tuple[Tensor, Tensor]:
        source = Digits(split_seed=self.split_seed, validation=self.validation, test=self.test)
        features, labels = source.examples(fold)
        return features.to(agents.device, agents.dtype), labels.to(agents.device)
