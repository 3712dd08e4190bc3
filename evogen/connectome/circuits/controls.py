"""Controls of a circuit: what is left of its effect when one thing that it knows is taken away.

    exact      nothing is taken away
    density    as many edges, between any pairs: its degrees go too
    rewired    pairs of edges swap their targets: every in and out degree stays (Maslov, Sneppen 2002)
    blocks     as many edges from each block to each, between any pairs of theirs
    signs      the same edges with their signs shuffled, among neurons where each neuron has one sign
    dense      every pair of as many hidden nodes as give about as many parameters, all signs free

Edges that are no parameters, and the ports that `attached` made, are the body that the circuit sits in: no
control but `dense` touches them, nor lets an edge start or end where there are no others. A self-connection
is made only where the circuit has one, and what has no cycle gets none: an edge of a control then goes from a
lower level of the circuit to a higher one. A moved edge takes its strength and its parameter along; it takes
its sign, or where every neuron of the circuit has one sign, that of the neuron it now comes from.

Gap junctions are moved as pairs by the same laws, among the nodes that have some; `dense` has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from evogen.connectome.circuits.circuit import GIVEN, Circuit, Floats, Ints, Node, levels, own_ties
from evogen.connectome.circuits.ports import INPUT, OUTPUT
from evogen.errors import SpecError, near
from evogen.keys import Key

SWAPS = 10
"""Swaps that are tried for each edge."""

Bools = npt.NDArray[np.bool_]


def controlled(circuit: Circuit, control: str, key: Key) -> Circuit:
    """Return a control of a circuit.

    Args:
        circuit: with its task attached or not.
        control: one of CONTROLS.
        key: of this draw.

    Raises:
        SpecError: no such control.
    """
    if control not in CONTROLS:
        raise SpecError(f"unknown control '{control}'{near(control, CONTROLS)}: one of {', '.join(CONTROLS)}")
    found = CONTROLS[control](circuit, key.child("control", control))
    return found if found is circuit else replace(found, provenance=f"{circuit.provenance}; {control}")


def movable(circuit: Circuit) -> Bools:
    """Return which edges a control may move, (N, N)."""
    found = circuit.tuned.copy()
    found[_of_block(circuit, INPUT)] = False
    found[:, _of_block(circuit, OUTPUT)] = False
    return found


def open_pairs(circuit: Circuit) -> Bools:
    """Return where a control may put an edge, (N, N)."""
    moved, edges = movable(circuit), circuit.edges
    inner = edges.copy()
    inner[_of_block(circuit, INPUT)] = inner[:, _of_block(circuit, OUTPUT)] = False
    from_, to = (np.asarray(~(inner.any(axis) & ~moved.any(axis))) for axis in (1, 0))
    ports = [*_of_block(circuit, INPUT), *_of_block(circuit, OUTPUT)]
    from_[ports] = to[ports] = False
    if circuit.ports == "nodes":
        to[circuit.of("in")] = from_[circuit.of("out")] = False
    found = from_[:, None] & to & ~(edges & ~moved)
    if not moved.diagonal().any():
        np.fill_diagonal(found, val=False)
    order = levels(edges)
    return found if order is None else found & np.less.outer(order, order)


def _of_block(circuit: Circuit, block: str) -> list[int]:
    return [at for at, node in enumerate(circuit.nodes) if node.block == block]


def _exact(circuit: Circuit, key: Key) -> Circuit:  # noqa: ARG001
    return circuit


def _density(circuit: Circuit, key: Key) -> Circuit:
    return _scattered(circuit, np.zeros((len(circuit.nodes),) * 2, dtype=np.int64), key)


def _blocks(circuit: Circuit, key: Key) -> Circuit:
    names = {name: at for at, name in enumerate(dict.fromkeys(node.block for node in circuit.nodes))}
    block = np.array([names[node.block] for node in circuit.nodes])
    return _scattered(circuit, block[:, None] * len(names) + block, key)


def _scattered(circuit: Circuit, cell: Ints, key: Key) -> Circuit:
    """Put the edges of each cell of pairs on any open pairs of that cell."""
    moved, free, rng = movable(circuit), open_pairs(circuit), key.child("edges").generator()
    old, new = np.flatnonzero(moved), np.empty(0, dtype=np.int64)
    flat = cell.ravel()
    old = old[np.argsort(flat[old], kind="stable")]
    for each in np.unique(flat[old]).tolist():
        count = int((flat[old] == each).sum())
        places = np.flatnonzero(free.ravel() & (flat == each))
        new = np.concatenate([new, rng.permutation(places)[:count]])  # ~ uniform without replacement
    found = _placed(circuit, old, new)
    if circuit.electrical is None:
        return found
    joined = np.triu(circuit.electrical, 1)
    coupled = np.asarray((circuit.electrical > 0).any(0))
    where, among = np.flatnonzero(joined), np.triu(coupled[:, None] & coupled, 1).ravel()
    drawn = key.child("gaps").generator()
    gaps = np.zeros(joined.size)
    both = np.minimum(flat, cell.T.ravel())  # a gap junction has no direction
    for each in np.unique(both[where]).tolist():
        own = where[both[where] == each]
        places = drawn.permutation(np.flatnonzero(among & (both == each)))[: len(own)]
        gaps[places] = joined.ravel()[own]
    upper = gaps.reshape(joined.shape)
    return replace(found, electrical=upper + upper.T)


def _rewired(circuit: Circuit, key: Key) -> Circuit:
    moved, free = movable(circuit), open_pairs(circuit)
    pre, post = (part.tolist() for part in np.nonzero(moved))
    old = np.flatnonzero(moved)
    posts = _swapped(pre, post, free, key.child("edges"))
    size = len(circuit.nodes)
    found = _placed(circuit, old, np.array(pre, dtype=np.int64) * size + np.array(posts, dtype=np.int64))
    if circuit.electrical is None:
        return found
    gaps = _swapped_gaps(circuit.electrical, key.child("gaps"))
    return replace(found, electrical=gaps)


def _swapped(pre: list[int], post: list[int], free: Bools, key: Key) -> list[int]:
    """Return the targets after SWAPS tries an edge to let two edges swap theirs."""
    posts, taken = list(post), set(zip(pre, post, strict=True))
    count = len(pre)
    for a, b in key.generator().integers(max(count, 1), size=(SWAPS * count, 2)).tolist():
        first, second = (pre[a], posts[b]), (pre[b], posts[a])
        if pre[a] == pre[b] or posts[a] == posts[b] or first in taken or second in taken:
            continue
        if free[first] and free[second]:
            taken -= {(pre[a], posts[a]), (pre[b], posts[b])}
            taken |= {first, second}
            posts[a], posts[b] = posts[b], posts[a]
    return posts


def _swapped_gaps(electrical: Floats, key: Key) -> Floats:
    """Return gap junctions after pairs of them swapped an end each; every node keeps how many it has."""
    ends = [list(pair) for pair in zip(*np.nonzero(np.triu(electrical, 1)), strict=True)]
    sizes = [float(electrical[pre, post]) for pre, post in ends]
    taken = {frozenset(pair) for pair in ends}
    tries = key.generator().integers([len(ends), len(ends), 2], size=(SWAPS * len(ends), 3))
    for a, b, turn in tries.tolist():
        (u, v), (x, y) = ends[a], ends[b] if turn else ends[b][::-1]
        new = frozenset((u, y)), frozenset((x, v))
        if len({u, v, x, y}) < 4 or new[0] in taken or new[1] in taken:
            continue
        taken -= {frozenset((u, v)), frozenset((x, y))}
        taken |= set(new)
        ends[a], ends[b] = [u, y], [x, v]
    found = np.zeros_like(electrical)
    for (u, v), size in zip(ends, sizes, strict=True):
        found[u, v] = found[v, u] = size
    return found


def _placed(circuit: Circuit, old: Ints, new: Ints) -> Circuit:
    """Return the circuit with the edges at flat places `old` moved to `new`."""
    size, found = len(circuit.nodes), {}
    for name, fill in (("strength", 0), ("sign", 0), ("tie", GIVEN)):
        array = getattr(circuit, name).ravel().copy()
        values = array[old]
        array[old] = fill
        array[new] = values
        found[name] = array.reshape(size, size)
    if (own := neuron_signs(circuit)) is not None:
        sign = found["sign"].ravel()
        sign[new] = own[new // size]
        found["sign"] = sign.reshape(size, size)
    return replace(circuit, **found)


def neuron_signs(circuit: Circuit) -> Ints | None:
    """Return the sign of each node's movable edges, (N,); None if a node has edges of different signs."""
    moved = movable(circuit)
    positive, negative, free = ((moved & (circuit.sign == sign)).any(1) for sign in (1, -1, 0))
    if (positive.astype(int) + negative + free > 1).any():
        return None
    return np.asarray(positive.astype(np.int64) - negative)


