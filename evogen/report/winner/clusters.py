"""Clusters: the order in which rows of a heat map are alike, and the tree that says how much.

Average linkage of Euclidean distances, leaves ordered so that neighbours are as alike as the tree allows
(Bar-Joseph, Gifford, Jaakkola 2001), as `scipy.cluster.hierarchy` computes both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evogen.report.markup import Element, element

MOST = 1200  # rows; distances need memory that grows with the square of their number
ORDERED = 250  # rows; finding the best order of leaves takes time that grows with their third power


class Branch(NamedTuple):
    """Where two clusters join: the places of both (in rows); the heights of left end, joint and right end."""

    places: tuple[float, float]
    heights: tuple[float, float, float]


class Tree(NamedTuple):
    """`order`: rows as they are drawn; `branches`: heights are shares of the highest."""

    order: tuple[int, ...]
    branches: tuple[Branch, ...]


def unclustered(rows: int) -> Tree:
    """Return the order in which rows are."""
    return Tree(tuple(range(rows)), ())


def cluster(values: npt.NDArray[np.floating]) -> Tree:
    """Return a tree of the rows of a matrix, without branches of fewer than 3 rows or more than MOST.

    What is not finite counts as 0.
    """
    rows = len(values)
    if not 2 < rows <= MOST:
        return unclustered(rows)
    from scipy.cluster import hierarchy  # takes most of a second to import

    known = np.where(np.isfinite(values), values, 0.0).astype(np.float64)
    joined = hierarchy.linkage(known, "average", optimal_ordering=rows <= ORDERED)
    found = hierarchy.dendrogram(joined, no_plot=True)
    top = float(joined[:, 2].max()) or 1.0
    branches = tuple(
        Branch(((x[0] - 5) / 10, (x[2] - 5) / 10), (y[0] / top, y[1] / top, y[3] / top))  # 10 apart, from 5
        for x, y in zip(found["icoord"], found["dcoord"], strict=True)
    )
    return Tree(tuple(int(leaf) for leaf in found["leaves"]), branches)


def above(tree: Tree, x: float, y: float, step: float, height: float) -> Element | None:
    """Draw a tree over columns `step` pixels wide that begin at x; its leaves are at y."""

    def across(place: float) -> float:
        return x + (place + 0.5) * step

    def up(share: float) -> float:
        return y - share * height

    path = "".join(
        f"M{across(a):.1f} {up(left):.1f}V{up(joint):.1f}H{across(b):.1f}V{up(right):.1f}"
        for (a, b), (left, joint, right) in tree.branches
    )
    return element("path", d=path, class_="tree") if path else None


def beside(tree: Tree, x: float, y: float, step: float, width: float) -> Element | None:
    """Draw a tree beside rows `step` pixels high that begin at y; its leaves are at x, on its right."""

    def down(place: float) -> float:
        return y + (place + 0.5) * step

    def left(share: float) -> float:
        return x - share * width

    path = "".join(
        f"M{left(low):.1f} {down(a):.1f}H{left(joint):.1f}V{down(b):.1f}H{left(high):.1f}"
        for (a, b), (low, joint, high) in tree.branches
    )
    return element("path", d=path, class_="tree") if path else None
