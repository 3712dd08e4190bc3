"""Circuit: named nodes and the synapses between them, as data of anatomy or of a model give them.

    W[pre, post] = sign[pre, post] |theta[tie[pre, post]]|   where strength > 0, else 0

Source of the interface: ours, after the priors of the literature that it has to hold (NCAP, Bhattasali,
Zador, Engel 2022; connectome-constrained networks, Lappalainen et al. 2024): matrices are [pre, post] here,
whatever way round a data file stores them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from evogen.errors import DevelopmentError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

GIVEN = -1
"""Tie of an edge that is no parameter: its weight is its sign times its strength, for ever."""


class Node(NamedTuple):
    """A neuron, a muscle, an input or an output.

    Attributes:
        name: unlike all others of the circuit.
        block: layer or area; what control `blocks` keeps the statistics of.
        role: `in` hears the task, `out` is heard by it.
        kind: cell type, for people.
        activation: name of its activation function.
    """

    name: str
    block: str
    role: Literal["in", "hid", "out"] = "hid"
    kind: str = ""
    activation: str = "tanh"


@dataclass(frozen=True, eq=False)
class Circuit:
    """A graph with N nodes; its arrays are read-only.

    Attributes:
        nodes: N of them.
        strength: (N, N) >= 0, number of synapses or another measure of size; 0: no edge.
        sign: (N, N) of -1, 0 and 1; 0 where the edge's sign is free.
        tie: (N, N) number of the edge's parameter, the same for edges that share one, or GIVEN. By default
            every edge has its own.
        electrical: (N, N), symmetric and >= 0, the gap junctions, or None; a node has none with itself.
        provenance: where it comes from, in words.
        ports: `nodes` if its in and out nodes are the task's inputs and outputs, in their order; `dense` if
            every input reaches every in node, and every out node every output, through weights of their own.
        bias: whether hidden and output nodes have free biases.
        units: what strengths are: counts of synapses, or initial weights.
    """

    nodes: tuple[Node, ...]
    strength: Floats
    sign: Ints
    provenance: str
    tie: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    electrical: Floats | None = None
    ports: Literal["nodes", "dense"] = "dense"
    bias: Literal["free", "none"] = "free"
    units: Literal["counts", "weights"] = "counts"

    def __post_init__(self) -> None:
        size = len(self.nodes)
        strength = _kept(self.strength, np.float64)
        tie = self.tie if self.tie.size else own_ties(strength > 0)
        for name, array in (("strength", strength), ("sign", self.sign), ("tie", tie)):
            _shaped(name, array, size)
        if not (np.isfinite(strength).all() and (strength >= 0).all()):
            raise DevelopmentError("a circuit's strengths must be finite and not negative")
        if not np.isin(self.sign, (-1, 0, 1)).all():
            raise DevelopmentError(
                f"a circuit's signs must be -1, 0 or 1, found {sorted(set(np.ravel(self.sign).tolist()))[:5]}"
            )
        if len({node.name for node in self.nodes}) < size:
            raise DevelopmentError("two nodes of a circuit have the same name")
        object.__setattr__(self, "strength", strength)
        object.__setattr__(self, "sign", _kept(np.where(strength > 0, self.sign, 0), np.int64))
        object.__setattr__(self, "tie", _kept(np.where(strength > 0, tie, GIVEN), np.int64))
        if self.electrical is not None:
            _shaped("electrical", self.electrical, size)
            if not np.array_equal(self.electrical, self.electrical.T) or (self.electrical < 0).any():
                raise DevelopmentError("a circuit's gap junctions must be symmetric and not negative")
            between = self.electrical * ~np.eye(size, dtype=bool)
            object.__setattr__(self, "electrical", _kept(between, np.float64))

    @property
    def edges(self) -> npt.NDArray[np.bool_]:
        """(N, N), where there is a chemical synapse."""
        return self.strength > 0

    @property
    def tuned(self) -> npt.NDArray[np.bool_]:
        """(N, N), where an edge has a parameter."""
        found: npt.NDArray[np.bool_] = self.edges & (self.tie != GIVEN)
        return found

    @property
    def parameters(self) -> int:
        """Different parameters of the chemical synapses."""
        return len(np.unique(self.tie[self.tuned]))

    def of(self, role: str) -> list[int]:
        """Return the numbers of the nodes with this role, in order."""
        return [at for at, node in enumerate(self.nodes) if node.role == role]


def own_ties(edges: npt.NDArray[np.bool_]) -> Ints:
    """Return ties that give every edge a parameter of its own, (N, N)."""
    tie = np.full(edges.shape, GIVEN, dtype=np.int64)
    tie[edges] = np.arange(int(edges.sum()))
    return tie


def counted_ties(tie: Ints) -> Ints:
    """Return the same ties numbered from 0 without gaps, in the order of their first numbers."""
    found = np.full_like(tie, GIVEN)
    tuned = tie != GIVEN
    found[tuned] = np.unique(tie[tuned], return_inverse=True)[1]
    return found


def levels(edges: npt.NDArray[np.bool_]) -> list[int] | None:
    """Return the longest path to each node, in edges from a node without any that comes in; None: a cycle."""
    incoming = edges.sum(0)
    found = [0] * len(edges)
    ready = [at for at, count in enumerate(incoming.tolist()) if not count]
    left, done = incoming.copy(), 0
    while ready:
        pre = ready.pop()
        done += 1
        for post in np.flatnonzero(edges[pre]).tolist():
            found[post] = max(found[post], found[pre] + 1)
            left[post] -= 1
            if not left[post]:
                ready.append(post)
    return found if done == len(edges) else None


def _shaped(name: str, array: np.ndarray, size: int) -> None:
    if array.shape != (size, size):
        raise DevelopmentError(
            f"a circuit of {size} nodes: {name} has shape {array.shape}, {(size, size)} wanted"
        )


def _kept(array: Sequence[float] | np.ndarray, dtype: npt.DTypeLike) -> np.ndarray:
    copy = np.array(array, dtype=dtype)
    copy.flags.writeable = False
    return copy
