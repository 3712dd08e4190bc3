import numpy as np
import pytest

from evogen.errors import SpecError
from evogen.genetics.adhesion import adhesion_mask, adhesion_rules, shuffled
from evogen.keys import Key

OUT = {
    "egl-15": 4, "ptp-3": 1, "igcm-2": 1, "igcm-4": 1, "oig-2": 4, "igdb-2": 1, "iglr-2": 2, "tol-1": 2,
    "lron-12": 1, "sym-1": 2, "fmi-1": 1, "lat-1": 2, "clc-1": 2, "clc-2": 3, "vab-9": 1, "tsp-6": 2,
    "tsp-12": 1, "tsp-20": 1, "vab-2": 1, "tsp-21": 8, "K10D6.2": 6,
}  # fmt: skip
IN = {
    "tsp-9": 8, "nlr-1": 6, "egg-6": 5, "nlg-1": 2, "igcm-1": 2, "lron-12": 3, "zig-1": 3, "rig-4": 2,
    "vab-2": 2, "vab-9": 2, "rig-3": 1, "syg-2": 1, "cdh-1": 1, "iglr-3": 1, "slt-1": 1, "zig-7": 1,
    "cdh-4": 1, "nrx-1": 1, "sdn-1": 1, "cam-1": 1, "madd-4": 1, "lat-1": 1,
}  # fmt: skip


def test_47_rules_among_39_genes_none_to_itself_none_both_ways() -> None:
    names, mask = adhesion_mask()
    assert (len(names), mask.shape, mask.sum()) == (39, (39, 39), 47)
    assert not mask.diagonal().any()
    assert not (mask & mask.T).any()
    assert (mask.any(axis=0) | mask.any(axis=1)).all()
    assert len(set(adhesion_rules())) == 47


def test_degrees_of_every_gene() -> None:
    names, mask = adhesion_mask()
    assert {name: int(n) for name, n in zip(names, mask.sum(axis=1), strict=True) if n} == OUT
    assert {name: int(n) for name, n in zip(names, mask.sum(axis=0), strict=True) if n} == IN


@pytest.mark.parametrize(
    "rule",
    [("egl-15", "rig-3"), ("oig-2", "syg-2"), ("clc-2", "slt-1"), ("vab-9", "tsp-9"), ("tsp-21", "vab-9"),
     ("tsp-21", "nrx-1"), ("K10D6.2", "cam-1"), ("lat-1", "rig-4"), ("vab-2", "zig-7")],
)  # fmt: skip
def test_rules_point_from_pre_to_post(rule: tuple[str, str]) -> None:
    names, mask = adhesion_mask()
    pre, post = (names.index(gene) for gene in rule)
    assert mask[pre, post]
    assert not mask[post, pre]


def test_shuffle_keeps_every_degree_and_little_else() -> None:
    _, mask = adhesion_mask()
    shared = []
    for index in range(20):
        other = shuffled(mask, Key(1).child(index))
        assert np.array_equal(other.sum(axis=0), mask.sum(axis=0))
        assert np.array_equal(other.sum(axis=1), mask.sum(axis=1))
        assert not other.diagonal().any()
        shared.append(int((other & mask).sum()))
    # Hubs alone make some rules recur: about out * in / 47 of each.
    assert max(shared) < 24
    assert min(shared) >= 1


def test_shuffle_is_a_function_of_its_key() -> None:
    _, mask = adhesion_mask()
    before = mask.copy()
    assert np.array_equal(shuffled(mask, Key(2)), shuffled(mask, Key(2)))
    assert not np.array_equal(shuffled(mask, Key(2)), shuffled(mask, Key(3)))
    assert np.array_equal(mask, before)


def test_shuffle_visits_all_masks_of_equal_degrees_equally_often() -> None:
    # Out- and in-degree 1 on four genes without self pairs: the 9 derangements, each with chance 1/9.
    ring = np.roll(np.eye(4, dtype=np.bool_), 1, axis=1)
    draws = 1800
    counts: dict[bytes, int] = {}
    for index in range(draws):
        seen = shuffled(ring, Key(4).child(index)).tobytes()
        counts[seen] = counts.get(seen, 0) + 1
    assert len(counts) == 9
    # Chi-square with 8 degrees of freedom exceeds 33.4 once in 19,000.
    assert sum((n - draws / 9) ** 2 / (draws / 9) for n in counts.values()) < 33.4


def test_masks_without_a_swap_come_back_and_self_pairs_stay() -> None:
    star = np.zeros((4, 4), dtype=np.bool_)
    star[0, 1:] = True
    assert np.array_equal(shuffled(star, Key(5)), star)
    itself = np.roll(np.eye(6, dtype=np.bool_), 1, axis=1)
    itself[2, 2] = True
    other = shuffled(itself, Key(6))
    assert other.diagonal().tolist() == itself.diagonal().tolist()


def test_shuffle_refuses_what_is_not_square() -> None:
    with pytest.raises(SpecError, match=r"square mask, found shape \(2, 3\)"):
        shuffled(np.ones((2, 3), dtype=np.bool_), Key(7))
