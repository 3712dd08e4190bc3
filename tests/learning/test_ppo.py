from dataclasses import dataclass, replace

import pytest
import torch
from torch_fakes import Layer, Readout, defaults, genome_of, phenotype_of, random_rules

from evogen.connectome.direct import Direct
from evogen.keys import Key
from evogen.learning.critic import Critic
from evogen.learning.ppo import PPO
from evogen.tasks import Step, TaskKind
from evogen.tasks.cartpole import CartPole
from evogen.tasks.episodes import BatchedEpisodes
from evogen.testing.tiny import Walk

from .plain_ppo import PlainPPO, Recorded, mean_return

STATIC = {7: [Layer(6)], 8: [Layer(3, "selu")]}
PLASTIC = {7: [Layer(6, "tanh", rule="abcd"), Readout(1.0, "abcd", (("oja", 0.5), ("decay", 0.1)))]}
LEAKY = {7: [Layer(6, "tanh", "leaky", 2.5), Layer(4, "relu", "leaky", 1.5)]}
BOTH = {7: [Layer(6, "tanh", "leaky", 2.5, rule="abcd"), Layer(4, rule="abcd")], 8: [Layer(3, "selu")]}
NETWORKS = {"static": STATIC, "plastic": PLASTIC, "leaky": LEAKY, "both": BOTH}


def keys(rows):
    return [Key(5).child(row) for row in range(rows)]


def phenotype(modules, rows, *, inputs=2, dtype=torch.float64, wiring=None):
    genomes = [
        genome_of(modules, rules=random_rules(seed=row), plasticity={"rule.abcd.eta": 0.3})
        for row in range(rows)
    ]
    return phenotype_of(*((one, modules) for one in genomes), inputs=inputs, dtype=dtype, wiring=wiring)


@pytest.fixture
def critics(monkeypatch):
    """First draws of all critics, (P, size) each."""
    drawn, draw = [], Critic.draw

    def remembered(self, keys):
        drawn.append(draw(self, keys))
        return drawn[-1]

    monkeypatch.setattr(Critic, "draw", remembered)
    return drawn


@pytest.mark.parametrize(
    ("name", "minibatches"),
    [("static", 1), ("static", 3), ("plastic", 1), ("leaky", 1), ("both", 1), ("both", 2)],
)
def test_training_equals_a_straightforward_ppo_of_each_candidate(name, minibatches, critics):
    """Rollout, GAE, loss, gradient through the replay, clipping and Adam together, over three iterations.

    Episodes of Walk end both ways within five steps, so networks with memory are reset within rollouts and
    carry their state from one to the next: a replay that differs from the rollout would change the ratios.
    """
    found, task = phenotype(NETWORKS[name], 2), Recorded()
    learner = PPO(
        iterations=3, environments=3, horizon=12, epochs=3, minibatches=minibatches, critic=5, clip=0.3
    )
    values = defaults(learner, 2) | {
        "learning_rate": torch.tensor([0.02, 0.05]).double(),
        "gamma": torch.tensor([0.9, 0.99]).double(),
        "entropy": torch.tensor([0.0, 0.1]).double(),
        "clip_range": torch.tensor([0.2, 0.02]).double(),
    }
    fit = learner.fit(found, task, keys(2), values)
    assert len(task.played) == 3 * 12
    endings = [
        torch.stack([getattr(step, how) for *_, step in task.played]) for how in ("terminated", "truncated")
    ]
    assert all(ending.any() for ending in endings)
    for row in range(2):
        plain = PlainPPO(learner, found, row, critics[0][row].double(), values, keys(2)[row])
        for iteration in range(3):
            start = 12 * iteration
            plain.iterate(task.played[start : start + 12], task.played[:start], iteration)
        torch.testing.assert_close(fit.flat[row], plain.x[: plain.genes], rtol=1e-6, atol=1e-6)
        assert not torch.allclose(fit.flat[row], found.flat[row], atol=1e-3)
    assert fit.steps.tolist() == [3 * 12 * 3] * 2


def test_candidates_and_rollouts_meet_different_chances():
    """With a policy that does not change, the actions of two rollouts agree by chance only."""
    found, task = phenotype(STATIC, 1), Recorded()
    still = found.network(found.flat * 0).step(torch.ones(1, 1, 2), {})[0]
    assert torch.equal(still[..., 0], still[..., 1])
    found = replace(found, flat=found.flat * 0)
    learner = PPO(iterations=2, environments=8, horizon=32)
    values = defaults(learner, 1) | {"learning_rate": torch.zeros(1).double()}
    for key in keys(2):
        learner.fit(found, task, [key], values)
    actions = torch.stack([action[0] for _, action, _ in task.played]).reshape(4, -1)
    agreement = torch.stack([(actions[i] == actions[j]).double().mean() for i in range(4) for j in range(i)])
    assert ((agreement - 0.5).abs() < 4 * 0.5 / 256**0.5).all()
    starts = torch.stack([state[0, :, 0] for state, _, _ in task.played[::64]])
    assert len(starts.unique()) == 2 * 8


