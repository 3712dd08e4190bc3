import re
from itertools import pairwise

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from evogen.report.winner import clusters
from evogen.report.winner.clusters import above, beside, cluster, unclustered

RANDOM = np.random.default_rng(5)


def blocks(shuffled):
    """Twelve rows of three kinds, in this order."""
    kinds = np.repeat([0.0, 5.0, 20.0], 4)[shuffled]
    return kinds[:, None] + RANDOM.normal(0, 0.1, (12, 6))


@pytest.mark.parametrize("rows", [1, 2, 3, 17, 60])
def test_order_is_a_permutation_that_can_be_undone(rows):
    values = RANDOM.normal(size=(rows, 5))
    order = np.array(cluster(values).order)
    assert sorted(order) == list(range(rows))
    assert np.array_equal(values[order][np.argsort(order)], values)


def test_rows_that_are_alike_come_to_lie_together():
    shuffled = RANDOM.permutation(12)
    kinds = (shuffled // 4)[list(cluster(blocks(shuffled)).order)]
    assert np.count_nonzero(np.diff(kinds)) == 2


def test_neighbours_are_as_alike_as_the_tree_allows():
    """Against all orders of a tree of eight leaves: two at each of its seven joints."""
    values = RANDOM.normal(size=(8, 3))

    def length(order):
        return sum(np.linalg.norm(values[a] - values[b]) for a, b in pairwise(order))

    def orders(node, joined):
        if node < 8:
            return [[node]]
        left, right = (orders(int(child), joined) for child in joined[node - 8, :2])
        return [one + other for a in left for b in right for one, other in ((a, b), (b, a))]

    found = cluster(values)
    best = min(map(length, orders(14, linkage(values, "average"))))
    assert length(list(found.order)) == pytest.approx(best, rel=1e-12)


def test_branches_join_every_row_and_the_highest_is_one():
    found = cluster(RANDOM.normal(size=(20, 4)))
    assert len(found.branches) == 19
    assert max(branch.heights[1] for branch in found.branches) == 1
    for (low, high), (left, joint, right) in found.branches:
        assert low < high
        assert joint >= max(left, right) >= 0


def test_what_is_not_finite_counts_as_zero():
    values = RANDOM.normal(size=(6, 3))
    holes = values.copy()
    values[2, 1] = 0
    holes[2, 1] = np.nan
    assert cluster(values) == cluster(holes)


def test_equal_rows_and_too_many_rows_have_an_order_too(monkeypatch):
    assert sorted(cluster(np.ones((5, 2))).order) == list(range(5))
    monkeypatch.setattr(clusters, "MOST", 4)
    assert cluster(RANDOM.normal(size=(5, 2))) == unclustered(5)


def test_a_tree_is_drawn_over_its_columns_and_beside_its_rows():
    shuffled = RANDOM.permutation(12)
    tree = cluster(blocks(shuffled))
    numbers = [float(x) for x in re.findall(r"-?[\d.]+", above(tree, 100, 50, 10, 40).get("d"))]
    assert min(numbers) == 10  # the root, 40 above the leaves
    xs = [float(x) for x in re.findall(r"[MH](-?[\d.]+)", above(tree, 100, 50, 10, 40).get("d"))]
    assert 105 <= min(xs) < max(xs) <= 215
    ys = [float(y) for y in re.findall(r"V(-?[\d.]+)", beside(tree, 50, 100, 10, 40).get("d"))]
    assert 105 <= min(ys) < max(ys) <= 215
    assert above(unclustered(9), 0, 0, 1, 1) is None
    assert fcluster(linkage(blocks(shuffled), "average"), 3, "maxclust").max() == 3
