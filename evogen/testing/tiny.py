"""Small worlds for the contract suites: a task of each kind, and phenotypes of a few neurons.

Sizes are such that a contract takes a fraction of a second; the episodes of `Walk` end in both ways within
a few steps, so that resets, bootstrapping and memory all come into play.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evogen.connectome.direct import Direct
from evogen.genome import Gene, Genome, Rules, frozen
from evogen.grammar.plan import INPUT, OUTPUT, Group, Plan, Projection
from evogen.keys import Key
from evogen.phenotype import Development, Network, Phenotype, develop, embryo
from evogen.registry import known
from evogen.tasks import Fold, Sequences, Stage, Step, Task, TaskKind
from evogen.tasks.episodes import BatchedEpisodes
from evogen.tasks.play import greedy, hits, play, squashed
from evogen.tasks.sequences import cross_entropy, scored, share
from evogen.tasks.stages import average

GENES, TRANSMITTERS = 5, 2
EDGE, STRIDE = 1.5, 0.4
FREE: Any = Direct()


@dataclass(frozen=True)
class Walk:
    """Stay near the middle of a line: the reward is 1 - |x|, a step is 0.4 long, |x| > 1.5 ends the episode.

    State: (P, B, 2) float64 = x, steps taken. Observation: (P, B, 2) = x, 1. Actions: 0 left, 1 right.
    """

    kind = TaskKind.CONTROL
    reported = "walks that start elsewhere"
    inputs = 2
    outputs = 2
    horizon = 5
    draws = 1
    normalised = False
    threshold = None

    def reset(self, uniforms: Tensor) -> tuple[Tensor, Tensor]:
        """Return (state, observation) from (P, B, 1) uniforms: x ~ U[-1, 1)."""
        state = torch.cat([2 * uniforms - 1, torch.zeros_like(uniforms)], -1)
        return state, self.observe(state)

    def step(self, state: Tensor, action: Tensor) -> Step:
        """Walk one step."""
        x = state[..., 0] + STRIDE * (2.0 * action - 1.0)
        steps = state[..., 1] + 1
        after = torch.stack([x, steps], -1)
        return Step(after, self.observe(after), 1 - x.abs(), x.abs() > EDGE, steps >= self.horizon)

    def observe(self, state: Tensor) -> Tensor:
        """Return what an agent sees of a state, (P, B, 2) float32."""
        return torch.stack([state[..., 0], torch.ones_like(state[..., 0])], -1).float()

    def start(
        self, keys: Sequence[Key], copies: int, device: torch.device, *, again: bool = True
    ) -> BatchedEpisodes:
        """Return running walks."""
        return BatchedEpisodes(self, keys, copies, device, again=again)

    def act(self, output: Tensor) -> Tensor:
        """Return the direction of the larger output."""
        return greedy(output)

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) mean returns of four episodes."""
        return play(self, agents, keys=[key.child(fold.value) for key in keys], episodes=4).mean(-1)


