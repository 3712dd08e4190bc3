"""Liquids against plain loops and scikit-learn, their evolution, and what a seed's numbers depend on."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.model_selection import PredefinedSplit

from evogen.keys import Key
from evogen.studies import find
from evogen.studies.liquid import PARTS, learnable, looks, partial, spearman, validated, work
from evogen.studies.liquid.liquids import (
    NEURON,
    RIDGE,
    STILL,
    TRACE,
    Law,
    Liquids,
    Readout,
    answers,
    born,
    live,
    shown,
    small_world,
)
from evogen.studies.liquid.search import Budget, drawn, evolved, ranked
from evogen.tasks.digits import Digits

N = 20
KEYS = [Key(0).child(number) for number in range(3)]
TINY = {"neurons": 24, "ticks": 1, "liquids": 5, "population": 3, "generations": 2}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_ring_without_rewiring_and_any_graph_of_that_degree_with() -> None:
    ring = small_world(N, 4, 0.0, rng())
    assert np.flatnonzero(ring[0]).tolist() == [1, 2, N - 2, N - 1]
    assert all(np.array_equal(ring[at], np.roll(ring[0], at)) for at in range(N))
    graph = small_world(N, 7, 1.0, rng())
    assert (graph.sum(1) == 7).all()
    assert not graph.diagonal().any()
    share = (small_world(400, 10, 0.3, rng()) & small_world(400, 10, 0.0, rng())).sum() / 4000
    assert share == pytest.approx(0.7, abs=0.03)


def test_a_life_equals_the_equations_in_plain_loops() -> None:
    liquids = born(Law(gain=(5.0, 5.0)), KEYS[:1], N)
    drive = torch.from_numpy(rng().random((12, 2, 8)).astype(np.float32))
    found = live(liquids, drive)
    W, inlet = liquids.weights[0].double().numpy(), liquids.inlet[0].double().numpy()
    assert ((W >= 0).all(1) | (W <= 0).all(1)).all()  # Dale's law: a neuron's signs are all alike
    for batch in range(2):
        v, s, r = np.zeros(N), np.zeros(N), np.zeros(N)
        for t in range(12):
            u = drive[t, batch].double().numpy() @ inlet + s @ W
            m = v + (u - v) / NEURON.tau
            s = (m > NEURON.theta).astype(float)
            v = m - NEURON.theta * s
            r = r + (s - r) / TRACE
            assert np.array_equal(found[t, 0, batch].numpy(), s)
        np.testing.assert_allclose(answers(liquids, drive)[0, batch].numpy(), r, rtol=1e-5)
    assert 0 < found.mean() < 1


def test_the_readout_is_ridge_regression() -> None:
    states = torch.from_numpy(rng().normal(size=(1, 60, 6)))
    labels = torch.from_numpy(rng(1).integers(10, size=60))
    readout = Readout.fitted(states, labels)
    X = (states[0] - states[0].mean(0)) / (states[0].std(0) + STILL)
    bare = Ridge(alpha=RIDGE, fit_intercept=False).fit(
        torch.cat([X, torch.ones(60, 1)], 1).numpy(), np.eye(10)[labels.numpy()]
    )
    np.testing.assert_allclose(readout.B[0].numpy().T, bare.coef_, atol=1e-10)
    wanted = (bare.predict(readout.scaled(states)[0].numpy()).argmax(1) == labels.numpy()).mean()
    assert float(readout.accuracy(states, labels)) == wanted


def test_images_are_shown_row_after_row() -> None:
    rows, labels = shown(Digits(), "test", 3)
    assert rows.shape == (24, len(labels), 8)
    assert torch.equal(rows[0], rows[2])
    assert rows.min() == 0
    assert rows.max() == 1


def test_partial_correlation_is_that_of_what_the_third_leaves() -> None:
    z = rng().normal(size=50)
    x, y = z + rng(1).normal(size=50), z + rng(2).normal(size=50)
    ranks = [stats.rankdata(each) for each in (x, y, z)]
    left = [each - np.polyval(np.polyfit(ranks[2], each, 1), ranks[2]) for each in ranks[:2]]
    assert partial(x, y, z) == pytest.approx(np.corrcoef(*left)[0, 1])
    assert math.isnan(spearman(x, np.ones(50)))


def test_evolution_looks_at_as_many_liquids_as_its_budget_and_keeps_the_best() -> None:
    seen: list[Liquids] = []

    def dense(liquids: Liquids) -> torch.Tensor:
        seen.append(liquids)
        return liquids.graph.sum((1, 2)).double()

    budget = Budget(6, 15)
    best = evolved(dense, Law(), KEYS[0], budget, N)
    assert sum(len(each.gain) for each in seen) == budget.liquids
    assert torch.equal(seen[0].graph, drawn(Law(), KEYS[0], 6, N).graph)
    assert float(dense(best)) == max(float(each.graph.sum((1, 2)).max()) for each in seen)
    assert float(dense(best)) > float(dense(drawn(Law(), KEYS[0], budget.liquids, N)).max())
    assert not best.graph[0].diagonal().any()


def test_two_aims_count_by_their_ranks() -> None:
    scores = torch.tensor([[1.0, 30.0], [3.0, 10.0], [2.0, 20.0], [9.0, 90.0]])
    assert ranked(scores).tolist() == [2, 2, 2, 6]


def test_looks_are_a_liquids_own() -> None:
    every = drawn(Law(), KEYS[0], 3, N)
    whole = looks(every, KEYS[1])
    assert torch.equal(looks(every.pick([1]), KEYS[1])[0], whole[1])
    quiet = every._replace(inlet=0 * every.inlet)
    assert looks(quiet, KEYS[1])[:, 1].tolist() == [-1, -1, -1]


@pytest.mark.parametrize(("task", "arm"), [("predict", "varied"), ("evolve", "evolved-blind")])
def test_a_seeds_numbers_do_not_depend_on_the_others(task: str, arm: str) -> None:
    both, one = work(task, arm, (0, 1), TINY), work(task, arm, (1,), TINY)
    assert {name: values[1:] for name, values in both.items()} == one


def test_cross_validation_is_that_of_scikit_learn_and_never_sees_the_test_fold() -> None:
    liquids = drawn(Law(), KEYS[0], 2, N)
    rows, labels = learnable(0, 1)
    assert rows.shape[1] + len(shown(Digits(split_seed=0), "test", 1)[1]) == 1797
    parts = PredefinedSplit(np.arange(len(labels)) % PARTS)
    states, right = answers(liquids, rows)[1].numpy(), 0.0
    for inside, asked in parts.split():
        centre, spread = states[inside].mean(0), states[inside].std(0, ddof=1) + STILL
        X = [np.c_[(states[part] - centre) / spread, np.ones(len(part))] for part in (inside, asked)]
        ridge = Ridge(alpha=RIDGE, fit_intercept=False).fit(X[0], np.eye(10)[labels[inside]])
        right += (ridge.predict(X[1]).argmax(1) == labels[asked].numpy()).sum()
    assert float(validated(liquids, 0, 1)[1]) == pytest.approx(right / len(labels), abs=2 / len(labels))


def test_every_arm_measures_what_its_task_declares() -> None:
    assert find("liquid").title.startswith("Liquids")
    for arm in ("drawn", "searched", "evolved"):
        found = work("evolve", arm, (0,), TINY)
        assert found.keys() == {"accuracy", "small_world", "distance"}
        assert 10 < found["accuracy"][0] < 100
    assert work("evolve", "pixels", (0,), TINY)["accuracy"][0] > 85