def _signs(circuit: Circuit, key: Key) -> Circuit:
    moved, rng = movable(circuit), key.generator()
    sign = circuit.sign.copy()
    own = neuron_signs(circuit)
    if own is None:
        values = sign[moved]
        sign[moved] = values[rng.permutation(len(values))]
        return replace(circuit, sign=sign)
    senders = np.flatnonzero(moved.any(1))
    shuffled = own.copy()
    shuffled[senders] = own[senders][rng.permutation(len(senders))]
    return replace(circuit, sign=np.where(moved, shuffled[:, None], sign))


def _dense(circuit: Circuit, key: Key) -> Circuit:  # noqa: ARG001
    """Connect every pair of n hidden nodes, or n hidden nodes of one level where there is no cycle.

    With p inputs and outputs together n^2 + p n, or p n, is about the number of parameters.
    """
    wanted, cyclic = circuit.parameters + _gap_parameters(circuit), levels(circuit.edges) is None
    inner = [node for node in circuit.nodes if node.block not in (INPUT, OUTPUT)]
    activations = [node.activation for node in inner if node.role == "hid"] or [inner[0].activation]
    most = max(sorted(set(activations)), key=activations.count)
    if circuit.ports == "dense":
        count = max(2, round(np.sqrt(wanted)))
        half = [Node(f"dense {at}", "dense", "in", "", most) for at in range(count // 2)]
        rest = [Node(f"dense {at}", "dense", "out", "", most) for at in range(count // 2, count)]
        return _free(circuit, [*half, *rest], np.ones((count, count), dtype=bool))
    ins, outs = ([circuit.nodes[at] for at in circuit.of(role)] for role in ("in", "out"))
    p = len(ins) + len(outs)
    count = max(1, round((np.sqrt(p**2 + 4 * wanted) - p) / 2 if cyclic else wanted / p))
    hidden = [Node(f"dense {at}", "dense", "hid", "", most) for at in range(count)]
    edges = np.zeros((p + count, p + count), dtype=bool)
    middle = slice(len(ins), len(ins) + count)
    edges[: len(ins), middle] = edges[middle, len(ins) + count :] = True
    edges[middle, middle] = cyclic
    return _free(circuit, [*ins, *hidden, *outs], edges)


def _free(circuit: Circuit, nodes: Sequence[Node], edges: Bools) -> Circuit:
    return replace(
        circuit,
        nodes=tuple(nodes),
        strength=edges.astype(np.float64),
        sign=np.zeros(edges.shape, dtype=np.int64),
        tie=own_ties(edges),
        electrical=None,
    )


def _gap_parameters(circuit: Circuit) -> int:
    """Count the gap junctions that are a parameter of their own: those beside no chemical synapse."""
    if circuit.electrical is None:
        return 0
    alone = (circuit.electrical > 0) & ~circuit.edges & ~circuit.edges.T
    return int(np.triu(alone).sum())


CONTROLS: Mapping[str, Callable[[Circuit, Key], Circuit]] = {
    "exact": _exact,
    "density": _density,
    "rewired": _rewired,
    "blocks": _blocks,
    "signs": _signs,
    "dense": _dense,
}
