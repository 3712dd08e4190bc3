"""What every circuit source does: see `evogen.connectome.circuits`."""

from __future__ import annotations

from typing import Any

import numpy as np

from evogen.connectome.circuits import CONTROLS, GIVEN, attached, controlled, statistics
from evogen.connectome.circuits.circuit import levels
from evogen.connectome.circuits.controls import movable
from evogen.keys import Key

SIZES = ((14, 3), (30, 5))
"""Inputs and outputs of the tasks that a circuit is asked to serve."""


def makes_the_same_circuit_again(source: Any) -> None:
    """Asked again, it gives an equal circuit, whose arrays nobody can change."""
    for sizes in SIZES:
        first, again = source.circuit(*sizes), source.circuit(*sizes)
        assert first.nodes == again.nodes
        for name in ("strength", "sign", "tie"):
            assert np.array_equal(getattr(first, name), getattr(again, name)), name
            assert not getattr(first, name).flags.writeable, name


def has_edges_with_parameters(source: Any) -> None:
    """There is something to learn; ties count from 0 without gaps, signs and strengths are of edges."""
    for sizes in SIZES:
        found = source.circuit(*sizes)
        used = np.unique(found.tie[found.tuned])
        assert np.array_equal(used, np.arange(found.parameters))
        assert found.parameters > 0
        assert (found.tie[~found.edges] == GIVEN).all()
        assert (found.sign[~found.edges] == 0).all()
        assert found.provenance.strip()


def serves_the_task(source: Any) -> None:
    """Attached, its first nodes are the task's inputs, its last the outputs, and the input reaches one."""
    for inputs, outputs in SIZES:
        found = attached(source.circuit(inputs, outputs), inputs, outputs)
        roles = [node.role for node in found.nodes]
        assert roles[:inputs] == ["in"] * inputs
        assert roles[-outputs:] == ["out"] * outputs
        assert set(roles[inputs:-outputs]) <= {"hid"}
        joined = found.edges if found.electrical is None else found.edges | (found.electrical > 0)
        reached = np.array([role == "in" for role in roles])
        for _ in roles:
            reached = reached | joined[reached].any(0)
        assert reached[-outputs:].any()


def keeps_what_a_control_promises(source: Any) -> None:
    """Edges, parameters, signs, degrees and blocks stay as `evogen.connectome.circuits.controls` says."""
    inputs, outputs = SIZES[0]
    found = attached(source.circuit(inputs, outputs), inputs, outputs)
    before, key = statistics(found), Key(1)
    acyclic = levels(found.edges) is not None
    for name in set(CONTROLS) - {"dense"}:
        other = controlled(found, name, key)
        again = controlled(found, name, key)
        assert np.array_equal(other.tie, again.tie), name
        after = statistics(other)
        assert all(after[each] == before[each] for each in ("nodes", "edges", "gaps", "parameters")), name
        assert other.nodes == found.nodes
        assert np.array_equal(np.sort(other.strength.ravel()), np.sort(found.strength.ravel())), name
        body = found.edges & ~movable(found)
        assert np.array_equal(other.strength[body], found.strength[body]), name
        assert not acyclic or levels(other.edges) is not None, name
    rewired = controlled(found, "rewired", key)
    assert np.array_equal(rewired.edges.sum(0), found.edges.sum(0))
    assert np.array_equal(rewired.edges.sum(1), found.edges.sum(1))
    assert np.array_equal(controlled(found, "signs", key).edges, found.edges)


FACTS = (
    makes_the_same_circuit_again,
    has_edges_with_parameters,
    serves_the_task,
    keeps_what_a_control_promises,
)
