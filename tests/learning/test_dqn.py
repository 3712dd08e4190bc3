from dataclasses import replace

import pytest
import torch
from torch.nn.functional import smooth_l1_loss
from torch_fakes import Layer, defaults, evenly, genome_of, phenotype_of, random_rules

from evogen.connectome.direct import Direct
from evogen.errors import DevelopmentError
from evogen.keys import Key
from evogen.learning.dqn import BLOCK, DQN
from evogen.tasks.cartpole import CartPole
from evogen.testing.tiny import Drift, Walk

from .plain_ppo import Recorded, mean_return
from .test_ppo import TwoStates

STATIC = {7: [Layer(6)], 8: [Layer(3, "selu")]}


def keys(rows):
    return [Key(5).child(row) for row in range(rows)]


def phenotype(rows, *, modules=STATIC, inputs=2, dtype=torch.float64, wiring=None, training="mean"):
    genomes = [genome_of(modules, rules=random_rules(seed=row)) for row in range(rows)]
    found = phenotype_of(*((one, modules) for one in genomes), inputs=inputs, dtype=dtype, wiring=wiring)
    return evenly(replace(found, birth=replace(found.birth, training=training)))


class PlainDQN:
    """One candidate's classic DQN with torch's optimiser and loss, over what a task recorded.

    Nothing of the learner is used but the names of its random streams.
    """

    def __init__(self, learner, phenotype, row, key, values):
        self.learner, self.phenotype, self.row, self.key = learner, phenotype, row, key
        self.x = torch.nn.Parameter(phenotype.flat[row].clone())
        self.target = self.x.detach().clone()
        self.gamma = float(values["gamma"][row])
        self.optimiser = torch.optim.Adam([self.x], lr=float(values["learning_rate"][row]))
        self.updates, self.greedy = 0, 0

    def worth(self, x, observation):
        rows = self.phenotype.flat.clone()
        rows[self.row] = x
        network = self.phenotype.network(rows)
        return network.forward(observation.expand(self.phenotype.rows, -1, -1))[self.row]

    def live(self, played):
        """Follow a candidate through all its steps, one environment: (state, action, step) each."""
        learner = self.learner
        seen = torch.stack([Walk().observe(state)[self.row, 0] for state, _, _ in played])
        for t, (_, action, _) in enumerate(played):
            self.check_action(t, seen[t], int(action[self.row, 0]))
            if (t + 1) % learner.target_every == 0:
                self.target = self.x.detach().clone()
            if (t + 1) % learner.train_every == 0 and t + 1 > learner.starts:
                for _ in range(learner.gradient_steps):
                    self.update(seen, played, t + 1)
        return self.x.detach()

    def check_action(self, t, seen, action):
        numbers = self.key.child("explore", t // BLOCK).generator().random((BLOCK, 2, 1))[t % BLOCK, :, 0]
        progress = t / self.learner.steps
        epsilon = 1 - (1 - self.learner.epsilon_final) * min(1.0, progress / self.learner.epsilon_fraction)
        if t < self.learner.starts or numbers[0] < epsilon:
            assert action == int(2 * numbers[1])
        else:
            assert action == int(self.worth(self.x.detach(), seen[None]).argmax())
            self.greedy += 1

    def update(self, seen, played, length):
        learner = self.learner
        held = min(length, learner.buffer)
        shape = (BLOCK, learner.batch)
        numbers = self.key.child("batch", self.updates // BLOCK).generator().random(shape)
        places = (numbers[self.updates % BLOCK] * held).astype(int)
        # the newest step that lies at this place of the ring
        chosen = [place + (length - 1 - place) // learner.buffer * learner.buffer for place in places]
        batch = [played[t] for t in chosen]
        reward = torch.stack([step.reward[self.row, 0].float() for *_, step in batch])
        done = torch.stack([step.terminated[self.row, 0] for *_, step in batch]).double()
        after = torch.stack([step.observation[self.row, 0] for *_, step in batch])
        action = torch.stack([action[self.row, :1] for _, action, _ in batch])
        with torch.no_grad():
            wanted = reward + (1 - done) * self.gamma * self.worth(self.target, after).max(1).values
        told = self.worth(self.x, seen[chosen]).gather(1, action)[:, 0]
        self.optimiser.zero_grad()
        smooth_l1_loss(told, wanted).backward()
        torch.nn.utils.clip_grad_norm_([self.x], learner.clip)
        self.optimiser.step()
        self.updates += 1


@pytest.mark.parametrize("clip", [10.0, 0.05])
def test_one_environment_is_the_classic_dqn_of_each_candidate(clip):
    """Choice of actions, ring, bootstrapping, Huber loss, clip, Adam and target copies, over 90 steps."""
    found, task = phenotype(2), Recorded()
    learner = DQN(
        steps=90, environments=1, batch=8, buffer=25, starts=20, target_every=7, train_every=4,
        gradient_steps=3, epsilon_fraction=0.5, epsilon_final=0.1, clip=clip,
    )  # fmt: skip
    values = {
        "learning_rate": torch.tensor([0.02, 0.005]).double(),
        "gamma": torch.tensor([0.9, 0.99]).double(),
    }
    fit = learner.fit(found, task, keys(2), values)
    assert len(task.played) == 90
    assert all(
        any(getattr(step, how).any() for *_, step in task.played) for how in ("terminated", "truncated")
    )
    for row in range(2):
        plain = PlainDQN(learner, found, row, keys(2)[row], values)
        x = plain.live(task.played)
        assert plain.updates == 3 * 17  # after steps 24, 28, ..., 88, and not after 20
        assert plain.greedy > 10
        torch.testing.assert_close(fit.flat[row], x, rtol=1e-5, atol=1e-5)
        assert not torch.allclose(fit.flat[row], found.flat[row], atol=1e-3)
    assert fit.steps.tolist() == [90, 90]


def test_truncation_is_bootstrapped_and_termination_is_not():
    """In A, action 0 is worth 0.5; action 1 is worth gamma / (1 - gamma), the future of B, else nothing."""
    found = phenotype(3, dtype=torch.float32)
    learner = DQN(steps=3000, starts=50, target_every=50, gamma=0.5, learning_rate=0.01)
    fit = learner.fit(found, TwoStates(), keys(3), defaults(learner, 3, torch.float32))
    worth = found.network(fit.flat).forward(torch.eye(2).expand(3, -1, -1))
    expected = torch.tensor([[0.5, 0.5 * 2.0], [2.0, 2.0]])  # B pays 1 for ever: 1 / (1 - gamma) = 2
    torch.testing.assert_close(worth, expected.expand(3, -1, -1), rtol=0, atol=0.1)


def test_exploration_falls_linearly_to_its_end():
    learner = DQN(steps=1000, starts=100, epsilon_fraction=0.4, epsilon_final=0.2)
    found = [learner.epsilon(spent) for spent in (0, 99, 100, 200, 300, 400, 401, 999)]
    assert found == pytest.approx([1.0, 1.0, 0.8, 0.6, 0.4, 0.2, 0.2, 0.2])


def test_intervals_count_environment_steps():
    """Four environments, trained on every 8 steps: 2 rounds; a budget of 42 steps takes 11 rounds."""
    found, task = phenotype(1), Recorded()
    learner = DQN(steps=42, environments=4, starts=0, train_every=8, gradient_steps=1, batch=4)
    fit = learner.fit(found, task, keys(1), defaults(learner, 1))
    assert len(task.played) == 11
    assert fit.steps.tolist() == [44]
    assert fit.curve.shape == (1, 11)
    rare = replace(learner, train_every=48)
    assert torch.equal(rare.fit(found, Recorded(), keys(1), defaults(learner, 1)).flat, found.flat)


def test_the_curve_is_the_mean_return_of_the_episodes_that_ended():
    found, task = phenotype(2), Recorded()
    learner = DQN(steps=4800, environments=4, starts=4800)
    fit = learner.fit(found, task, keys(2), defaults(learner, 2))
    first = task.played[:30]
    assert fit.curve.shape == (2, 40)
    assert fit.curve[:, 0].tolist() == pytest.approx([mean_return(first, row) for row in range(2)])


@pytest.mark.parametrize("wiring", [None, Direct()], ids=["synaptogen", "direct"])
def test_a_walk_is_learnt(wiring):
    """By chance a walk pays about 1.4; the best returns are above 3."""
    found = phenotype(3, dtype=torch.float32, wiring=wiring)
    learner = DQN(steps=3000, starts=200, learning_rate=0.01, gamma=0.9, gradient_steps=4)
    fit = learner.fit(found, Walk(), keys(3), defaults(learner, 3, torch.float32))
    assert (fit.curve[:, -5:].mean(1) > fit.curve[:, :2].mean(1) + 0.7).all()


def test_training_through_the_noise_teaches_born_agents():
    found = phenotype(3, dtype=torch.float32, training="noise")
    learner = DQN(steps=2000, starts=200, learning_rate=0.01, gamma=0.9, gradient_steps=4)
    fit = learner.fit(found, Walk(), keys(3), defaults(learner, 3, torch.float32))
    assert (fit.curve[:, -5:].mean(1) > fit.curve[:, :4].mean(1) + 0.7).all()


def test_noise_differs_from_the_mean_in_what_is_acted_and_in_what_is_learnt():
    """With no update the actions differ; with no greedy action the parameters do."""
    noisy, learner = phenotype(1, training="noise"), DQN(steps=200, starts=0, epsilon_fraction=0.01)
    law = replace(noisy.birth, degree=0.1, counts="poisson", conductance="drawn")
    noisy = replace(noisy, birth=law)
    found = [noisy, replace(noisy, birth=replace(noisy.birth, training="mean"))]
    idle, late = replace(learner, train_every=1000), replace(learner, starts=199, train_every=200)
    tasks = [Recorded(), Recorded()]
    for each, task in zip(found, tasks, strict=True):
        idle.fit(each, task, keys(1), defaults(learner, 1))
    actions = [torch.stack([action for _, action, _ in task.played]) for task in tasks]
    assert not torch.equal(*actions)
    learnt = [late.fit(each, Walk(), keys(1), defaults(learner, 1)).flat for each in found]
    assert not torch.equal(*learnt)


def test_noise_leaves_a_candidate_its_own_bits():
    found = phenotype(3, dtype=torch.float32, training="noise")
    alone = phenotype_of(
        (genome_of(STATIC, rules=random_rules(seed=1)), STATIC), inputs=2, dtype=torch.float32
    )
    alone = evenly(replace(alone, birth=found.birth))
    learner = DQN(steps=400, environments=4, starts=20, batch=16)
    values = defaults(learner, 3, torch.float32)
    company = learner.fit(found, Walk(), keys(3), values)
    single = learner.fit(alone, Walk(), keys(3)[1:2], {name: value[1:2] for name, value in values.items()})
    assert torch.equal(company.flat[1], single.flat[0])
    assert torch.equal(company.curve[1], single.curve[0])


def test_cartpole_is_learnt():
    """A random policy balances for about 22 steps; at most 500 are possible."""
    rows, modules = 4, {7: [Layer(64, "selu")]}
    genomes = [genome_of(modules, rules=random_rules(16, 3, seed=row)) for row in range(rows)]
    found = phenotype_of(*((one, modules) for one in genomes), dtype=torch.float32)
    learner = DQN(steps=8000)
    fit = learner.fit(found, CartPole(), keys(rows), defaults(learner, rows, torch.float32))
    assert (fit.curve[:, 0] < 30).all()
    assert (fit.curve.amax(1) > 150).sum() >= 3


def test_networks_with_memory_are_refused():
    plastic = {7: [Layer(6, "tanh", rule="abcd")]}
    learner = DQN(steps=10)
    with pytest.raises(DevelopmentError, match=r"wanted networks without memory.*use the learner 'ppo'"):
        learner.fit(phenotype(1, modules=plastic), Walk(), keys(1), defaults(learner, 1))


def test_real_valued_actions_do_not_fit():
    assert Drift().kind not in DQN().fits
