"""Statistics of a circuit: the numbers that controls keep or lose."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evogen.connectome.circuits.circuit import Circuit


def statistics(circuit: Circuit) -> Mapping[str, float]:
    """Return numbers of a circuit by name.

    Returns:
        `nodes`, `edges` (chemical), `gaps` (gap junctions), `parameters` of chemical synapses; `density`,
        edges among the pairs of different nodes; `reciprocity`, edges with one back among the edges between
        different nodes (NaN without any); `excitatory` and `inhibitory`, shares of the edges whose sign is
        given; `clustering`, mean over the nodes of the undirected graph, as of Watts and Strogatz 1998;
        `transitivity`, closed among all its paths of two edges; `blocks`, different ones.
    """
    edges, size = circuit.edges, len(circuit.nodes)
    between = edges & ~np.eye(size, dtype=bool)
    count = int(between.sum())
    joined = between | between.T
    triangles, degree = _triangles(joined), joined.sum(1)
    pairs = degree * (degree - 1) / 2
    local = np.divide(triangles, pairs, out=np.zeros(size), where=pairs > 0)
    total = int(edges.sum())
    return {
        "nodes": float(size),
        "edges": float(total),
        "gaps": 0.0 if circuit.electrical is None else float(np.triu(circuit.electrical > 0).sum()),
        "parameters": float(circuit.parameters),
        "density": count / (size * (size - 1)) if size > 1 else 0.0,
        "reciprocity": float((between & between.T).sum() / count) if count else float("nan"),
        "excitatory": float((circuit.sign > 0).sum() / total) if total else 0.0,
        "inhibitory": float((circuit.sign < 0).sum() / total) if total else 0.0,
        "clustering": float(local.mean()) if size else 0.0,
        "transitivity": float(triangles.sum() / pairs.sum()) if pairs.any() else 0.0,
        "blocks": float(len({node.block for node in circuit.nodes})),
    }


def _triangles(joined: np.ndarray) -> np.ndarray:
    """Return how many triangles each node is of, (N,)."""
    adjacency = joined.astype(np.float64)
    found: np.ndarray = np.einsum("ij,ji->i", adjacency @ adjacency, adjacency) / 2
    return found
