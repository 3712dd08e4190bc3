"""Strategies: which genomes to try next.

A strategy is a registered frozen dataclass with three pure methods over a state that is a JSON value, so that
the run's log can hold it. It sees places and numbers; genomes come from the scene's `stock`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from evogen.cohort import Individual, Ref
from evogen.genome import Genome
from evogen.keys import Key

if TYPE_CHECKING:
    from evogen.space import SearchSpace

State = Mapping[str, Any]
Stock = Callable[[Ref], Genome]


class Told(NamedTuple):
    """One committed candidate.

    Attributes:
        ref: its place.
        fitness: the first objective, turned so that higher is better; None for every outcome but OK.
        others: the further objectives, turned likewise.
        violation: by how much it breaks the constraints, the sum of relative excesses; 0 keeps them all.
        metrics: everything that was measured of it, by the names of `evogen.measures`.
    """

    ref: Ref
    fitness: float | None
    others: tuple[float, ...] = ()
    violation: float = 0.0
    metrics: Mapping[str, float] = MappingProxyType({})

    @property
    def merit(self) -> tuple[float, float]:
        """What a strategy of one objective sorts by: who keeps the constraints, then fitness (Deb 2000)."""
        return -self.violation, float("-inf") if self.fitness is None else self.fitness


class Scene(NamedTuple):
    """What a strategy works with.

    Attributes:
        space: what may vary.
        stock: place to genome, as it was born, or with its tuned expression if inheritance is Lamarckian.
        key: the strategy's own; all of its randomness.
        root: the whole search's key, the same for every part of a strategy that has parts.
    """

    space: SearchSpace
    stock: Stock
    key: Key
    root: Key


class Strategy(Protocol):
    """Pure ask and tell; equal arguments give equal results, bit for bit."""

    @property
    def many(self) -> bool:
        """Whether it uses every objective; False for the first one only. A class attribute will do."""
        ...

    def start(self) -> State:
        """Return the state before anything was told."""
        ...

    def ask(self, state: State, cohort: int, size: int, *, scene: Scene) -> tuple[Individual, ...]:
        """Return `size` individuals for cohort number `cohort`, bred from a state that may be old by now."""
        ...

    def tell(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:
        """Return the state after one whole cohort was told, in row order."""
        ...


@runtime_checkable
class Spreading(Protocol):
    """A strategy that spreads its candidates over measures."""

    @property
    def measures(self) -> Mapping[str, Any]:
        """Anything, by the name of the measure."""
        ...


@runtime_checkable
class Welcoming(Protocol):
    """A strategy that can use candidates of another part of its search: migrants between islands."""

    def welcome(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:
        """Return the state after candidates that it did not ask for; the stock has their genomes."""
        ...
