"""Deep Q-learning, batched over candidates: each has its replay, its target network and its optimiser.

    y = r + gamma max_a' Q(s', a'; target)           (y = r after a termination, but not after a truncation)
    L = E_batch[huber(Q(s, a) - y)],  huber(x) = x^2 / 2 for |x| < 1, else |x| - 1/2

Order of one step, as in Stable-Baselines3: act (at random until `starts` steps were made, then
epsilon-greedily), store, copy the target network if due; then, every `train_every` steps once more than
`starts` were made, `gradient_steps` steps of Adam at a constant rate. Intervals count environment steps; with
several environments they are rounded down to whole rounds of all of them, at least one. With environments=1
it is the classic DQN.

Trained through the noise of birth, every environment is lived in by an agent of its own, drawn anew every
256 steps, and each gradient step looks at four other agents, which share the batch; an agent's target is the
same agent (the same noise) with the target's parameters.

Sources: Mnih et al. 2015 (algorithm 1); Raffin et al. 2021, Stable-Baselines3 2.9 (order, clip, schedule).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from evogen.errors import DevelopmentError
from evogen.keys import Key
from evogen.learning import Fit, Progress, complete, deadline
from evogen.learning.adam import Adam
from evogen.learning.lens import Statistics
from evogen.learning.replay import Replay, Returns, Stream, Transitions
from evogen.learning.rollout import regroup
from evogen.phenotype import Network, Phenotype
from evogen.phenotype.phenotype import Noise
from evogen.phenotype.rows import rowwise
from evogen.registry import evolvable, register, setting
from evogen.tasks import ControlTask, TaskKind

Values = Mapping[str, Tensor]

POINTS = 40  # of the curve
LIFE = 256  # environment steps that an agent acts for, and after which the lens is set anew
AGENTS = 4  # that share a batch, if training goes through the noise
TOGETHER = 8  # gradient steps whose agents are drawn together
BLOCK = 64  # draws of a stream made together


@register("learner", "dqn")
@dataclass(frozen=True)
class DQN:
    """Q-learning from replayed steps.

    The defaults suit eight environments and a short training. SynaptoGen's published runs have
    environments=1, steps=500_000, a learning rate of 0.03, 0.003 or 0.0003, and

                  batch  buffer  starts  gamma  target  train  gradient  epsilon fraction, final
    CartPole      64     100000  1000    0.99   10      256    128       0.16, 0.04
    MountainCar   128    10000   1000    0.98   600     16     8         0.2, 0.07
    LunarLander   128    50000   0       0.99   250     4      4         0.12, 0.1
    Acrobot       128    50000   0       0.99   250     4      4         0.12, 0.1
    """

    learning_rate: float = evolvable(0.003, low=1e-6, high=1.0, doc="Adam's step")
    gamma: float = evolvable(0.99, low=0.0, high=1.0, doc="discount of one step")
    steps: int = setting(30_000, low=1, high=100_000_000, doc="environment steps of a candidate")
    environments: int = setting(8, low=1, high=4096, doc="copies of the environment per candidate")
    batch: int = setting(64, low=1, high=65_536, doc="steps that a gradient step looks at")
    buffer: int = setting(50_000, low=1, high=10_000_000, doc="steps that a candidate remembers")
    starts: int = setting(1000, low=0, high=10_000_000, doc="steps by chance before learning")
    target_every: int = setting(250, low=1, high=10_000_000, doc="steps between copies to the target network")
    train_every: int = setting(16, low=1, high=10_000_000, doc="steps between trainings")
    gradient_steps: int = setting(8, low=1, high=100_000, doc="gradient steps of a training")
    epsilon_fraction: float = setting(
        0.2, low=1e-9, high=1.0, doc="part of the steps over which epsilon falls"
    )
    epsilon_final: float = setting(0.04, low=0.0, high=1.0, doc="chance of a random action from then on")
    clip: float = setting(10.0, low=1e-6, high=1e6, doc="largest gradient norm of a candidate")

    forgetful: ClassVar[str] = (
        "use the learner 'ppo' or 'snes', or a grammar without leaky neurons and plasticity rules"
    )
    fits: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CONTROL})

    def epsilon(self, spent: int) -> float:
        """Return the chance of a random action after so many steps: from 1 linearly to `epsilon_final`."""
        if spent < self.starts:
            return 1.0
        fallen = min(spent / self.steps / self.epsilon_fraction, 1.0)
        return 1.0 + fallen * (self.epsilon_final - 1.0)

    def fit(self, phenotype: Phenotype, task: ControlTask, keys: Sequence[Key], values: Values) -> Fit:
        """Tune on episodes of the task; the curve is the mean return of the episodes that ended.

        Raises:
            DevelopmentError: the networks have memory, which single replayed steps cannot train.
        """
        return complete(self, phenotype, task, keys, values)

    def length(self) -> int:
        """Return the number of rounds: steps of all environments together."""
        return math.ceil(self.steps / self.environments)

    def begin(
        self, phenotype: Phenotype, task: ControlTask, keys: Sequence[Key], values: Values
    ) -> Progress[_State]:
        """Start the episodes, with nothing to remember.

        Raises:
            DevelopmentError: the networks have memory, which single replayed steps cannot train.
        """
        _refuse_memory(phenotype)
        actor, trainer = _Actor(self, phenotype, task, keys), _Trainer(self, phenotype, keys, values)
        state = _State(phenotype.flat.clone(), actor, trainer, Statistics(phenotype))
        return Progress.start(phenotype, keys, values, state)

    def advance(
        self, phenotype: Phenotype, task: ControlTask, progress: Progress[_State], until: int
    ) -> Progress[_State]:
        """Play and learn until so many rounds are over."""
        copies, rounds = self.environments, self.length()
        train, renew, life = (max(n // copies, 1) for n in (self.train_every, self.target_every, LIFE))
        points = min(POINTS, rounds)
        flat, keys, curve = progress.flat, progress.keys, progress.curve
        target, actor, trainer, seen = progress.state
        network = None
        for number in range(progress.done, until):
            deadline.check()
            if number % life == 0 and actor.watched:
                seen.see(torch.cat(actor.watched, 1), flat)
                actor.watched = ()
            if number % life == 0 or network is None:
                noise = phenotype.noise([key.child("noise", number // life) for key in keys], copies)
                network = phenotype.network(flat, noise).detach()
            actor.step(task, network, self.epsilon(number * copies))
            done = number + 1
            if done % renew == 0:
                target = flat.clone()
            if done % train == 0 and done * copies > self.starts:
                for _ in range(self.gradient_steps):
                    flat = trainer.improve(phenotype, flat, target, actor.replay)
                network = phenotype.network(flat, noise).detach()
            if done * points // rounds > number * points // rounds:
                curve = (*curve, actor.returns.close())
        spent = progress.spent + (until - progress.done) * copies
        state = progress.state._replace(target=target)
        return replace(progress, done=until, flat=flat, spent=spent, curve=curve, state=state)


@rowwise()
class _Actor:
    """Plays the environments of a cohort and remembers.

    Attributes:
        replay: what happened.
        returns: of the episodes that ended.
        watched: observations (P, B, inputs) since they were last looked at.
    """

    def __init__(self, learner: DQN, phenotype: Phenotype, task: ControlTask, keys: Sequence[Key]) -> None:
        rows, copies, self._device = phenotype.rows, learner.environments, phenotype.flat.device
        self._episodes = task.start([key.child("start") for key in keys], copies, self._device)
        self._chance = Stream(keys, "explore", shape=(2, copies), block=BLOCK)
        self.replay = Replay(min(learner.buffer, learner.steps + copies), copies)
        self.returns = Returns(rows, copies, self._device)
        self.watched: tuple[Tensor, ...] = ()

    @torch.no_grad()
    def step(self, task: ControlTask, network: Network, epsilon: float) -> None:
        """Take one step in every environment: the action worth most, or with chance epsilon any."""
        observation, draw = self._episodes.observation, self._chance.draw(self._device)
        worth = _worth(network, observation)  # (P, B, actions)
        by_chance = (draw[:, 1] * task.outputs).long()
        action = torch.where(draw[:, 0] < epsilon, by_chance, worth.argmax(-1))
        turn = self._episodes.step(action)
        self.replay.add(Transitions(observation, action, turn.reward, turn.terminated, turn.after))
        self.returns.add(turn.reward, turn.terminated | turn.truncated)
        self.watched = (*self.watched, observation)


@rowwise(shared=["_learner"])
class _Trainer:
    """Takes the gradient steps of a cohort."""

    def __init__(self, learner: DQN, phenotype: Phenotype, keys: Sequence[Key], values: Values) -> None:
        self._learner, self._keys, self._values = learner, list(keys), dict(values)
        self._optimiser = Adam(phenotype.flat, phenotype.pace)
        self._choice = Stream(keys, "batch", shape=(learner.batch,), block=BLOCK)
        self._agents = math.gcd(learner.batch, AGENTS)
        self._taken = 0
        self._noise: Noise | None = None

    def improve(self, phenotype: Phenotype, flat: Tensor, target: Tensor, replay: Replay) -> Tensor:
        """Return (P, D) parameters after one step on a batch, drawn with replacement."""
        batch = replay.take((self._choice.draw(flat.device) * len(replay)).long())
        noise, gamma = self._born(phenotype), self._values["gamma"].unsqueeze(1)
        with torch.no_grad():
            later = _worth(phenotype.network(target, noise), batch.after).amax(-1)
            wanted = batch.reward + gamma * later * ~batch.terminated  # (P, M)
        flat.requires_grad_()
        worth = _worth(phenotype.network(flat, noise), batch.observation)
        told = worth.gather(-1, batch.action.unsqueeze(-1)).squeeze(-1)
        loss = smooth_l1_loss(told, wanted.to(told), reduction="none").mean(1)
        (gradient,) = torch.autograd.grad(loss.sum(), flat)
        flat = flat.detach()
        self._optimiser.step(flat, gradient, self._values["learning_rate"], clip=self._learner.clip)
        return flat

    def _born(self, phenotype: Phenotype) -> Noise | None:
        """Return the agents of the next gradient step, other ones every time."""
        block, at = divmod(self._taken, TOGETHER)
        if at == 0:
            keys = [key.child("agents", block) for key in self._keys]
            self._noise = phenotype.noise(keys, TOGETHER * self._agents)
        self._taken += 1
        if self._noise is None:
            return None
        return tuple(part.narrow(1, at * self._agents, self._agents) for part in self._noise)


class _State(NamedTuple):
    """The target networks' parameters (P, D), who acts, who trains, and what was seen."""

    target: Tensor
    actor: _Actor
    trainer: _Trainer
    seen: Statistics


def _worth(network: Network, observation: Tensor) -> Tensor:
    """Return Q (P, M, actions) of observations (P, M, inputs), by P networks or agents that share them."""
    return regroup(network.forward(regroup(observation, network.rows)), len(observation))


def _refuse_memory(phenotype: Phenotype) -> None:
    if phenotype.layout.stateful:
        raise DevelopmentError(
            "learner 'dqn' wanted networks without memory, found neurons or synapses that remember: "
            + DQN.forgetful
        )
