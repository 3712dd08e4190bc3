"""Random search: every candidate is a fresh draw from the space; the baseline of every other strategy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from evogen.cohort import Individual, Ref
from evogen.registry import register
from evogen.strategies import Scene, State, Told
from evogen.variation.sample import sample


@register("strategy", "random")
@dataclass(frozen=True)
class Random:
    """Samples always, learns nothing."""

    many: ClassVar[bool] = False

    def start(self) -> State:
        """Return the empty state."""
        return {}

    def ask(
        self,
        state: State,  # noqa: ARG002
        cohort: int,
        size: int,
        *,
        scene: Scene,
    ) -> tuple[Individual, ...]:
        """Return `size` independent draws."""
        refs = [Ref(cohort, row) for row in range(size)]
        return tuple(Individual(sample(scene.space, scene.key, ref, root=scene.root)) for ref in refs)

    def tell(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:  # noqa: ARG002
        """Return the state as it was."""
        return state

    def welcome(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:  # noqa: ARG002
        """Return the state as it was."""
        return state
