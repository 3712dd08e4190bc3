"""Graph and activity measures against networkx, numpy and processes whose numbers are known."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
import torch

from evogen.metrics.topology import (
    Topology,
    branching_ratio,
    clustering,
    distance,
    separation_rank,
    small_world,
    undirected,
)
from evogen.tasks import TaskKind
from evogen.testing.metric import subject

GRAPHS = {
    "ring": nx.watts_strogatz_graph(40, 6, 0.0, seed=0),
    "small world": nx.watts_strogatz_graph(40, 6, 0.1, seed=0),
    "random": nx.gnp_random_graph(40, 0.15, seed=0),
    "in two parts": nx.disjoint_union(nx.cycle_graph(30), nx.complete_graph(10)),
}


def matrices() -> torch.Tensor:
    return torch.stack([torch.from_numpy(nx.to_numpy_array(graph)) for graph in GRAPHS.values()])


def test_clustering_and_distance_are_those_of_networkx() -> None:
    G = undirected(matrices())
    found = clustering(G, torch.full((len(G),), 40.0))
    wanted = [nx.average_clustering(graph) for graph in GRAPHS.values()]
    assert found.tolist() == pytest.approx(wanted)
    for at, graph in enumerate(GRAPHS.values()):
        lengths = [
            steps
            for source, reached in nx.all_pairs_shortest_path_length(graph)
            for target, steps in reached.items()
            if source != target
        ]
        assert float(distance(G)[at]) == pytest.approx(np.mean(lengths))


def test_directions_loops_and_signs_do_not_count() -> None:
    A = matrices()[1:2]
    one_way = -A.triu() + torch.eye(40)
    assert torch.equal(undirected(one_way), undirected(A))


def test_padding_does_not_count() -> None:
    A = matrices()[1:3]
    padded = torch.zeros(2, 64, 64, dtype=A.dtype)
    padded[:, :40, :40] = A
    n = torch.full((2,), 40)
    torch.testing.assert_close(small_world(padded, n), small_world(A, n))


def test_random_graphs_are_at_one_and_small_worlds_above() -> None:
    graphs = [nx.gnp_random_graph(150, 0.08, seed=seed) for seed in range(8)]
    A = torch.stack([torch.from_numpy(nx.to_numpy_array(graph)) for graph in graphs])
    assert float(small_world(A, torch.full((8,), 150)).mean()) == pytest.approx(1.0, abs=0.05)
    world = torch.from_numpy(nx.to_numpy_array(nx.watts_strogatz_graph(150, 12, 0.1, seed=0)))
    assert float(small_world(world[None], torch.tensor([150]))) > 3.0
    assert small_world(torch.zeros(1, 9, 9), torch.tensor([9])).isnan().all()


@pytest.mark.parametrize("m", [0.0, 0.5, 0.9, 1.0])
def test_branching_with_immigration_shows_its_ratio(m: float) -> None:
    rng = np.random.default_rng(0)
    runs, steps = 50, 400
    a = np.zeros((runs, steps))
    a[:, 0] = 100
    for t in range(1, steps):
        a[:, t] = rng.poisson(m * a[:, t - 1] + 5.0)
    assert float(branching_ratio(torch.from_numpy(a)[None])[0]) == pytest.approx(m, abs=0.02)


def test_rank_is_that_of_numpy_and_nan_where_a_state_is() -> None:
    rng = np.random.default_rng(0)
    low = rng.normal(size=(12, 4)) @ rng.normal(size=(4, 9))
    states = torch.from_numpy(np.stack([low, rng.normal(size=(12, 9)), np.full((12, 9), math.nan)]))
    assert separation_rank(states)[:2].tolist() == [np.linalg.matrix_rank(low), 9]
    assert math.isnan(separation_rank(states)[2])


def test_the_graph_is_that_of_the_candidates_links() -> None:
    asked = subject(TaskKind.CLASSIFICATION)
    A, neurons = Topology().graph(asked)
    assert neurons.tolist() == [6 + 7 + 3] * 3
    assert A.sum((1, 2)).tolist() == [6 * 7 + 7 * 3] * 3
    few, _ = Topology(threshold=0.5).graph(asked)
    assert (few.sum((1, 2)) < A.sum((1, 2))).all()
