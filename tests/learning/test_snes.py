import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch_fakes import Layer, defaults, genome_of, phenotype_of, random_rules

from evogen.connectome.direct import Direct
from evogen.keys import Key
from evogen.learning.natural import Search, samples, update, utilities
from evogen.learning.snes import SNES, chosen, measure, scales
from evogen.tasks.cartpole import CartPole
from evogen.tasks.play import play
from evogen.testing import tiny
from evogen.testing.tiny import Drift, Walk

STATIC = {7: [Layer(6)], 8: [Layer(3, "selu")]}


def keys(rows):
    return [Key(5).child(row) for row in range(rows)]


def phenotype(rows, *, modules=STATIC, inputs=2, dtype=torch.float32, wiring=None, training="mean", g=5):
    genomes = [genome_of(modules, rules=random_rules(g, seed=row)) for row in range(rows)]
    found = phenotype_of(*((one, modules) for one in genomes), inputs=inputs, dtype=dtype, wiring=wiring)
    return replace(found, birth=replace(found.birth, training=training, degree=100.0))


def published(mean, sigma, fitness, *, rounds, rng, population, mean_rate, sigma_rate):
    """Algorithm 6 of Wierstra et al. 2014, sample by sample and coordinate by coordinate."""
    entries = len(mean)
    for _ in range(rounds):
        s = rng.standard_normal((population, entries))
        z = [[mean[i] + sigma[i] * s[k, i] for i in range(entries)] for k in range(population)]
        order = sorted(range(population), key=lambda k: -fitness(np.array(z[k])))
        raw = [max(0.0, math.log(population / 2 + 1) - math.log(k)) for k in range(1, population + 1)]
        u = [each / sum(raw) - 1 / population for each in raw]
        grad_mean = [sum(u[k] * s[order[k], i] for k in range(population)) for i in range(entries)]
        grad_sigma = [
            sum(u[k] * (s[order[k], i] ** 2 - 1) for k in range(population)) for i in range(entries)
        ]
        mean = [mean[i] + mean_rate * sigma[i] * grad_mean[i] for i in range(entries)]
        sigma = [sigma[i] * math.exp(sigma_rate / 2 * grad_sigma[i]) for i in range(entries)]
    return mean, sigma


def ellipsoid(z):
    return -(z**2 * np.array([1.0, 10.0, 0.1])).sum(-1)


def test_each_row_follows_the_published_update():
    starts, spread = [[1.0, -2.0, 3.0], [0.5, 0.5, 0.5]], [[0.3, 0.5, 1.0], [1.0, 1.0, 2.0]]
    search = Search(*(torch.tensor(part, dtype=torch.float64) for part in (starts, spread)))
    rates = torch.tensor([[1.0, 0.7], [0.4, 0.6]], dtype=torch.float64)
    generators = [np.random.default_rng(row) for row in range(2)]
    for _ in range(15):
        drawn = torch.from_numpy(np.stack([rng.standard_normal((7, 3)) for rng in generators]))
        returns = torch.from_numpy(ellipsoid(samples(search, drawn).numpy()))
        search = update(search, drawn, utilities(returns), mean_rate=rates[0], sigma_rate=rates[1])
    for row in range(2):
        mean, sigma = published(
            starts[row], spread[row], ellipsoid, rounds=15, rng=np.random.default_rng(row), population=7,
            mean_rate=float(rates[0, row]), sigma_rate=float(rates[1, row]),
        )  # fmt: skip
        assert search.mean[row].tolist() == pytest.approx(mean, rel=1e-9)
        assert search.sigma[row].tolist() == pytest.approx(sigma, rel=1e-9)


def test_the_optimum_of_a_sphere_is_found():
    """SNES converges linearly on a separable bowl; sigma shrinks with the distance."""
    entries = 10
    search = Search(torch.full((2, entries), 3.0).double(), torch.ones(2, entries).double())
    rate = torch.full((2,), (3 + math.log(entries)) / (5 * math.sqrt(entries))).double()
    generator, distance = torch.Generator().manual_seed(0), []
    for _ in range(400):
        half = torch.randn(2, 5, entries, generator=generator, dtype=torch.float64)
        drawn = torch.cat([half, -half], 1)
        returns = -samples(search, drawn).square().sum(-1)
        search = update(search, drawn, utilities(returns), mean_rate=torch.ones(2).double(), sigma_rate=rate)
        distance.append(search.mean.norm(dim=1).amax().item())
    assert distance[-1] < 1e-6
    assert search.sigma.amax() < 1e-5


