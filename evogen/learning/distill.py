"""Distillation: candidates imitate a teacher on states that they visit themselves.

    L = E[-sum_a p_a log softmax(z)_a],  p = softmax(t / tau)     (a choice; Rusu et al. eq. 3, up to H(p))
    L = E[(z - t)^2] / 2                                          (real values, before the bounds)

z are a candidate's raw outputs and t its teacher's. Each iteration, candidates act for `horizon` steps in
`environments` copies, the teacher says what it would have answered at every step, and `epochs` passes in
`minibatches` parts follow, as in PPO: an agent of its own for every environment where training goes through
the noise of birth, the same draw in rollout and updates, a learning rate that falls linearly to zero, and a
replay from the state in which the rollout began for networks with memory. DAgger keeps all states ever
visited; here only those of the last rollout count, so that a candidate needs no memory of its past.

Candidates act greedily, as they will when they are scored: it is their own mistakes that they must learn to
undo, and nothing has to be set.

Sources: Ross, Gordon, Bagnell 2011, "A reduction of imitation learning and structured prediction to no-regret
online learning" (DAgger, with beta_i = 0 throughout); Rusu et al. 2016, "Policy distillation".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning import Fit, Progress, complete, deadline
from evogen.learning.adam import Adam
from evogen.learning.batch import Batch, parts, sharing
from evogen.learning.lens import Statistics
from evogen.learning.rollout import Player, Rollout, regroup
from evogen.learning.teacher import Teacher, teacher_for
from evogen.phenotype import Phenotype
from evogen.registry import File, evolvable, file, register, setting
from evogen.tasks import ControlTask, TaskKind

Values = Mapping[str, Tensor]


class _State(NamedTuple):
    """The optimiser, what was seen, and who plays on."""

    optimiser: Adam
    seen: Statistics
    player: Player


@register("learner", "distill")
@dataclass(frozen=True)
class Distill:
    """Imitation of a trained teacher; needs no reward."""

    learning_rate: float = evolvable(0.01, low=1e-6, high=1.0, doc="Adam's step at the start")
    temperature: float = evolvable(
        1.0, low=0.01, high=100.0, doc="of the teacher's choices; small ones make its favourite sure"
    )
    teacher: str | File = file(doc="a teacher's file; '' is the one that comes along")  # noqa: RUF009 (a field)
    iterations: int = setting(20, low=1, high=100_000, doc="rollouts, each followed by updates")
    environments: int = setting(8, low=1, high=4096, doc="copies of the environment per candidate")
    horizon: int = setting(128, low=2, high=65_536, doc="steps of each copy in a rollout")
    epochs: int = setting(4, low=1, high=1000, doc="passes over a rollout")
    minibatches: int = setting(4, low=1, high=4096, doc="parts of a pass")
    clip: float = setting(0.5, low=1e-6, high=1e6, doc="largest gradient norm of a candidate")

    fits: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CONTROL, TaskKind.CONTINUOUS})

    def __post_init__(self) -> None:
        for name in ("environments", "horizon"):
            if (value := getattr(self, name)) < self.minibatches:
                raise ValueError(f"{name} {value}: wanted at least minibatches {self.minibatches}")

    def check(self, task: ControlTask) -> None:
        """Refuse a task that nobody can teach.

        Raises:
            SpecError: its teacher is missing, damaged, or answers other observations or actions.
        """
        teacher_for(task, self.teacher)

    def fit(self, phenotype: Phenotype, task: ControlTask, keys: Sequence[Key], values: Values) -> Fit:
        """Tune on what the teacher says; the curve is the mean return of the episodes that ended."""
        return complete(self, phenotype, task, keys, values)

    def length(self) -> int:
        """Return the number of iterations."""
        return self.iterations

    def begin(
        self, phenotype: Phenotype, task: ControlTask, keys: Sequence[Key], values: Values
    ) -> Progress[_State]:
        """Start the episodes."""
        player = Player(task, keys, self.environments, self.horizon, phenotype.flat)
        state = _State(Adam(phenotype.flat, phenotype.pace), Statistics(phenotype), player)
        return Progress.start(phenotype, keys, values, state)

    def advance(
        self, phenotype: Phenotype, task: ControlTask, progress: Progress[_State], until: int
    ) -> Progress[_State]:
        """Play and imitate until so many iterations are made."""
        teacher, rows = teacher_for(task, self.teacher), phenotype.rows
        flat, keys, values, curve = progress.flat, progress.keys, progress.values, progress.curve
        optimiser, seen, player = progress.state
        copies = sharing(self.environments, self.minibatches, memory=phenotype.layout.stateful)
        for iteration in range(progress.done, until):
            deadline.check()
            noise = phenotype.noise([key.child("noise", iteration) for key in keys], copies)
            network = phenotype.network(flat, noise)
            rollout = player.play(network, Greedy(), iteration)
            rate = values["learning_rate"] * (1 - iteration / self.iterations)
            batch = labelled(rollout, teacher).regroup(network.rows)
            passes = [key.child("pass", iteration) for key in keys]
            for part in parts(batch, passes, epochs=self.epochs, minibatches=self.minibatches):
                flat.requires_grad_()
                output = regroup(part.replay(phenotype.network(flat, noise)), rows)
                answer = regroup(part.target, rows)  # (P, M, outputs)
                loss = imitation(task.kind, output, answer, values["temperature"])
                (gradient,) = torch.autograd.grad(loss.sum(), flat)
                flat = flat.detach()
                optimiser.step(flat, gradient, rate, clip=self.clip)
            seen.see(rollout.observation.flatten(1, 2), flat)
            curve = (*curve, rollout.returns)
        spent = progress.spent + (until - progress.done) * self.horizon * self.environments
        return replace(progress, done=until, flat=flat, spent=spent, curve=curve)


class Greedy:
    """Acts as a score does; an action is the raw output itself. A Policy."""

    def noise(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:  # noqa: ARG002
        """Return zeros."""
        return np.zeros(shape, dtype=np.float32)

    def sample(self, output: Tensor, noise: Tensor) -> Tensor:  # noqa: ARG002
        """Return the output."""
        return output

    def act(self, task: ControlTask, action: Tensor) -> Tensor:
        """Return the largest output's index, or the squashed output."""
        return task.act(action)

    def chance(self, output: Tensor, action: Tensor) -> Tensor:  # noqa: ARG002
        """Return log 1."""
        return torch.zeros_like(output[..., 0])

    def entropy(self, output: Tensor) -> Tensor:
        """Return 0."""
        return torch.zeros_like(output[..., 0])


def labelled(rollout: Rollout, teacher: Teacher) -> Batch:
    """Return the steps of a rollout with the teacher's answers (P, T, B, outputs) as their targets."""
    answer = teacher.answer(rollout.observation.flatten(1, 2))
    target = answer.reshape(*rollout.reward.shape, -1)
    return Batch(
        rollout.observation,
        rollout.action,
        rollout.chance,
        rollout.reward,
        target,
        rollout.first,
        rollout.memory,
    )


def imitation(kind: TaskKind, output: Tensor, answer: Tensor, temperature: Tensor) -> Tensor:
    """Return (P,) losses.

    Args:
        kind: of the task.
        output: (P, M, outputs) of the candidates, differentiable.
        answer: (P, M, outputs) of the teacher.
        temperature: (P,) of the teacher's choices.
    """
    if kind is TaskKind.CONTINUOUS:
        return (output - answer).square().mean((1, 2)) / 2
    chances = torch.softmax(answer / temperature.to(answer)[:, None, None], -1)
    return -(chances * torch.log_softmax(output, -1)).sum(-1).mean(1)
