import numpy as np
import pytest

from evogen.connectome.priors import drawn, expected
from evogen.connectome.priors.local import Local
from evogen.connectome.priors.modular import Modular
from evogen.connectome.priors.small_world import SmallWorld
from evogen.keys import Key
from evogen.registry import known

PRE, POST = 60, 40
NAMES = [word for name in known("prior") for word in (name, f"shuffled-{name}")]


def uniform(seed=0, pre=PRE, post=POST, name="uniform"):
    return Key(seed).child(name).generator().random((pre, post))


def mask(name, numbers=None, seed=0, pre=PRE, post=POST):
    return drawn(name, numbers or {}, uniform(seed, pre, post), uniform(seed, pre, post, "order"))


def test_local_pairs_are_those_within_the_radius():
    """Neurons of 4 lie at 1/8, 3/8, 5/8, 7/8 and those of 2 at 1/4 and 3/4."""
    assert Local(0.2).chances(4, 2).tolist() == [[1, 0], [1, 0], [0, 1], [0, 1]]
    assert Local(0.4).chances(4, 2).tolist() == [[1, 0], [1, 1], [1, 1], [0, 1]]
    assert Local(1.0).chances(4, 2).all()


@pytest.mark.parametrize(("pre", "post"), [(1, 1), (7, 3), (3, 7), (64, 64), (100, 9)])
def test_every_neuron_has_a_partner_at_any_radius(pre, post):
    near = Local(0.0).chances(pre, post)
    assert near.any(0).all()
    assert near.any(1).all()


def test_rewiring_moves_pairs_and_makes_none():
    near = Local(0.1).chances(PRE, POST)
    for rewired in (0.0, 0.3, 1.0):
        found = SmallWorld(0.1, rewired).chances(PRE, POST)
        assert found.sum() == pytest.approx(near.sum())
        assert found[near == 0].max() == pytest.approx(rewired * near.mean())
    assert np.array_equal(SmallWorld(0.1, 0.0).chances(PRE, POST), near)


def test_modules_are_dense_within_and_sparse_between():
    found = Modular(2, 0.8, 0.1).chances(4, 6)
    assert found.tolist() == [[0.8] * 3 + [0.1] * 3] * 2 + [[0.1] * 3 + [0.8] * 3] * 2


@pytest.mark.parametrize("name", NAMES)
def test_pairs_are_drawn_with_their_chances(name):
    """The mean of 200 masks: each entry within 5 standard errors, false alarm below 2 in 1000."""
    masks = [mask(name, seed=seed, pre=12, post=9) for seed in range(200)]
    chances = known("prior")[name.removeprefix("shuffled-")]().chances(12, 9)
    wanted = np.full_like(chances, chances.mean()) if name.startswith("shuffled-") else chances
    error = np.sqrt(wanted * (1 - wanted) / len(masks))
    assert (np.abs(np.mean(masks, axis=0) - wanted) <= 5 * error + 1e-9).all()
    assert np.mean([each.sum() for each in masks]) == pytest.approx(expected(name, {}, 12, 9), rel=0.1)


@pytest.mark.parametrize("name", sorted(known("prior")))
def test_the_control_has_as_many_pairs_elsewhere(name):
    plain, control = (mask(word) for word in (name, f"shuffled-{name}"))
    assert control.sum() == plain.sum()
    assert not np.array_equal(control, plain)
    assert np.array_equal(control, mask(f"shuffled-{name}"))


def test_numbers_of_a_word_are_the_priors_own():
    assert np.array_equal(mask("local", {"radius": 0.3}), Local(0.3).chances(PRE, POST))