def test_the_critic_starts_at_zero_with_a_hidden_layer_of_unit_drive():
    """W1 ~ N(0, 1 / inputs), all else 0, one draw a key."""
    critic = Critic(inputs=4, hidden=500)
    flat = critic.draw(keys(2))
    W1 = flat[:, :2000]
    assert abs(float(W1.var()) * 4 - 1) < 4 * (2 / 4000) ** 0.5
    assert not flat[:, 2000:].any()
    assert not torch.equal(*flat)
    assert not critic.value(flat, torch.ones(2, 3, 4)).any()


def test_the_curve_is_the_mean_return_of_the_episodes_that_ended():
    found, task = phenotype(STATIC, 2), Recorded()
    learner = PPO(iterations=1, environments=3, horizon=40, minibatches=3)
    fit = learner.fit(found, task, keys(2), defaults(learner, 2))
    assert fit.curve[:, 0].tolist() == pytest.approx([mean_return(task.played, row) for row in range(2)])


def test_an_episode_that_spans_rollouts_counts_with_all_its_rewards():
    """With rollouts of 3 steps, an episode of 5 steps ends in the second at the earliest."""
    found, task = phenotype(STATIC, 1), Recorded()
    learner = PPO(iterations=8, environments=1, horizon=3, minibatches=1)
    fit = learner.fit(found, task, keys(1), defaults(learner, 1))
    expected, total, latest = [], 0.0, 0.0
    for number in range(8):
        ended = []
        for _, _, step in task.played[3 * number : 3 * number + 3]:
            total += step.reward.item()
            if step.terminated.item() or step.truncated.item():
                ended.append(total)
                total = 0.0
        latest = sum(ended) / len(ended) if ended else latest
        expected.append(latest)
    assert fit.curve[0].tolist() == pytest.approx(expected)


@dataclass(frozen=True)
class TwoStates:
    """From A action 0 pays 0.5 and terminates, action 1 pays nothing and truncates; B pays 1 and truncates.

    All end in sight of B, worth 1 / (1 - gamma). Only who bootstraps truncations, and terminations not,
    prefers action 1 in A.
    """

    kind = TaskKind.CONTROL
    reported = "nothing"
    inputs = 2
    outputs = 2
    draws = 1
    horizon = 1
    normalised = False

    def start(self, keys, copies, device, *, again=True):
        return BatchedEpisodes(self, keys, copies, device, again=again)

    def reset(self, uniforms):
        state = torch.where(uniforms < 0.5, 0.0, 1.0).double()  # 0: A, 1: B
        return state, self._observe(state)

    def step(self, state, action):
        in_a = state[..., 0] == 0
        terminated = in_a & (action == 0)
        reward = torch.where(in_a, 0.5 * terminated, 1.0)
        return Step(
            torch.ones_like(state), self._observe(torch.ones_like(state)), reward, terminated, ~terminated
        )

    def _observe(self, state):
        return torch.cat([1 - state, state], -1).float()


def test_truncation_is_bootstrapped_and_termination_is_not():
    found = phenotype(STATIC, 3, dtype=torch.float32)
    learner = PPO(iterations=12, horizon=16, learning_rate=0.03, gamma=0.8)
    fit = learner.fit(found, TwoStates(), keys(3), defaults(learner, 3, torch.float32))
    output, _ = found.network(fit.flat).step(torch.tensor([1.0, 0.0]).expand(3, 1, -1), {})
    assert (output.softmax(-1)[:, 0, 1] > 0.8).all()


def test_cartpole_is_learnt():
    """A random policy balances for about 22 steps; at most 500 are possible. All eight candidates count."""
    rows, modules = 8, {7: [Layer(64)]}
    genomes = [genome_of(modules, rules=random_rules(16, 3, seed=row)) for row in range(rows)]
    found = phenotype_of(*((one, modules) for one in genomes), dtype=torch.float32)
    learner = PPO(iterations=20, learning_rate=0.03)
    fit = learner.fit(found, CartPole(), keys(rows), defaults(learner, rows, torch.float32))
    assert (fit.curve[:, 0] < 30).all()
    assert fit.curve[:, -1].mean() > 120
    assert (fit.curve[:, -1] > 30).all()


def test_one_candidates_gradient_does_not_touch_another():
    found = phenotype(STATIC, 3, dtype=torch.float32)
    learner = PPO(iterations=2, environments=4, horizon=10)
    values = defaults(learner, 3, torch.float32)
    steady = learner.fit(found, Walk(), keys(3), values)
    values["learning_rate"] = torch.tensor([0.01, 0.0, 1e20])
    fit = learner.fit(found, Walk(), keys(3), values)
    assert torch.equal(fit.flat[0], steady.flat[0])
    assert torch.equal(fit.curve[0], steady.curve[0])
    assert torch.equal(fit.flat[1], found.flat[1])
    assert not fit.flat[2].isfinite().all()


def test_direct_wiring_is_tuned_too():
    found = phenotype(STATIC, 2, wiring=Direct(), dtype=torch.float32)
    learner = PPO(iterations=15, horizon=32, learning_rate=0.03)
    fit = learner.fit(found, Walk(), keys(2), defaults(learner, 2, torch.float32))
    assert (fit.curve[:, -3:].mean(1) > fit.curve[:, :3].mean(1) + 0.5).all()


def test_fewer_environments_than_minibatches_are_refused():
    with pytest.raises(ValueError, match="environments 2: wanted at least minibatches 4"):
        PPO(environments=2)
