import math
from collections import Counter

import pytest

from evogen.errors import DevelopmentError
from evogen.grammar.activations import ACTIVATIONS, mixed
from evogen.neurons import activations


def test_words_name_every_activation():
    assert sorted(ACTIVATIONS) == sorted(activations.ACTIVATIONS)


@pytest.mark.parametrize("size", [10, 64, 1000])
def test_every_function_has_its_share_of_the_neurons(size):
    """A golden-ratio sequence has discrepancy O(log n / n)."""
    shares = {"tanh": 1.0, "relu": 2.0, "sin": 0.0, "gauss": 0.2}
    found = Counter(mixed(shares, size))
    assert set(found) <= {"tanh", "relu", "gauss"}
    for name, share in shares.items():
        assert found[name] == pytest.approx(size * share / 3.2, abs=2 + math.log2(size))


def test_a_neuron_keeps_its_function_when_the_layer_grows():
    shares = {"tanh": 0.3, "square": 0.7}
    assert mixed(shares, 200)[:31] == mixed(shares, 31)


def test_one_share_above_zero_is_a_layer_of_one_kind():
    assert mixed({"abs": 0.01, "relu": 0.0}, 5) == ("abs",) * 5


@pytest.mark.parametrize(
    ("shares", "what"),
    [
        ({}, "wanted a share above 0"),
        ({"tanh": 0.0}, "wanted a share above 0"),
        ({"tanh": 1.0, "relu": -0.1}, "wanted a share of at least 0, found relu -0.1"),
        ({"thanh": 1.0}, "found 'thanh'"),
    ],
)
def test_shares_of_nothing_are_refused(shares, what):
    with pytest.raises(DevelopmentError, match=what):
        mixed(shares, 3)
