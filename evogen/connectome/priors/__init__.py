"""Connectivity priors: which pairs of neurons may connect at all, before anything is learnt or evolved.

A prior is a registered frozen dataclass. It gives every pair a probability; a projection's pairs are drawn
from them once for every gene, and its weights come from the wiring as everywhere else. `conn:NAME` in a
grammar uses a prior, `conn:shuffled-NAME` its control: as many pairs, but any of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from evogen.registry import find

SHUFFLED = "shuffled-"


class Prior(Protocol):
    """A law of connectivity."""

    def chances(self, pre: int, post: int) -> np.ndarray:
        """Return the probability (pre, post) that a pair may connect, of so many neurons before and after."""
        ...


def configured(name: str, numbers: Mapping[str, float]) -> Prior:
    """Return the prior that a word names, with these numbers; a control's is the prior that it shuffles."""
    prior: Prior = find("prior", plain(name))(**numbers)
    return prior


def plain(name: str) -> str:
    """Return the name of the prior behind a word's name."""
    return name.removeprefix(SHUFFLED)


def expected(name: str, numbers: Mapping[str, float], pre: int, post: int) -> float:
    """Return the expected number of pairs that may connect."""
    return float(configured(name, numbers).chances(pre, post).sum())


def drawn(name: str, numbers: Mapping[str, float], uniform: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return which pairs may connect, (pre, post) bool.

    Args:
        name: of a prior or of its control.
        numbers: of the prior.
        uniform: (pre, post) independent numbers ~ U(0, 1); a pair is in where its number is below its chance.
        order: (pre, post) others, all different; a control puts the pairs in their order.
    """
    found: np.ndarray = uniform < configured(name, numbers).chances(*uniform.shape)
    if not name.startswith(SHUFFLED):
        return found
    places = order.argsort(axis=None, kind="stable")  # any permutation is as likely as another
    return found.ravel()[places].reshape(found.shape)


def places(neurons: int) -> np.ndarray:
    """Return where on the line [0, 1] neurons lie that are evenly spread, (neurons,)."""
    return (np.arange(neurons) + 0.5) / neurons
