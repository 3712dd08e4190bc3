"""A strategy's loop in one process, as the engine's ordered pipeline runs it, told more than a fitness."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from evogen.cohort import Individual, Ref
from evogen.genome import Genome
from evogen.grammar import parse
from evogen.keys import Key
from evogen.space import ArchitectureSpace, SearchSpace, Uniform
from evogen.strategies import Scene, Strategy, Told

GRAMMAR = parse("<module> @type(module) ::= layer:dense [width,int,1,2,9]")
SPACE = SearchSpace(
    None, ArchitectureSpace(GRAMMAR, evolve=False), {name: Uniform(0, 1) for name in ("a", "b", "c", "d")}
)
SCENE = Scene(SPACE, {}.__getitem__, Key(0), Key(0))
Judge = Callable[[Ref, list[float]], Told]


class Found(NamedTuple):
    """The state after the last cohort, and everybody who was asked for and told."""

    state: Mapping[str, Any]
    asked: dict[Ref, Individual]
    told: dict[Ref, Told]


def numbers(genome: Genome) -> list[float]:
    """Return the genes a, b, c, d."""
    return [float(genome.plasticity[name]) for name in sorted(SPACE.plasticity)]


def search(
    strategy: Strategy, judge: Judge, *, cohorts: int, size: int = 16, seed: int = 0, lookahead: int = 1
) -> Found:
    """Ask and tell in turn."""
    states: list[Mapping[str, Any]] = [strategy.start()]
    found = Found(states[0], {}, {})
    scene = Scene(SPACE, lambda ref: found.asked[ref].genome, Key(seed), Key(seed))
    for cohort in range(cohorts):
        asked = strategy.ask(states[max(0, cohort - lookahead + 1)], cohort, size, scene=scene)
        rows = {Ref(cohort, row): one for row, one in enumerate(asked)}
        told = {ref: judge(ref, numbers(one.genome)) for ref, one in rows.items()}
        found.asked.update(rows)
        found.told.update(told)
        after = strategy.tell(states[-1], list(told.values()), scene=scene)
        states.append(json.loads(json.dumps(after, allow_nan=False)))
    return found._replace(state=states[-1])


def scene_of(found: Found, *, seed: int = 0) -> Scene:
    """Return a scene whose stock is everybody found."""
    return Scene(SPACE, lambda ref: found.asked[ref].genome, Key(seed), Key(seed))