@dataclass(frozen=True)
class Drift:
    """Walk with two real-valued strides in [-1, 0] and [0, 1], of which 0.4 times the sum is gone.

    State and observation as in Walk, from which its line, its rewards and its ends are.
    """

    kind = TaskKind.CONTINUOUS
    reported = "drifts that start elsewhere"
    inputs = 2
    outputs = 2
    horizon = 5
    draws = 1
    normalised = True
    threshold = None

    def reset(self, uniforms: Tensor) -> tuple[Tensor, Tensor]:
        """Return (state, observation) from (P, B, 1) uniforms: x ~ U[-1, 1)."""
        return Walk().reset(uniforms)

    def step(self, state: Tensor, action: Tensor) -> Step:
        """Drift one step, by (P, B, 2) strides."""
        return Walk().step(state, (action[..., 0] + action[..., 1] + 1) / 2)

    def start(
        self, keys: Sequence[Key], copies: int, device: torch.device, *, again: bool = True
    ) -> BatchedEpisodes:
        """Return running drifts."""
        return BatchedEpisodes(self, keys, copies, device, again=again)

    def act(self, output: Tensor) -> Tensor:
        """Return the two strides."""
        low = torch.tensor([-1.0, 0.0], dtype=output.dtype, device=output.device)
        return squashed(output, low, low + 1)

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) mean returns of four episodes."""
        return play(self, agents, keys=[key.child(fold.value) for key in keys], episodes=4).mean(-1)


@dataclass(frozen=True)
class Blobs:
    """Tell three Gaussian clouds in six dimensions apart; their centres are 2 from the origin."""

    kind = TaskKind.CLASSIFICATION
    reported = "points of the test fold"
    inputs = 6
    outputs = 3

    def examples(self, fold: str) -> tuple[Tensor, Tensor]:
        """Return (M, 6) points and (M,) clouds."""
        return _blobs(fold)

    @torch.no_grad()
    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) accuracies."""
        assert len(keys) == agents.rows
        x, y = self.examples({Fold.SEARCH: "validation", Fold.REPORT: "test"}[fold])
        output, _ = agents.step(x.to(agents.dtype).expand(agents.rows, -1, -1), agents.start(len(x)))
        return self.rate(output, y)

    def rate(self, output: Tensor, labels: Tensor) -> Tensor:
        """Return (P,) accuracies of (P, M, 3) outputs."""
        return hits(output, labels).mean(-1)


@dataclass(frozen=True)
class Lessons:
    """Blobs, each cloud shown twice to a network that nothing but its own plasticity teaches."""

    kind = TaskKind.LIFE
    reported = "points of the test fold, after six lessons"
    inputs = 6
    outputs = 3

    @torch.no_grad()
    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) accuracies."""
        assert len(keys) == agents.rows
        x, y = _blobs("train")
        teacher = torch.eye(3, dtype=agents.dtype)[y]
        asked, answer = _blobs("validation" if fold is Fold.SEARCH else "test")
        state = agents.start(1)
        for i in range(6):
            lesson, teach = (part[i].to(agents.dtype).expand(agents.rows, 1, -1) for part in (x, teacher))
            _, state = agents.step(lesson, state, teach=teach)
        right = [
            hits(agents.step(one.to(agents.dtype).expand(agents.rows, 1, -1), state)[0], label)
            for one, label in zip(asked, answer, strict=True)
        ]
        return torch.stack(right).mean((0, 2))


@dataclass(frozen=True)
class Recall:
    """Say at the third step which sign (0 or 1) was shown at the first; the second shows noise."""

    kind = TaskKind.SEQUENCE
    reported = "signs of the test fold"
    inputs = 2
    outputs = 2

    def sequences(self, keys: Sequence[Key], copies: int, fold: str) -> Sequences:
        """Draw sequences of the sign as +-1, noise ~ N(0, 0.25), and a question at the second input."""
        inputs = np.zeros((len(keys), copies, 3, 2), np.float32)
        for row, key in enumerate(keys):
            rng = key.child(fold).generator()
            inputs[row, :, 0, 0] = rng.choice((-1.0, 1.0), copies)
            inputs[row, :, 1, 0] = 0.5 * rng.normal(size=copies)
        inputs[:, :, 2, 1] = 1.0
        targets = torch.from_numpy(inputs[:, :, :1, 0] > 0).long().expand(-1, -1, 3)
        weight = torch.zeros(len(keys), copies, 3)
        weight[..., 2] = 1.0
        return Sequences(torch.from_numpy(inputs), targets, weight)

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) shares of signs recalled."""
        return scored(self, agents, keys, fold, copies=32)

    def loss(self, output: Tensor, asked: Sequences) -> Tensor:
        """Return the (P,) cross-entropy."""
        return cross_entropy(output, asked)

    def rate(self, output: Tensor, asked: Sequences) -> Tensor:
        """Return the (P,) share of signs recalled."""
        return share(output, asked)


