import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evogen.keys import Key

NAMES = st.one_of(st.text(max_size=5), st.integers(-(2**40), 2**40))


def first(key: Key) -> float:
    return float(key.generator().random())


@settings(deadline=None)
@given(st.integers(0, 2**63), st.lists(NAMES, max_size=4))
def test_same_path_gives_same_numbers(seed: int, path: list[str | int]) -> None:
    assert first(Key(seed).child(*path)) == first(Key(seed).child(*path))


def test_numbers_of_a_stream_are_these_on_every_machine() -> None:
    key = Key(7).child("life", 3)
    assert key.path == (15992722906406249986, 10670846697159069609)
    assert key.integer() == 2348174630432481913
    assert key.generator().integers(0, 1000, 4).tolist() == [598, 746, 863, 450]


def test_steps_may_be_taken_one_by_one_or_at_once() -> None:
    assert Key(1).child("a").child(2) == Key(1).child("a", 2)


@pytest.mark.parametrize(("one", "other"), [("a", 1), ("a", "1"), (1, "1"), ("", "a"), (0, ""), (1, -1)])
def test_different_names_are_different_streams(one: str | int, other: str | int) -> None:
    assert first(Key(0).child(one)) != first(Key(0).child(other))


def test_paths_that_read_alike_when_joined_differ() -> None:
    paths = [("ab", "c"), ("a", "bc"), ("abc",), ("c", "ab"), ()]
    assert len({first(Key(0).child(*path)) for path in paths}) == len(paths)


def test_a_stream_does_not_depend_on_what_was_drawn_before() -> None:
    alone = first(Key(5).child("b"))
    root = Key(5)
    for name in ("a", "c", "b"):
        root.child(name).generator().random(1000)
    root.generator().random(3)
    assert first(root.child("b")) == alone


def test_each_generator_starts_at_the_beginning() -> None:
    key = Key(5).child("b")
    key.generator().random(10)
    assert first(key) == first(key)


@settings(deadline=None)
@given(st.integers(0, 2**63), NAMES)
def test_integer_has_63_bits(seed: int, name: str | int) -> None:
    assert 0 <= Key(seed).child(name).integer() < 2**63


def test_sibling_streams_are_uncorrelated() -> None:
    # 45 pairs of 10,000 draws: |r| > 0.05 has five standard errors, false alarm < 3e-5
    draws = np.stack([Key(0).child(i).generator().normal(size=10_000) for i in range(10)])
    assert np.abs(np.corrcoef(draws) - np.eye(10)).max() < 0.05


def test_key_is_a_value() -> None:
    key = Key(3).child("x")
    assert pickle.loads(pickle.dumps(key)) == key
    assert len({key, Key(3).child("x")}) == 1
