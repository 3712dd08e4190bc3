"""PPO for one candidate, straight from the equations, over what a task recorded while the learner played.

Nothing of evogen's learners is used but the critic's first draw, and the name of the stream that shuffles the
steps (or the lives, of a network with memory) before each pass.
"""

import math
from dataclasses import dataclass, field

import torch

from evogen.testing.tiny import Walk


@dataclass(frozen=True)
class Recorded(Walk):
    """Walk, which remembers every (state, action, step) of the candidates that play it."""

    played: list = field(default_factory=list, compare=False)

    def step(self, state, action):
        step = super().step(state, action)
        self.played.append((state.clone(), action.clone(), step))
        return step


def first_steps(played, row):
    """Which steps of each life begin an episode, (T, B)."""
    ended = torch.stack([(step.terminated | step.truncated)[row] for _, _, step in played])
    return torch.cat([torch.ones_like(ended[:1]), ended[:-1]])


class PlainPPO:
    """The state of one candidate's training."""

    def __init__(self, learner, phenotype, row, critic, values, key):
        """Take (D,) parameters from the phenotype and (size,) parameters of the critic."""
        self.learner, self.phenotype, self.row, self.key = learner, phenotype, row, key
        self.genes = phenotype.flat.shape[1]
        self.x = torch.cat([phenotype.flat[row], critic]).clone()
        self.m, self.v, self.t = torch.zeros_like(self.x), torch.zeros_like(self.x), 0
        self.pace = torch.cat([phenotype.pace.share[row], torch.ones_like(critic)])
        self.mean, self.square, self.sigma = 0.0, 0.0, 1.0
        self.k = {name: float(value[row]) for name, value in values.items()}
        self.state = None

    def network(self, x):
        rows = self.phenotype.flat.clone()
        rows[self.row] = x[: self.genes]
        return self.phenotype.network(rows)

    def critic(self, x, observation):
        """v(s) = w2 tanh(s W1 + b1) + b2."""
        inputs, hidden = observation.shape[-1], self.learner.critic
        W1, b1, w2, b2, _ = torch.split(
            x[self.genes :],
            [inputs * hidden, hidden, hidden, 1, len(x) - self.genes - (inputs + 2) * hidden - 1],
        )
        return torch.tanh(observation @ W1.reshape(inputs, hidden) + b1) @ w2 + b2

    def outputs(self, x, observation, first, state):
        """Live through observations (T, B, inputs) again; return outputs (T, B, actions), last state."""
        network, found = self.network(x), []
        state = network.start(observation.shape[1]) if state is None else state
        for seen, begins in zip(observation, first, strict=True):
            for name, part in state.items():
                alive = (~begins).to(part.dtype).reshape(1, -1, *[1] * (part.ndim - 2))
                state = {**state, name: part * alive}
            output, state = network.step(seen.expand(self.phenotype.rows, -1, -1), state)
            found.append(output[self.row])
        return torch.stack(found), state

    def iterate(self, played, before, iteration):
        """Learn from one rollout; `before` are the steps played since the candidate was born."""
        dtype = self.x.dtype
        observation = torch.stack([Walk().observe(state)[self.row] for state, _, _ in played]).to(dtype)
        after = torch.stack([step.observation[self.row] for _, _, step in played]).to(dtype)
        action = torch.stack([action[self.row] for _, action, _ in played])
        reward = torch.stack([step.reward[self.row] for _, _, step in played])
        terminated = torch.stack([step.terminated[self.row] for _, _, step in played])
        ended = terminated | torch.stack([step.truncated[self.row] for _, _, step in played])
        first = first_steps([*before, *played], self.row)[len(before) :]
        with torch.no_grad():
            start = self.state
            output, self.state = self.outputs(self.x, observation, first, start)
            old = output.log_softmax(-1).gather(-1, action[..., None])[..., 0]
            value, later = (self.mean + self.sigma * self.critic(self.x, s) for s in (observation, after))
        advantage = self.advantages(reward, value, later, terminated, ended)
        target = advantage + value
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        target = self.rescale(target, iteration, observation)
        rate = self.k["learning_rate"] * (1 - iteration / self.learner.iterations)
        for part in self.parts(action.shape, iteration):
            x = self.x.clone().requires_grad_()
            chances = self.outputs(x, observation, first, start)[0].softmax(-1)
            ratio = chances.gather(-1, action[..., None])[..., 0] / old.exp()
            eps = self.k["clip_range"]
            gain = torch.minimum(ratio * advantage, ratio.clamp(1 - eps, 1 + eps) * advantage)
            entropy = -(chances * chances.log()).sum(-1)
            error = (self.critic(x, observation) - target) ** 2
            loss = (-gain + error - self.k["entropy"] * entropy)[part].mean()
            (g,) = torch.autograd.grad(loss, x)
            halves = g.split([self.genes, len(g) - self.genes])
            g = torch.cat([half * min(1.0, self.learner.clip / float(half.norm())) for half in halves])
            self.adam(g, rate)

    def rescale(self, target, iteration, observation):
        """Move mu and sigma a step (a tenth, or the plain average at first); V must not change."""
        before = self.mean + self.sigma * self.critic(self.x, observation)
        old, step = (self.mean, self.sigma), max(0.1, 1 / (iteration + 1))
        self.mean = (1 - step) * self.mean + step * float(target.mean())
        self.square = (1 - step) * self.square + step * float((target**2).mean())
        self.sigma = (self.square - self.mean**2) ** 0.5
        hidden = self.learner.critic
        w2 = self.genes + (observation.shape[-1] + 1) * hidden
        self.x[w2 : w2 + hidden] *= old[1] / self.sigma
        self.x[w2 + hidden] = (old[1] * self.x[w2 + hidden] + old[0] - self.mean) / self.sigma
        after = self.mean + self.sigma * self.critic(self.x, observation)
        torch.testing.assert_close(before, after)
        return (target - self.mean) / self.sigma

    def parts(self, shape, iteration):
        """Yield which steps (T, B) each update looks at: each step once a pass, if the parts fit."""
        generator = self.key.child("pass", iteration).generator()
        whole = torch.arange(shape[0] * shape[1]).reshape(shape)
        for _ in range(self.learner.epochs):
            units = shape[1] if self.state else whole.numel()
            order = torch.from_numpy(generator.permutation(units))
            size = units // self.learner.minibatches
            for number in range(self.learner.minibatches):
                chosen = order[number * size : (number + 1) * size]
                yield torch.isin(whole % shape[1] if self.state else whole, chosen)

    def advantages(self, reward, value, later, terminated, ended):
        """Sum (gamma lambda)^k delta_{t+k} up to the end of episode or rollout, for each step anew."""
        found, gamma = torch.zeros_like(value), self.k["gamma"]
        for b in range(reward.shape[1]):
            for t in range(reward.shape[0]):
                for k in range(t, reward.shape[0]):
                    bootstrap = 0.0 if terminated[k, b] else gamma * later[k, b]
                    delta = reward[k, b] + bootstrap - value[k, b]
                    found[t, b] += (gamma * self.k["gae_lambda"]) ** (k - t) * delta
                    if ended[k, b]:
                        break
        return found

    def adam(self, g, rate):
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * g
        self.v = 0.999 * self.v + 0.001 * g**2
        m, v = self.m / (1 - 0.9**self.t), self.v / (1 - 0.999**self.t)
        self.x = self.x - rate * self.pace * m / (v.sqrt() + 1e-8)


def mean_return(played, row):
    """Mean return of the episodes that ended in the last rollout, each counted from its own first step."""
    returns = []
    for b in range(played[0][1].shape[1]):
        total = 0.0
        for _, _, step in played:
            total += float(step.reward[row, b])
            if step.terminated[row, b] or step.truncated[row, b]:
                returns.append(total)
                total = 0.0
    return sum(returns) / len(returns) if returns else math.nan
