import numpy as np
import pytest

from evogen.errors import SpecError
from evogen.genetics import null as module
from evogen.genetics.ndge import ndge
from evogen.genetics.null import PermutationNull, permutation_null
from evogen.keys import Key

from .worlds import NAMES, World, noise, planted


def run(world: World, key: Key, permutations: int = 99) -> PermutationNull:
    names = NAMES[: world.expression.shape[1]]
    return permutation_null(
        world.expression, world.contact, world.synapse, names=names, key=key, permutations=permutations
    )


def test_a_shuffle_is_ndge_on_dealt_profiles() -> None:
    world, key = noise(Key(1), classes=12, genes=4), Key(2)
    found = run(world, key, 30)
    for k in range(30):
        dealt = world.expression[np.argsort(key.child("shuffle", k).generator().permutation(12))]
        alone = ndge(dealt, world.contact, world.synapse, names=NAMES[:4])
        assert found.maxima[k] == pytest.approx(alone.t.max(), rel=1e-9)
        assert found.counts[k] == alone.rules.sum()
    assert len(set(found.maxima.round(9))) == 30


def test_fewer_shuffles_are_a_prefix_and_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    world = noise(Key(3), classes=12, genes=4)
    many, few = run(world, Key(4), 40), run(world, Key(4), 20)
    assert np.allclose(few.maxima, many.maxima[:20], rtol=1e-12)
    monkeypatch.setattr(module, "CHUNK", 7)
    again = run(world, Key(4), 40)
    assert np.allclose(again.maxima, many.maxima, rtol=1e-12)
    assert np.array_equal(again.counts, many.counts)
    assert not np.allclose(run(world, Key(5), 40).maxima, many.maxima)


def test_p_counts_the_shuffles_that_reach_t() -> None:
    found = run(noise(Key(6), classes=12, genes=4), Key(7))
    for u in range(4):
        for v in range(4):
            reached = (found.maxima >= found.observed.t[u, v]).sum()
            assert found.p[u, v] == (1 + reached) / 100
    assert found.count_p == (1 + (found.counts >= found.observed.rules.sum()).sum()) / 100


def test_shuffles_that_change_nothing_are_ties() -> None:
    # Two classes: half of all dealings give the very same table, and none beats it.
    expression = np.array([[5.0], [1.0]])
    contact = np.ones((2, 2))
    synapse = np.array([[1.0, 0.0], [0.0, 0.0]])
    found = permutation_null(expression, contact, synapse, names=("u",), key=Key(8), permutations=200)
    unchanged = sum(
        Key(8).child("shuffle", k).generator().permutation(2).tolist() == [0, 1] for k in range(200)
    )
    assert found.p[0, 0] == (1 + unchanged) / 201


def test_planted_pair_is_found_under_the_null() -> None:
    found = run(planted(Key(9), classes=40, genes=8, pre=3, post=5), Key(10))
    assert found.p[3, 5] == 0.01
    assert found.rules[3, 5]
    names, mask = found.kept()
    assert mask[names.index(NAMES[3]), names.index(NAMES[5])]


def test_noise_gives_false_rules_at_alpha_where_the_t_test_gives_them_most_of_the_time() -> None:
    # 40 worlds, family-wise level 0.05: false alarms ~ Binomial(40, <= 0.05), P(more than 8) < 2e-4.
    worlds = [noise(Key(11).child(index), classes=30, genes=10) for index in range(40)]
    found = [run(world, Key(12).child(index)) for index, world in enumerate(worlds)]
    assert sum(one.rules.any() for one in found) <= 8
    assert sum(one.observed.rules.any() for one in found) >= 20


def test_too_few_shuffles_are_refused() -> None:
    with pytest.raises(SpecError, match="permutations: wanted at least 19"):
        run(noise(Key(13), classes=12, genes=4), Key(14), 18)
    assert len(run(noise(Key(13), classes=12, genes=4), Key(14), 19).maxima) == 19
