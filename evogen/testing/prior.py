"""What every connectivity prior does: see `evogen.connectome.priors`."""

from __future__ import annotations

from typing import Any

import numpy as np

SIZES = ((1, 1), (4, 9), (9, 4), (16, 16), (40, 3))


def gives_chances(prior: Any) -> None:
    """Every pair has a probability, for rows of any two lengths."""
    for pre, post in SIZES:
        found = prior.chances(pre, post)
        assert found.shape == (pre, post)
        assert ((found >= 0) & (found <= 1)).all()


def is_a_pure_function_of_the_sizes(prior: Any) -> None:
    """Asked again, it says the same, whatever was done to its answer."""
    for sizes in SIZES:
        first = prior.chances(*sizes)
        kept = first.copy()
        first[:] = np.nan
        assert np.array_equal(prior.chances(*sizes), kept)


def lets_something_connect(prior: Any) -> None:
    """With its defaults there are pairs that may connect, also between single neurons."""
    for sizes in SIZES:
        assert prior.chances(*sizes).sum() > 0


FACTS = (gives_chances, is_a_pure_function_of_the_sizes, lets_something_connect)