def test_utilities_are_those_of_the_ranks():
    """Four samples: raw values ln 3 - ln k, zero from k = 3 on."""
    found = utilities(torch.tensor([[0.0, 5.0, -1.0, 2.0], [9.0, 8.0, 7.0, 6.0]]))
    first, second = math.log(3), math.log(3) - math.log(2)
    u = [first / (first + second) - 0.25, second / (first + second) - 0.25, -0.25, -0.25]
    assert found[0].tolist() == pytest.approx([u[2], u[0], u[3], u[1]])
    assert found[1].tolist() == pytest.approx(u)


def test_equal_returns_rank_in_order_and_what_is_no_number_is_worst():
    ranked = utilities(torch.tensor([[4.0, 3.0, 2.0, 1.0]]))
    assert torch.equal(utilities(torch.full((1, 4), 200.0)), ranked)
    broken = utilities(torch.tensor([[1.0, torch.nan, 2.0, 0.0]]))
    assert torch.equal(broken, utilities(torch.tensor([[1.0, -5.0, 2.0, 0.0]])))


@pytest.mark.parametrize("wiring", [None, Direct()], ids=["synaptogen", "direct"])
def test_padding_stays_inert_and_deviations_follow_the_parameters(wiring):
    found = phenotype(2, wiring=wiring)
    spread, count = scales(found)
    for row in range(2):
        own = found.trim(found.flat, row)
        assert count[row] == sum(_expressed(found, row, name) for name in own)
        for slot in found.slots:
            part = spread[row, slot.start : slot.start + slot.size]
            entries = found.flat[row, slot.start : slot.start + slot.size][part > 0].double()
            if not entries.any():  # biases of `direct` begin at zero; a level without neurons has none
                entries = found.flat[row, spread[row] > 0].double() if len(entries) else torch.zeros(1)
            assert len(part.unique()) <= 2
            assert float(part.max()) == pytest.approx(float(entries.square().mean().sqrt()))
    fit = SNES(steps=300).fit(found, Walk(), keys(2), defaults(SNES(), 2, torch.float32))
    moved = fit.flat != found.flat
    assert not moved[spread == 0].any()
    assert moved[spread > 0].float().mean() > 0.99
    for row in range(2):
        grown = found.network(fit.flat).weights
        padding = [weight[row] * (1 - mask[row]) for weight, mask in zip(grown, found.masks, strict=True)]
        assert not any(part.any() for part in padding)


def _expressed(found, row, name):
    """How many entries of a parameter belong to the candidate."""
    places = [place for place in found.bodies[row].places if place.name == name]
    value = found.trim(found.flat, row)[name]
    return sum(value[place.index].size for place in places) if "." in name else value.size


def test_what_input_neurons_know_of_observations_is_kept():
    found = phenotype(1)
    development = tiny.Development(tiny.FREE, {}, Key(0).child("tiny"), torch.float32, normalised=True)
    one = tiny.genome(0, rules=False)
    found = tiny.develop(development, [tiny.embryo(development, one, tiny.plan(one, Drift()))])
    spread, _ = scales(found)
    fit = SNES(steps=100).fit(found, Drift(), keys(1), defaults(SNES(), 1, torch.float32))
    for slot in found.slots:
        part = slice(slot.start, slot.start + slot.size)
        known = slot.name in ("0.m", "0.s")
        assert known == (not spread[:, part].any())
        assert known == torch.equal(fit.flat[:, part], found.flat[:, part])


def test_rows_of_a_phenotype_may_be_chosen_and_repeated():
    found = phenotype(3, modules={7: [Layer(6, "tanh", "leaky", 2.0, rule="abcd")]})
    observation = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(0))
    network = found.network(found.flat)
    output, _ = network.step(observation, network.start(4))
    rows = torch.tensor([2, 2, 0])
    some = chosen(found, rows)
    network = some.network(some.flat)
    again, _ = network.step(observation[rows], network.start(4))
    assert torch.equal(again, output[rows])


