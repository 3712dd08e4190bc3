import random

import numpy as np
import pytest

from evogen.keys import Key
from evogen.variation.scoped import scoped


def draw() -> tuple[float, float, float]:
    return random.random(), random.gauss(0, 1), float(np.random.rand())  # noqa: NPY002


def test_global_generators_go_on_as_if_nothing_had_happened() -> None:
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    random.gauss(0, 1)
    before = random.getstate()
    untouched = draw()
    random.setstate(before)
    np.random.seed(1)  # noqa: NPY002
    with scoped(Key(0)):
        draw()
    assert draw() == untouched


def test_global_generators_are_restored_after_an_error() -> None:
    before = random.getstate()
    with pytest.raises(ZeroDivisionError), scoped(Key(0)):
        raise ZeroDivisionError(draw())
    assert random.getstate() == before


def test_numbers_inside_depend_on_the_key_only() -> None:
    found = []
    for seed, key in ((1, Key(0)), (2, Key(0)), (1, Key(1))):
        random.seed(seed)
        with scoped(key):
            found.append(draw())
    assert found[0] == found[1]
    assert all(a != b for a, b in zip(found[0], found[2], strict=True))
