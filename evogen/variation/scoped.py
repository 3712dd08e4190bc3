"""A key for a library that draws from the global generators (DEAP: `random`, numpy's legacy functions)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from evogen.keys import Key


@contextmanager
def scoped(key: Key) -> Iterator[None]:
    """Seed both global generators from the key inside the block; restore them after it, errors included."""
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(key.integer())
    np.random.seed(key.integer() % 2**32)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
