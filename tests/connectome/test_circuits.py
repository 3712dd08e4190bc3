import dataclasses
from collections import Counter

import networkx as nx
import numpy as np
import pytest

from evogen.connectome.circuits import CONTROLS, GIVEN, Circuit, Node, attached, controlled, statistics
from evogen.connectome.circuits.areas import Areas
from evogen.connectome.circuits.circuit import levels
from evogen.connectome.circuits.controls import movable, open_pairs
from evogen.connectome.circuits.laminar import Laminar
from evogen.connectome.circuits.ncap import Ncap
from evogen.errors import DevelopmentError, SpecError
from evogen.keys import Key

KEY = Key(3)


def random_circuit(seed, *, neurons=30, edges=120, gaps=20, dale=True):
    rng = Key(seed).child("circuit").generator()
    strength = np.zeros((neurons, neurons))
    pairs = [(i, j) for i in range(neurons) for j in range(neurons) if i != j]
    for at in rng.permutation(len(pairs))[:edges]:
        strength[pairs[at]] = rng.integers(1, 20)
    signs = rng.integers(0, 2, neurons) * 2 - 1
    sign = np.repeat(signs[:, None], neurons, 1) if dale else rng.integers(0, 2, (neurons, neurons)) * 2 - 1
    electrical = np.zeros((neurons, neurons))
    halves = [(i, j) for i, j in pairs if i < j]
    for at in rng.permutation(len(halves))[:gaps]:
        i, j = halves[at]
        electrical[i, j] = electrical[j, i] = rng.integers(1, 5)
    roles = ["in"] * 5 + ["hid"] * (neurons - 10) + ["out"] * 5
    nodes = tuple(Node(f"n{at}", "abc"[at % 3], role) for at, role in enumerate(roles))
    return Circuit(nodes, strength, sign, "random", electrical=electrical)


def graph(circuit):
    return nx.from_numpy_array(circuit.edges.astype(int), create_using=nx.DiGraph)


@pytest.mark.parametrize("circuit", [random_circuit(0), Laminar().circuit(1, 1), Ncap().circuit(12, 5)])
def test_statistics_are_those_of_networkx(circuit):
    found, other = statistics(circuit), graph(circuit)
    assert found["density"] == pytest.approx(nx.density(other))
    assert found["reciprocity"] == pytest.approx(nx.overall_reciprocity(other))
    assert found["clustering"] == pytest.approx(nx.average_clustering(other.to_undirected()))
    assert found["transitivity"] == pytest.approx(nx.transitivity(other.to_undirected()))
    assert found["edges"] == other.number_of_edges()


@pytest.mark.parametrize("seed", range(5))
def test_rewiring_keeps_the_degrees_and_signs_of_every_node_and_moves_most_edges(seed):
    circuit = random_circuit(seed)
    other = controlled(circuit, "rewired", KEY)
    before, after = graph(circuit), graph(other)
    assert dict(before.in_degree()) == dict(after.in_degree())
    assert dict(before.out_degree()) == dict(after.out_degree())
    assert not list(nx.selfloop_edges(after))
    assert np.array_equal((circuit.sign > 0).sum(1), (other.sign > 0).sum(1))
    assert ((circuit.electrical > 0).sum(0) == (other.electrical > 0).sum(0)).all()
    assert np.array_equal(other.electrical, other.electrical.T)
    assert (circuit.edges & other.edges).sum() < 0.6 * circuit.edges.sum()
    assert np.array_equal(np.sort(circuit.electrical.ravel()), np.sort(other.electrical.ravel()))


def test_density_control_scatters_edges_evenly():
    """Mean out-degree of the densest node over 200 draws: E / N, within 5 standard errors."""
    circuit = random_circuit(1)
    draws = [controlled(circuit, "density", Key(seed)).edges.sum(1) for seed in range(200)]
    mean, size = np.mean(draws, axis=0), len(circuit.nodes)
    p = 120 / (size * (size - 1))
    error = np.sqrt((size - 1) * p * (1 - p) / 200)
    assert np.abs(mean - (size - 1) * p).max() < 5 * error
    assert all(each.sum() == 120 for each in draws)


def test_block_control_keeps_edges_between_blocks_and_nothing_else():
    circuit = random_circuit(2)
    other = controlled(circuit, "blocks", KEY)

    def between(one):
        pre, post = np.nonzero(one.edges)
        return Counter((one.nodes[i].block, one.nodes[j].block) for i, j in zip(pre, post, strict=True))

    assert between(circuit) == between(other)
    assert (circuit.edges & other.edges).sum() < 0.5 * circuit.edges.sum()
    assert not np.array_equal(circuit.edges.sum(1), other.edges.sum(1))


def test_a_moved_edge_takes_its_parameter_and_strength_along():
    circuit = random_circuit(3)
    for name in ("density", "rewired", "blocks"):
        other = controlled(circuit, name, KEY)
        pairs = [
            sorted(zip(one.tie[one.tuned], one.strength[one.tuned], strict=True)) for one in (circuit, other)
        ]
        assert pairs[0] == pairs[1]


def test_signs_are_shuffled_among_neurons_or_among_edges():
    dale, free = random_circuit(4), random_circuit(4, dale=False)
    other = controlled(dale, "signs", KEY)
    rows = [set(other.sign[i][other.edges[i]].tolist()) for i in range(30)]
    assert all(len(row) <= 1 for row in rows)
    sent = dale.edges.any(1)
    assert sorted(dale.sign.sum(1)[sent] > 0) == sorted(other.sign.sum(1)[sent] > 0)
    mixed = controlled(free, "signs", KEY)
    assert (mixed.sign > 0).sum() == (free.sign > 0).sum()
    assert not np.array_equal(mixed.sign, free.sign)