@dataclass(frozen=True)
class Moving:
    """Blobs whose axes trade places in the second stage; in the first, two of the three clouds may answer."""

    kind = TaskKind.CONTINUAL
    reported = "points of the test fold, after both stages"
    inputs = 6
    outputs = 3
    stages = 2
    passes = None

    def stage(self, number: int, fold: str) -> Stage:
        """Return (M, 6) points and (M,) clouds."""
        x, y = _blobs(fold)
        if number:
            return Stage(x.flip(1), y, torch.ones(3, dtype=torch.bool))
        return Stage(x[y < 2], y[y < 2], torch.tensor([True, True, False]))

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) mean accuracies."""
        assert len(keys) == agents.rows
        return average(self, agents, fold)


TASKS: Mapping[TaskKind, Task] = {
    TaskKind.CONTROL: Walk(),
    TaskKind.CONTINUOUS: Drift(),
    TaskKind.CLASSIFICATION: Blobs(),
    TaskKind.LIFE: Lessons(),
    TaskKind.SEQUENCE: Recall(),
    TaskKind.CONTINUAL: Moving(),
}


def genome(number: int, rules: bool = True) -> Genome:
    """Return genome `number`: one architecture gene, g = 5 and n = 2, drawn as a new genome is."""
    rng = Key(number).child("tiny").generator()
    O = rng.normal(0, 1 / GENES, (GENES, GENES))  # ~ N(0, 1 / g^2)
    c = rng.normal(0, 1 / (math.sqrt(2) * TRANSMITTERS), (TRANSMITTERS, 2 * TRANSMITTERS))
    chromosome = Rules(tuple(range(GENES)), frozen(O), frozen(c)) if rules else None
    return Genome(chromosome, Gene(1 + 2 * number, ()), (Gene(2 + 2 * number, ()),))


def plan(of: Genome, task: Task, rule: str = "none", neuron: str = "rate") -> Plan:
    """Return in -> 7 tanh units of this neuron kind -> out, both projections with this plasticity rule."""
    interface, gene = (item.innovation for item in of.genes())
    groups = (
        Group(interface, INPUT, task.inputs),
        Group(gene, "l0", 7, "tanh", neuron),
        Group(interface, OUTPUT, task.outputs),
    )
    return Plan(groups, (Projection(0, 1, gene, rule=rule), Projection(1, 2, gene, rule=rule)))


def phenotype(
    task: Task,
    numbers: Sequence[int] = (0, 1, 2),
    *,
    wiring: Any = FREE,
    rule: str = "none",
    neuron: str = "rate",
    dtype: torch.dtype = torch.float32,
) -> Phenotype:
    """Return the phenotype of the genomes with these numbers; the wiring is `direct` unless given."""
    rules = {name: part() for name, part in known("rule").items()}
    development = Development(wiring, rules, Key(0).child("tiny"), dtype)
    genomes = [genome(number, wiring.genetic) for number in numbers]
    return develop(development, [embryo(development, one, plan(one, task, rule, neuron)) for one in genomes])


def network(task: Task, numbers: Sequence[int] = (0, 1, 2), **changes: Any) -> Network:
    """Return the average networks of such a phenotype, without gradients."""
    found = phenotype(task, numbers, **changes)
    return found.network(found.flat).detach()


def keys(numbers: Sequence[int] = (0, 1, 2)) -> list[Key]:
    """Return the key of each candidate with such a number."""
    return [Key(0).child("candidate", number) for number in numbers]


@cache
def _blobs(fold: str) -> tuple[Tensor, Tensor]:
    size = {"train": 48, "validation": 24, "test": 24}[fold]
    key = Key(0).child("blobs")
    centres = 2 * np.eye(3, 6)
    y = np.arange(size) % 3
    x = centres[y] + 0.5 * key.child(fold).generator().normal(size=(size, 6))
    return torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y)
