"""Robustness: what a network's score loses when neurons fall out, or when its senses change places.

    damage_loss       score - score with a share of the hidden neurons cut off
    permutation_loss  score - score with its inputs shuffled, one order for all of a life

Each agent loses neurons of its own draw, ~ uniform without replacement, and has an order of its own; all
three scores are of the same episodes or examples. A neuron that is cut off hears nothing, has no bias, and
nobody hears it, by weights, rules or modulators. It keeps its place among neurons that compete.

Sources: damage by removed neurons is textbook (LeCun et al. 1990 and since); shuffled senses: Tang, Ha 2021,
"The sensory neuron as a transformer" (https://arxiv.org/abs/2109.02869).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, cast

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.metrics import Subject
from evogen.phenotype import Network
from evogen.phenotype.network import State
from evogen.phenotype.traits import VOICE
from evogen.registry import register, setting
from evogen.tasks import Fold, TaskKind


@register("metric", "robustness")
@dataclass(frozen=True)
class Robustness:
    """Loss of score by dead hidden neurons, and by shuffled inputs."""

    share: float = setting(0.25, low=0.0, high=1.0, doc="of the hidden neurons, cut off")

    fits: ClassVar[frozenset[TaskKind]] = frozenset(TaskKind)
    measures: ClassVar[Mapping[str, str]] = {
        "damage_loss": "score lost when a share of the hidden neurons is cut off",
        "permutation_loss": "score lost when the inputs are shuffled",
    }

    def measure(self, subject: Subject) -> Mapping[str, Tensor]:
        """Return (P,) losses: positive where it harms."""
        agents, task, lives = subject.agents, subject.task, subject.streams("life")
        lost = dead(subject, self.share, subject.streams("neurons"))
        order = orders(task.inputs, subject.streams("order")).to(agents.device)
        variants = agents, cut(agents, lost), shuffled(agents, order)
        intact, damaged, mixed = (task.score(each, lives, Fold.SEARCH) for each in variants)
        return {
            "damage_loss": subject.mean(intact - damaged),
            "permutation_loss": subject.mean(intact - mixed),
        }


def dead(subject: Subject, share: float, keys: Sequence[Key]) -> tuple[Tensor, ...]:
    """Return which neurons each agent loses, bool (P A, N) for each hidden level.

    Args:
        subject: with P candidates and A agents of each.
        share: of a candidate's own hidden neurons, rounded.
        keys: one an agent.
    """
    levels = subject.phenotype.layout.levels[1:-1]
    found = [np.zeros((len(keys), level.size), dtype=bool) for level in levels]
    for row, key in enumerate(keys):
        sizes = subject.phenotype.bodies[row // subject.copies].sizes[1:-1]
        places = [(at, number) for at, size in enumerate(sizes) for number in range(size)]
        drawn = key.generator().permutation(len(places))[: round(share * len(places))]
        for chosen in drawn.tolist():
            at, number = places[chosen]
            found[at][row, number] = True
    return tuple(torch.from_numpy(each).to(subject.agents.device) for each in found)


def orders(inputs: int, keys: Sequence[Key]) -> Tensor:
    """Return (len(keys), inputs) permutations, ~ uniform."""
    return torch.from_numpy(np.stack([key.generator().permutation(inputs) for key in keys]))


def cut(agents: Network, lost: Sequence[Tensor]) -> Network:
    """Return the agents without these neurons, bool (R, N) for each hidden level."""
    ends = agents.biases[0].new_zeros(agents.rows, 1, dtype=torch.bool)
    gone = [ends, *lost, ends]  # broadcast: all inputs and outputs stay
    kept = [
        ~(gone[link.pre].unsqueeze(2) | gone[link.post].unsqueeze(1)) for link in agents.layout.links
    ]  # (R, pre or 1, post or 1)
    weights = tuple(W * own for W, own in zip(agents.weights, kept, strict=True))
    biases = tuple(b * ~own for b, own in zip(agents.biases, gone[1:], strict=True))
    rules = dict(agents.traits.rule)
    for number, (link, own) in enumerate(zip(agents.layout.links, kept, strict=True)):
        for rule in link.rules:
            name = f"{number}.{rule}"
            rules[name] = rules[name] * own.unsqueeze(1)
    neuron = dict(agents.traits.neuron)
    for name in neuron:
        if name.endswith(VOICE):
            neuron[name] = neuron[name] * ~gone[int(name.partition(".")[0])].unsqueeze(1)  # (R, 1, N)
    traits = replace(agents.traits, neuron=neuron, rule=rules)
    return replace(agents, weights=weights, biases=biases, traits=traits)


def shuffled(agents: Network, order: Tensor) -> Network:
    """Return the agents where input neuron i sees component order[i] of what there is to see.

    Args:
        agents: R of them.
        order: (R, inputs) permutations.
    """
    return cast(Network, _Shuffled(agents, order))


@dataclass(frozen=True, eq=False)
class _Shuffled:
    """Lives as these agents do, as far as a task can tell."""

    agents: Network
    order: Tensor

    @property
    def rows(self) -> int:
        return self.agents.rows

    @property
    def device(self) -> torch.device:
        return self.agents.device

    @property
    def dtype(self) -> torch.dtype:
        return self.agents.dtype

    def start(self, batch: int) -> State:
        return self.agents.start(batch)

    def step(self, observation: Tensor, state: State, *, teach: Tensor | None = None) -> tuple[Tensor, State]:
        return self.agents.step(self._mixed(observation), state, teach=teach)

    def live(self, observation: Tensor, state: State, *, teach: Tensor | None = None) -> tuple[Tensor, State]:
        return self.agents.live(self._mixed(observation), state, teach=teach)

    def _mixed(self, observation: Tensor) -> Tensor:
        return observation.gather(-1, self.order.unsqueeze(1).expand(observation.shape))