@pytest.mark.parametrize(("inputs", "outputs"), [(30, 5), (64, 10)])
def test_a_dense_control_has_about_as_many_parameters(inputs, outputs):
    whole = attached(dataclasses.replace(random_circuit(5), electrical=None), inputs, outputs)
    other = controlled(whole, "dense", KEY)
    hidden = len(other.of("hid"))
    assert other.parameters == hidden * (inputs + hidden + outputs)
    assert abs(other.parameters - whole.parameters) <= inputs + outputs + 2 * hidden
    assert not other.sign.any()


def test_a_circuit_without_cycles_gets_none():
    circuit = Ncap(sharing="edge").circuit(12, 5)
    assert max(levels(circuit.edges)) == 3
    for name in CONTROLS:
        for seed in range(5):
            assert levels(controlled(circuit, name, Key(seed)).edges) is not None


def test_controls_leave_the_body_alone():
    circuit = attached(Ncap().circuit(30, 5), 30, 5)
    body = circuit.edges & (circuit.tie == GIVEN)
    assert body.sum() == 10
    assert not movable(circuit)[body].any()
    muscles = [at for at, node in enumerate(circuit.nodes) if node.block == "muscle"]
    assert not open_pairs(circuit)[muscles].any()
    for name in set(CONTROLS) - {"dense"}:
        assert np.array_equal(controlled(circuit, name, KEY).strength[body], circuit.strength[body])


def test_an_attached_circuit_has_the_ports_of_the_task():
    circuit = random_circuit(6)
    whole = attached(circuit, 7, 2)
    assert len(whole.nodes) == 39
    assert whole.edges[:7, 7:37].sum(1).tolist() == [5] * 7  # in nodes
    assert whole.edges[7:37, 37:].sum(0).tolist() == [5] * 2  # out nodes
    assert np.array_equal(whole.strength[7:37, 7:37], circuit.strength)
    assert whole.parameters == circuit.parameters + 7 * 5 + 5 * 2
    assert controlled(whole, "density", KEY).edges[:7].sum() == 35


def test_ports_that_are_nodes_must_fit_the_task():
    circuit = Ncap().circuit(12, 5)
    assert [node.name for node in attached(circuit, 14, 5).nodes[12:14]] == ["input 12", "input 13"]
    with pytest.raises(DevelopmentError, match="12 in nodes and 5 out nodes was wanted to serve 11 inputs"):
        attached(circuit, 11, 5)


def test_ncap_has_4_parameters_or_one_an_edge():
    assert Ncap().circuit(12, 5).parameters == 4
    assert Ncap(sharing="edge").circuit(12, 5).parameters == 30  # 4 a joint, 2 a joint but the first, 2 more


def test_levels_are_longest_paths_and_a_cycle_has_none():
    edges = np.zeros((4, 4), dtype=bool)
    edges[0, 1] = edges[1, 2] = edges[0, 2] = edges[2, 3] = True
    assert levels(edges) == [0, 1, 2, 3]
    edges[3, 1] = True
    assert levels(edges) is None


def test_synthetic_circuits_have_the_chances_they_were_given():
    """Within 5 standard errors of a binomial count."""
    laminar = Laminar(neurons=60, inside=0.3, forward=0.2, back=0.1, skip=0.05, inhibitory=0.25)
    circuit = laminar.circuit(1, 1)
    excites = np.array([node.block.endswith("E") for node in circuit.nodes])
    layer = np.repeat(range(4), 60)
    for step, chance in ((0, 0.3), (1, 0.2), (-1, 0.1), (2, 0.05)):
        pairs = (layer[None] - layer[:, None] == step) & ((step == 0) | excites[:, None])
        np.fill_diagonal(pairs, val=False)
        count, total = circuit.edges[pairs].sum(), pairs.sum()
        assert abs(count - total * chance) < 5 * np.sqrt(total * chance * (1 - chance))
    assert levels(Laminar(inside=0, back=0).circuit(1, 1).edges) is not None
    assert not circuit.edges[np.ix_(~excites, excites)][:15, 60:].any()


def test_areas_without_feedback_never_reach_back_to_m1():
    with_, without = Areas().circuit(1, 1), Areas(feedback="left-out").circuit(1, 1)
    m1, others = slice(0, 20), slice(20, 100)
    assert with_.edges[others, m1].any()
    assert not without.edges[others, m1].any()
    ganglia = [node.block == "basal ganglia" for node in with_.nodes]
    assert (with_.sign[ganglia] <= 0).all()


def test_bad_circuits_and_controls_are_refused():
    nodes = (Node("a", "x", "in"), Node("b", "x", "out"))
    edge = np.array([[0.0, 1.0], [0.0, 0.0]])
    with pytest.raises(DevelopmentError, match="same name"):
        Circuit((nodes[0], nodes[0]), edge, edge.astype(int), "")
    with pytest.raises(DevelopmentError, match=r"sign has shape \(1, 2\), \(2, 2\) wanted"):
        Circuit(nodes, edge, np.zeros((1, 2), dtype=int), "")
    with pytest.raises(DevelopmentError, match="not negative"):
        Circuit(nodes, -edge, edge.astype(int), "")
    with pytest.raises(DevelopmentError, match="symmetric"):
        Circuit(nodes, edge, edge.astype(int), "", electrical=edge)
    with pytest.raises(SpecError, match=r"unknown control 'rewire'.*rewired"):
        controlled(Circuit(nodes, edge, edge.astype(int), ""), "rewire", KEY)