def test_only_steps_of_running_episodes_are_counted_and_paid():
    found = phenotype(4)
    agents = found.network(found.flat).detach()
    returns, steps = measure(Walk(), agents, keys(4), episodes=3)
    assert torch.equal(returns, play(Walk(), agents, keys=keys(4), episodes=3).mean(1))
    for row in range(4):
        lasted = 0
        episodes = Walk().start(keys(4)[row : row + 1], 3, torch.device("cpu"), again=False)
        over = torch.zeros(1, 3, dtype=torch.bool)
        while not over.all():
            lasted += int((~over).sum())
            output, _ = found.network(found.flat).step(episodes.observation.expand(4, -1, -1), {})
            turn = episodes.step(output[row : row + 1].argmax(-1))
            over |= turn.terminated | turn.truncated
        assert steps[row] == lasted


@dataclass(frozen=True)
class Endless(Walk):
    """A walk without edges: every episode lasts five steps and pays 1."""

    def step(self, state, action):
        step = super().step(state, action)
        paid = torch.where(step.truncated, 1.0, torch.zeros_like(step.reward))
        return step._replace(reward=paid, terminated=torch.zeros_like(step.terminated))


def test_a_budget_is_spent_generation_by_generation():
    """Six samples of two episodes of five steps cost 60; the third generation is begun at 120 of 121."""
    found = phenotype(2)
    learner = SNES(population=5, episodes=2, steps=121)
    fit = learner.fit(found, Endless(), keys(2), defaults(learner, 2, torch.float32))
    assert fit.steps.tolist() == [180, 180]
    assert fit.steps.dtype == torch.int64
    assert torch.equal(fit.curve, torch.ones(2, 40).double())


def test_candidates_that_spend_at_different_paces_are_as_alone():
    found = phenotype(3, training="noise")
    learner = SNES(steps=400)
    values = defaults(learner, 3, torch.float32)
    fit = learner.fit(found, Walk(), keys(3), values)
    assert len(set(fit.steps.tolist())) > 1
    for row in range(3):
        own = {name: value[row : row + 1] for name, value in values.items()}
        alone = chosen(found, torch.tensor([row]))
        single = learner.fit(alone, Walk(), keys(3)[row : row + 1], own)
        assert torch.equal(single.flat[0], fit.flat[row])
        assert torch.equal(single.curve[0], fit.curve[row])
        assert single.steps[0] == fit.steps[row]


def test_a_cohort_cut_for_its_memory_learns_the_same(monkeypatch):
    found = phenotype(3)
    learner = SNES(steps=200)
    values = defaults(learner, 3, torch.float32)
    whole = learner.fit(found, Walk(), keys(3), values)
    monkeypatch.setattr("evogen.learning.snes.ROOM", 1)
    cut = learner.fit(found, Walk(), keys(3), values)
    assert torch.equal(whole.flat, cut.flat)
    assert torch.equal(whole.steps, cut.steps)


@pytest.mark.parametrize("task", [Walk(), Drift()])
@pytest.mark.parametrize("training", ["mean", "noise"])
def test_both_kinds_of_action_are_learnt(task, training):
    found = phenotype(3, training=training)
    learner = SNES(steps=15_000, episodes=4)
    fit = learner.fit(found, task, keys(3), defaults(learner, 3, torch.float32))
    assert (fit.curve[:, -5:].mean(1) > fit.curve[:, 0] + 0.5).all()


def test_cartpole_is_learnt():
    """A random network balances for about 10 steps; at most 500 are possible."""
    rows, modules = 4, {7: [Layer(64, "selu")]}
    found = phenotype(rows, modules=modules, inputs=4, g=16)
    learner = SNES(steps=30_000)
    fit = learner.fit(found, CartPole(), keys(rows), defaults(learner, rows, torch.float32))
    assert (fit.curve[:, 0] < 50).all()
    assert (fit.curve[:, -1] > 80).all()


def test_the_number_of_samples_follows_the_parameters():
    assert SNES().width(1000) == 4 + 20
    assert SNES(population=7).width(1000) == 8
