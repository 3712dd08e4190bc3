"""The worm's circuit of locomotion in a swimmer's body: each cell where its number says that it lies.

B neurons and muscles are numbered from head to tail, so that the k-th of n lies at (k - 1/2) / n of the
body, and joint i of J at (i + 1/2) / J. Inputs come as the swimmer gives them, d_0.., v_0.., O_d, O_v:

    DB hears d, VB hears v, of the nearest joint before it (Wen et al. 2012), the first ones O_d and O_v
    command neurons hear O_d and O_v
    torque_i = mean of the dorsal muscles there - mean of the ventral muscles there      (no parameters)

An input counts as many synapses as its cell has from all others. The map is ours: real places and the
strengths of the senses are not in the data.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from evogen.connectome.circuits.circuit import GIVEN, Circuit, Node, own_ties
from evogen.connectome.circuits.ports import INPUT, OUTPUT

_NUMBER = re.compile(r"\d+$")


def embodied(circuit: Circuit, joints: int) -> Circuit:
    """Return the circuit between the senses and the joints of a swimmer."""
    senses = [Node(f"{side}{i}", INPUT, "in", "", "identity") for side in "dv" for i in range(joints)]
    senses += [Node(f"O{side}", INPUT, "in", "", "identity") for side in "dv"]
    torques = [Node(f"torque{i}", OUTPUT, "out", "", "identity") for i in range(joints)]
    cells = [node._replace(role="hid") for node in circuit.nodes]
    nodes = (*senses, *cells, *torques)
    at = {node.name: number for number, node in enumerate(nodes)}
    size, first = len(nodes), len(senses)
    inner = np.ix_(range(first, first + len(cells)), range(first, first + len(cells)))
    strength, electrical = np.zeros((size, size)), np.zeros((size, size))
    sign, given = np.zeros((size, size), dtype=np.int64), np.zeros((size, size), dtype=bool)
    strength[inner], sign[inner] = circuit.strength, circuit.sign
    if circuit.electrical is not None:
        electrical[inner] = circuit.electrical
    heard = (strength + electrical).sum(0)
    for node in cells:
        for name in _felt(node, _count(cells, node.block), joints):
            strength[at[name], at[node.name]] = max(heard[at[node.name]], 1.0)
            sign[at[name], at[node.name]] = node.block != "command"  # the command neurons' signs are free
    for node in cells:
        if node.block == "muscle":
            place = f"torque{min(int((_place(node) - 0.5) / 24 * joints), joints - 1)}"
            strength[at[node.name], at[place]] = 1.0
            sign[at[node.name], at[place]] = 1 if node.name.startswith("MD") else -1
            given[at[node.name], at[place]] = True
    for torque in torques:
        for side in (1, -1):
            own = given[:, at[torque.name]] & (sign[:, at[torque.name]] == side)
            strength[own, at[torque.name]] /= max(own.sum(), 1)
    tie = own_ties((strength > 0) & ~given)
    return replace(
        circuit,
        nodes=nodes,
        strength=strength,
        sign=sign,
        tie=np.where(given, GIVEN, tie),
        electrical=None if circuit.electrical is None else electrical,
        provenance=f"{circuit.provenance}, in a body of {joints} joints",
        ports="nodes",
    )


def _felt(node: Node, among: int, joints: int) -> list[str]:
    """Return the inputs that a cell hears."""
    if node.block == "command":
        return ["Od", "Ov"]
    if node.block not in ("DB", "VB"):
        return []
    side = node.block[0].lower()
    before = round((_place(node) - 0.5) / among * joints) - 1  # the last joint that lies before the cell
    return [f"O{side}"] if before < 0 else [f"{side}{before}"]


def _place(node: Node) -> int:
    found = _NUMBER.search(node.name)
    assert found is not None
    return int(found.group())


def _count(cells: list[Node], block: str) -> int:
    return sum(cell.block == block for cell in cells)
