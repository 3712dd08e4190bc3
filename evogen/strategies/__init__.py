"""Strategies: which genomes to try next.

A strategy is a registered frozen dataclass with three pure methods over a state that is a JSON value, so that
the run's log can hold it. It sees places and fitness; genomes come from the `stock`, which returns a
candidate's genome with its tuned expression written back if inheritance is Lamarckian.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from evogen.cohort import Individual, Ref
from evogen.genome import Genome
from evogen.keys import Key
from evogen.space import SearchSpace

State = Mapping[str, Any]
Stock = Callable[[Ref], Genome]


class Told(NamedTuple):
    """One committed candidate; fitness is None for every outcome but OK."""

    ref: Ref
    fitness: float | None


class Strategy(Protocol):
    """Pure ask and tell; equal arguments give equal results, bit for bit."""

    def start(self) -> State:
        """Return the state before anything was told."""
        ...

    def ask(
        self, state: State, cohort: int, size: int, *, space: SearchSpace, stock: Stock, key: Key
    ) -> tuple[Individual, ...]:
        """Return `size` individuals for cohort number `cohort`; all randomness comes from `key`."""
        ...

    def tell(self, state: State, results: Sequence[Told]) -> State:
        """Return the state after one whole cohort was told, in row order."""
        ...
