"""Random search: every candidate is a fresh draw from the space; the baseline of every other strategy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evogen.cohort import Individual, Ref
from evogen.keys import Key
from evogen.registry import register
from evogen.space import SearchSpace
from evogen.strategies import State, Stock, Told
from evogen.variation.sample import sample


@register("strategy", "random")
@dataclass(frozen=True)
class Random:
    """Samples always, learns nothing."""

    def start(self) -> State:
        """Return the empty state."""
        return {}

    def ask(
        self,
        state: State,  # noqa: ARG002
        cohort: int,
        size: int,
        *,
        space: SearchSpace,
        stock: Stock,  # noqa: ARG002
        key: Key,
    ) -> tuple[Individual, ...]:
        """Return `size` independent draws; `key` is the whole search's."""
        return tuple(Individual(sample(space, key, Ref(cohort, row))) for row in range(size))

    def tell(self, state: State, results: Sequence[Told]) -> State:  # noqa: ARG002
        """Return the state as it was."""
        return state
