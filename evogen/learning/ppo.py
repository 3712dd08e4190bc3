"""Proximal policy optimisation, batched over candidates and environments.

    A_t = sum_k (gamma lambda)^k delta_{t+k},  delta_t = r_t + gamma V(s_{t+1}) - V(s_t)     (GAE, eq. 11-12)
    L = -E[min(rho A, clip(rho, 1 - eps, 1 + eps) A)] - c_e E[H(pi)]                         (PPO, eq. 7, 9)

One iteration plays `horizon` steps in `environments` copies for every candidate, then makes `epochs` passes
in `minibatches` parts. Trained through the noise of birth, every environment is lived in by an agent of its
own, drawn anew each iteration; rollout and updates share that draw, and the gradient runs through mean and
variance of the weights. The critic is a small tanh network of its own, not part of the genome, with its own
optimiser. A time-limit
truncation is bootstrapped, a termination is not. The learning rate falls linearly to zero. A network with
memory (plastic synapses, leaky neurons) is replayed from the state in which its rollout began, and the
gradient runs through the whole replay; its minibatches are cut over environments instead of steps.

Sources: Schulman et al. 2017 (PPO), 2016 (GAE).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning import Fit, Progress, complete, deadline
from evogen.learning.adam import Adam
from evogen.learning.batch import Batch, parts, sharing
from evogen.learning.critic import Critic, Scale
from evogen.learning.lens import Statistics
from evogen.learning.policy import Policy, policy_for
from evogen.learning.rollout import Player, Rollout, regroup
from evogen.phenotype import Phenotype
from evogen.registry import evolvable, register, setting
from evogen.tasks import ControlTask, TaskKind

Values = Mapping[str, Tensor]
Judge = Callable[[Tensor], Tensor]


class _State(NamedTuple):
    """Critics (P, critic) and their scale, the optimisers of both, what was seen, and who plays on."""

    judge: Tensor
    scale: Scale
    tuning: Adam
    judging: Adam
    seen: Statistics
    player: Player


@register("learner", "ppo")
@dataclass(frozen=True)
class PPO:
    """Clipped policy gradient; real-valued actions are Gaussian with a fixed standard deviation."""

    learning_rate: float = evolvable(0.01, low=1e-6, high=1.0, doc="Adam's step at the start")
    gamma: float = evolvable(0.99, low=0.0, high=1.0, doc="discount of one step")
    gae_lambda: float = evolvable(0.95, low=0.0, high=1.0, doc="trace of the advantage estimate")
    clip_range: float = evolvable(
        0.2, low=0.01, high=1.0, doc="largest change of an action's probability ratio"
    )
    entropy: float = evolvable(0.0, low=0.0, high=1.0, doc="weight of the policy's entropy")
    sigma: float = setting(0.5, low=1e-3, high=10.0, doc="std of real-valued actions, before the bounds")
    iterations: int = setting(40, low=1, high=100_000, doc="rollouts, each followed by updates")
    environments: int = setting(8, low=1, high=4096, doc="copies of the environment per candidate")
    horizon: int = setting(128, low=2, high=65_536, doc="steps of each copy in a rollout")
    epochs: int = setting(4, low=1, high=1000, doc="passes over a rollout")
    minibatches: int = setting(4, low=1, high=4096, doc="parts of a pass")
    critic: int = setting(32, low=1, high=4096, doc="hidden units of the critic")
    clip: float = setting(0.5, low=1e-6, high=1e6, doc="largest gradient norm of a candidate")

    fits: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CONTROL, TaskKind.CONTINUOUS})

    def __post_init__(self) -> None:
        for name in ("environments", "horizon"):
            if (value := getattr(self, name)) < self.minibatches:
                raise ValueError(f"{name} {value}: wanted at least minibatches {self.minibatches}")

    def fit(self, phenotype: Phenotype, task: ControlTask, keys: Sequence[Key], values: Values) -> Fit:
        """Tune on episodes of the task; the curve is the mean return of the episodes that ended."""
        return complete(self, phenotype, task, keys, values)

    def length(self) -> int:
        """Return the number of iterations."""
        return self.iterations

    def begin(
        self, phenotype: Phenotype, task: ControlTask, keys: Sequence[Key], values: Values
    ) -> Progress[_State]:
        """Draw the critics and start the episodes."""
        flat = phenotype.flat
        critic = Critic(task.inputs, self.critic)
        judge = critic.draw([key.child("critic") for key in keys]).to(flat)
        nothing = torch.zeros(phenotype.rows, dtype=torch.float64, device=flat.device)
        player = Player(task, keys, self.environments, self.horizon, flat)
        state = _State(
            judge, Scale(nothing, nothing, 0), Adam(flat, phenotype.pace), Adam(judge),
            Statistics(phenotype), player,
        )  # fmt: skip
        return Progress.start(phenotype, keys, values, state)

    def advance(
        self, phenotype: Phenotype, task: ControlTask, progress: Progress[_State], until: int
    ) -> Progress[_State]:
        """Play and learn until so many iterations are made."""
        critic, policy = Critic(task.inputs, self.critic), policy_for(task, self.sigma)
        flat, keys, values, curve = progress.flat, progress.keys, progress.values, progress.curve
        judge, scale, tuning, judging, seen, player = progress.state
        copies = sharing(self.environments, self.minibatches, memory=phenotype.layout.stateful)
        for iteration in range(progress.done, until):
            deadline.check()
            noise = phenotype.noise([key.child("noise", iteration) for key in keys], copies)
            network = phenotype.network(flat, noise)
            rollout = player.play(network, policy, iteration)
            before, rate = scale, values["learning_rate"] * (1 - iteration / self.iterations)
            batch = self._estimate(rollout, partial(critic.value, judge), before, values, seen)
            scale = before.see(batch.target.flatten(1))
            critic.rescale(judge, before, scale)
            batch = batch.regroup(network.rows)
            passes = [key.child("pass", iteration) for key in keys]
            for part in parts(batch, passes, epochs=self.epochs, minibatches=self.minibatches):
                flat.requires_grad_(), judge.requires_grad_()
                output = part.replay(phenotype.network(flat, noise))
                worth = critic.value(judge, seen.view(regroup(part.observation, len(keys))))
                error = worth - scale.unit(regroup(part.target, len(keys)))
                loss = self._loss(policy, output, part, values) + error.square().mean(1)
                for_genes, for_judge = torch.autograd.grad(loss.sum(), (flat, judge))
                flat, judge = flat.detach(), judge.detach()
                tuning.step(flat, for_genes, rate, clip=self.clip)
                judging.step(judge, for_judge, rate, clip=self.clip)
            seen.see(rollout.observation.flatten(1, 2), flat)
            curve = (*curve, rollout.returns)
        spent = progress.spent + (until - progress.done) * self.horizon * self.environments
        state = progress.state._replace(judge=judge, scale=scale)
        return replace(progress, done=until, flat=flat, spent=spent, curve=curve, state=state)

    @torch.no_grad()
    def _estimate(
        self, rollout: Rollout, judge: Judge, scale: Scale, values: Values, seen: Statistics
    ) -> Batch:
        gamma = values["gamma"][:, None, None]
        here, later = seen.view(rollout.observation.flatten(1, 2)), seen.view(rollout.after.flatten(1, 2))
        worth, future = (scale.whole(judge(part)).reshape(rollout.reward.shape) for part in (here, later))
        delta = rollout.reward + gamma * future * ~rollout.terminated - worth  # (P, T, B)
        fade = gamma * values["gae_lambda"][:, None, None] * ~rollout.ended
        advantage = torch.empty_like(delta)
        trace = torch.zeros_like(delta[:, 0])
        for t in reversed(range(delta.shape[1])):
            trace = delta[:, t] + fade[:, t] * trace
            advantage[:, t] = trace
        target = advantage + worth
        mean, deviation = advantage.mean((1, 2), keepdim=True), advantage.std((1, 2), keepdim=True)
        advantage = (advantage - mean) / (deviation + 1e-8)
        return Batch(
            rollout.observation,
            rollout.action,
            rollout.chance,
            advantage,
            target,
            rollout.first,
            rollout.memory,
        )

    def _loss(self, policy: Policy, output: Tensor, part: Batch, values: Values) -> Tensor:
        rows = values["clip_range"].shape[0]
        ratio = (policy.chance(output, part.action) - part.chance).exp()  # (rows x copies, M)
        ratio, advantage = regroup(ratio, rows), regroup(part.advantage, rows)  # (P, copies M)
        eps = values["clip_range"][:, None]
        clipped = torch.minimum(torch.maximum(ratio, 1 - eps), 1 + eps)
        gain = torch.minimum(ratio * advantage, clipped * advantage).mean(1)
        entropy = regroup(policy.entropy(output), rows).mean(1)
        return -gain - values["entropy"] * entropy  # (P,)
