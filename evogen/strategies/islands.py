"""Islands: several searches side by side that send each other their best candidates (ring topology).

Cohort k belongs to island k mod `count`, and is its turn k div `count`. After every `every`-th turn an island
sends the `migrants` best of those that it bred since it last sent to the next island of the ring, where they
are welcomed when that island is told next. So who meets whom is decided by cohort numbers only, a
candidate travels one step and once (what it leaves behind travels on), and an island changes only when a
cohort of its own is told. It follows that any lookahead from 1 to `count` gives the same bits: each island is
bred from its own last cohort, which makes it the classic generational algorithm with `count` cohorts in
flight. A longer lookahead breeds from older states.

Migrants are picked by merit: constraints first, then the first objective.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deap import tools

from evogen.cohort import Individual, Ref
from evogen.registry import part, register, setting
from evogen.strategies import Scene, Spreading, State, Strategy, Told, Welcoming
from evogen.strategies.genetic import Genetic


@register("strategy", "islands")
@dataclass(frozen=True)
class Islands:
    """Settings of the islands and of the migration between them; `inner` is the strategy on each of them.

    Raises:
        ValueError: an inner strategy that has islands itself or takes no migrants.
    """

    inner: Strategy = part("strategy", Genetic(), doc="strategy of every island: a name, or a section")  # noqa: RUF009
    count: int = setting(4, low=2, high=1000, doc="islands")
    every: int = setting(4, low=1, doc="cohorts of an island from one migration to the next")
    migrants: int = setting(2, low=0, doc="candidates that an island sends; 0: no island knows of another")

    def __post_init__(self) -> None:
        if isinstance(self.inner, Islands):
            raise ValueError("inner: islands on islands are not supported: wanted another strategy")
        if not isinstance(self.inner, Welcoming):
            raise ValueError(
                f"inner: {type(self.inner).__name__} has no method `welcome`, so it takes no migrants: "
                "wanted another strategy"
            )

    @property
    def many(self) -> bool:
        """Whether the inner strategy uses several objectives."""
        return self.inner.many

    @property
    def measures(self) -> Mapping[str, Any]:
        """The measures that the inner strategy spreads over, if it does."""
        return self.inner.measures if isinstance(self.inner, Spreading) else {}

    def start(self) -> State:
        """Return the islands' states, who was bred well since the last migration, and who is on the way.

        A candidate on the way or bred well is [cohort, row, fitness, [other objective, ...], violation,
        {measure: value}].
        """
        return {
            "islands": [self.inner.start() for _ in range(self.count)],
            "bred": [[] for _ in range(self.count)],
            "arriving": [[] for _ in range(self.count)],
        }

    def ask(self, state: State, cohort: int, size: int, *, scene: Scene) -> tuple[Individual, ...]:
        """Return what the cohort's island asks for."""
        here = cohort % self.count
        return self.inner.ask(state["islands"][here], cohort, size, scene=_on(here, scene))

    def tell(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:
        """Tell the cohort's island, let in who is on the way there, send migrants if it is time."""
        turn, here = divmod(results[0].ref.cohort, self.count)
        after = self.inner.tell(state["islands"][here], results, scene=_on(here, scene))
        if state["arriving"][here]:
            after = self._welcomed(after, _read(state["arriving"][here]), _on(here, scene))
        told = [*_read(state["bred"][here]), *(one for one in results if one.fitness is not None)]
        bred = _write(tools.selBest(told, self.migrants, fit_attr="merit"))
        arriving = _with(state["arriving"], here, [])
        if (turn + 1) % self.every == 0:
            arriving, bred = _with(arriving, (here + 1) % self.count, bred), []
        return {
            "islands": _with(state["islands"], here, after),
            "bred": _with(state["bred"], here, bred),
            "arriving": arriving,
        }

    def _welcomed(self, state: State, migrants: Sequence[Told], scene: Scene) -> State:
        assert isinstance(self.inner, Welcoming)
        return self.inner.welcome(state, migrants, scene=scene)


def _on(island: int, scene: Scene) -> Scene:
    return scene._replace(key=scene.key.child("island", island))


def _with(items: Sequence[Any], place: int, item: Any) -> list[Any]:
    return [*items[:place], item, *items[place + 1 :]]


def _read(records: Sequence[Sequence[Any]]) -> list[Told]:
    return [
        Told(Ref(cohort, row), fitness, tuple(others), violation, metrics)
        for cohort, row, fitness, others, violation, metrics in records
    ]


def _write(pool: Sequence[Told]) -> list[list[Any]]:
    return [[*one.ref, one.fitness, list(one.others), one.violation, _finite(one.metrics)] for one in pool]


def _finite(metrics: Any) -> dict[str, float]:
    """Leave out what could not be measured: a state in JSON holds no NaN."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}
