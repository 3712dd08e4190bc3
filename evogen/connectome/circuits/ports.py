"""Ports: how a task is connected to a circuit that was not made for it.

A circuit whose nodes are its ports stays as it is. Another one gets a node for each input and output: every
input reaches every `in` node, and every `out` node every output, each pair by a free weight of its own (ours;
the anatomy knows no screens and no scores). The nodes of the circuit itself are then all hidden.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evogen.connectome.circuits.circuit import GIVEN, Circuit, Node, own_ties
from evogen.errors import DevelopmentError

INPUT, OUTPUT = "task in", "task out"
"""Blocks of the nodes that are made here."""


def attached(circuit: Circuit, inputs: int, outputs: int) -> Circuit:
    """Return the circuit with exactly the task's inputs first and its outputs last.

    Inputs beyond the circuit's own `in` nodes reach nothing.

    Raises:
        DevelopmentError: its nodes are its ports, and there are fewer inputs, or another number of outputs.
    """
    return (
        _widened(circuit, inputs, outputs) if circuit.ports == "nodes" else _dense(circuit, inputs, outputs)
    )


def _widened(circuit: Circuit, inputs: int, outputs: int) -> Circuit:
    ins, outs, hidden = circuit.of("in"), circuit.of("out"), circuit.of("hid")
    if len(ins) > inputs or len(outs) != outputs:
        raise DevelopmentError(
            f"a circuit with {len(ins)} in nodes and {len(outs)} out nodes was wanted to serve {inputs} "
            f"inputs and {outputs} outputs: wanted at most as many in nodes, and as many out nodes"
        )
    if circuit.edges[:, ins].any() or circuit.edges[outs].any():
        raise DevelopmentError("an edge into an in node, or out of an out node, which are the task's own")
    extra = tuple(Node(f"input {at}", INPUT, "in", "", "identity") for at in range(len(ins), inputs))
    order = [*ins, *hidden, *outs]
    size, first = len(order) + len(extra), len(ins)
    into = [*range(first), *range(first + len(extra), size)]
    nodes = [circuit.nodes[at] for at in order]
    return replace(
        circuit,
        nodes=(*nodes[:first], *extra, *nodes[first:]),
        strength=_moved(circuit.strength, order, into, size),
        sign=_moved(circuit.sign, order, into, size),
        tie=_moved(circuit.tie, order, into, size, GIVEN),
        electrical=None if circuit.electrical is None else _moved(circuit.electrical, order, into, size),
    )


def _dense(circuit: Circuit, inputs: int, outputs: int) -> Circuit:
    ins, outs, size = circuit.of("in"), circuit.of("out"), len(circuit.nodes)
    if not ins or not outs:
        raise DevelopmentError("a circuit with an in node and an out node, at least, was wanted")
    whole = inputs + size + outputs
    own = list(range(inputs, inputs + size))
    strength = _moved(circuit.strength, range(size), own, whole)
    sign = _moved(circuit.sign, range(size), own, whole)
    tie = _moved(circuit.tie, range(size), own, whole, GIVEN)
    ports = np.zeros((whole, whole), dtype=bool)
    ports[np.ix_(range(inputs), [inputs + at for at in ins])] = True
    ports[np.ix_([inputs + at for at in outs], range(whole - outputs, whole))] = True
    first = int(circuit.tie.max(initial=GIVEN)) + 1
    tie = np.where(ports, own_ties(ports) + first, tie)
    hidden = (node._replace(role="hid") for node in circuit.nodes)
    return replace(
        circuit,
        nodes=(
            *(Node(f"input {at}", INPUT, "in", "", "identity") for at in range(inputs)),
            *hidden,
            *(Node(f"output {at}", OUTPUT, "out", "", "identity") for at in range(outputs)),
        ),
        strength=np.where(ports, 1.0, strength),
        sign=sign,
        tie=tie,
        electrical=None
        if circuit.electrical is None
        else _moved(circuit.electrical, range(size), own, whole),
        ports="nodes",
    )


def _moved(
    array: np.ndarray, order: range | list[int], into: list[int], size: int, fill: int = 0
) -> np.ndarray:
    """Return a (size, size) array with rows and columns `order` of one at the places `into`."""
    found = np.full((size, size), fill, dtype=array.dtype)
    found[np.ix_(into, into)] = array[np.ix_(list(order), list(order))]
    return found
