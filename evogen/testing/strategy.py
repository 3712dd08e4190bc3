"""What every strategy does: see `evogen.strategies.Strategy`."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from evogen.cohort import Individual, Ref
from evogen.genome import Genome
from evogen.grammar import parse
from evogen.grammar.architecture import plan_of
from evogen.keys import Key
from evogen.measures import structure
from evogen.space import ArchitectureSpace, Log, RulesSpace, SearchSpace
from evogen.strategies import Scene, State, Told, Welcoming

COHORTS, SIZE = 6, 8
SPACE = SearchSpace(
    RulesSpace(genes=5, min_genes=4, max_genes=6, transmitters=2),
    ArchitectureSpace(
        parse("<module> @type(module) ::= layer:dense [width,int,1,2,9] act:tanh readout:sum"),
        initial_modules=2,
        max_modules=3,
    ),
    {"learner.learning_rate": Log(1e-3, 1e-1)},
)
Judge = Callable[[Ref, Genome], float | None]


def search(
    strategy: Any, judge: Judge, *, seed: int = 0, others: Callable[[Genome], tuple[float, ...]] | None = None
) -> tuple[list[State], list[tuple[Individual, ...]]]:
    """Ask and tell in turn; return the states before each cohort and after the last, and all cohorts.

    Args:
        strategy: the part.
        judge: gives the fitness, None for a failure.
        seed: of the search's key.
        others: gives the further objectives, if there are any.
    """
    states: list[State] = [strategy.start()]
    asked: list[tuple[Individual, ...]] = []
    genomes: dict[Ref, Genome] = {}
    for cohort in range(COHORTS):
        asked.append(_ask(strategy, states[-1], cohort, genomes, seed))
        genomes |= {Ref(cohort, row): individual.genome for row, individual in enumerate(asked[-1])}
        refs = [Ref(cohort, row) for row in range(SIZE)]
        told = [_told(ref, genomes[ref], judge, others) for ref in refs]
        states.append(strategy.tell(states[-1], told, scene=_scene(genomes, seed)))
    return states, asked


def smaller_is_better(ref: Ref, genome: Genome) -> float | None:
    """Prefer small learning rates; every fifth candidate fails."""
    failed = (ref.cohort * SIZE + ref.row) % 5 == 4
    return None if failed else -float(genome.plasticity["learner.learning_rate"])


def asks_for_genomes_of_the_space(strategy: Any) -> None:
    """Every genome keeps the bounds of its space, and every parent is a candidate of an earlier cohort."""
    _, asked = search(strategy, smaller_is_better)
    assert [len(cohort) for cohort in asked] == [SIZE] * COHORTS
    for number, cohort in enumerate(asked):
        for individual in cohort:
            rules, genes = individual.genome.rules, individual.genome.architecture
            assert rules is not None
            assert 4 <= len(rules.genes) <= 6
            assert rules.O.shape == (len(rules.genes),) * 2
            assert 1 <= len(genes) <= 3
            assert len({gene.innovation for gene in genes}) == len(genes)
            assert individual.genome.plasticity.keys() == SPACE.plasticity.keys()
            assert 1e-3 <= float(individual.genome.plasticity["learner.learning_rate"]) <= 1e-1
            assert all(parent.cohort < number for parent in individual.parents)


def keeps_its_state_in_json(strategy: Any) -> None:
    """States survive JSON unchanged, and ask and tell leave those that they are given as they were."""
    states, asked = search(strategy, smaller_is_better)
    for cohort, state in enumerate(states):
        assert json.loads(json.dumps(state)) == state
        if cohort == COHORTS:
            return
        before = copy.deepcopy(state)
        genomes = {Ref(n, row): one.genome for n, group in enumerate(asked) for row, one in enumerate(group)}
        genomes |= {Ref(cohort, row): one.genome for row, one in enumerate(asked[cohort])}
        _ask(strategy, state, cohort, genomes, 0)
        strategy.tell(state, [Told(Ref(cohort, row), 0.0) for row in range(SIZE)], scene=_scene(genomes, 0))
        assert state == before


def follows_from_its_key(strategy: Any) -> None:
    """Equal keys give equal cohorts, other keys others, and no global generator is used or moved."""
    before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index] # noqa: NPY002
    first = _ids(search(strategy, smaller_is_better)[1])
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # type: ignore[index] # noqa: NPY002
    random.random()  # noqa: S311
    assert _ids(search(strategy, smaller_is_better)[1]) == first
    assert _ids(search(strategy, smaller_is_better, seed=1)[1]) != first


def goes_on_when_all_fail(strategy: Any) -> None:
    """Candidates without a fitness end no search."""
    _, asked = search(strategy, lambda ref, genome: None)  # noqa: ARG005
    assert len(asked) == COHORTS


def uses_further_objectives_only_if_it_says_so(strategy: Any) -> None:
    """`many` is a truth value; where it is False, further objectives change no candidate."""
    assert isinstance(strategy.many, bool)
    states, asked = search(
        strategy, smaller_is_better, others=lambda genome: (float(len(genome.architecture)),)
    )
    assert json.loads(json.dumps(states[-1])) == states[-1]
    assert strategy.many or _ids(asked) == _ids(search(strategy, smaller_is_better)[1])


def may_welcome_candidates_of_another_part(strategy: Any) -> None:
    """What welcomes does so as purely as it is told, and goes on to ask for genomes of the space."""
    if isinstance(strategy, Welcoming):
        _welcomes(strategy)


def _welcomes(strategy: Any) -> None:
    genomes: dict[Ref, Genome] = {}
    scene = _scene(genomes, 0)
    others = scene._replace(key=scene.root.child("another part"))
    asked = strategy.ask(strategy.start(), 99, SIZE, scene=others)
    genomes |= {Ref(99, row): one.genome for row, one in enumerate(asked)}
    migrants = [_told(ref, genome, smaller_is_better, None) for ref, genome in genomes.items()]
    start = strategy.start()
    state = strategy.welcome(start, migrants, scene=scene)
    assert json.loads(json.dumps(state)) == state == strategy.welcome(start, migrants, scene=scene)
    assert start == strategy.start()
    assert len(strategy.ask(state, 100, SIZE, scene=scene)) == SIZE


def _told(
    ref: Ref, genome: Genome, judge: Judge, others: Callable[[Genome], tuple[float, ...]] | None
) -> Told:
    fitness = judge(ref, genome)
    if fitness is None:
        return Told(ref, None)
    metrics = structure(genome, plan_of(SPACE.architecture, genome, 2, 2))
    metrics |= {"fitness": fitness, "expected_score": fitness, "steps": 8.0}
    return Told(ref, fitness, others(genome) if others else (), metrics=metrics)


def _ask(
    strategy: Any, state: State, cohort: int, genomes: dict[Ref, Genome], seed: int
) -> tuple[Individual, ...]:
    found: tuple[Individual, ...] = strategy.ask(state, cohort, SIZE, scene=_scene(genomes, seed))
    return found


def _scene(genomes: dict[Ref, Genome], seed: int) -> Scene:
    key = Key(seed).child("search")
    return Scene(SPACE, genomes.__getitem__, key, key)


def _ids(asked: list[tuple[Individual, ...]]) -> list[list[str]]:
    return [[individual.genome.id for individual in cohort] for cohort in asked]


FACTS = (
    asks_for_genomes_of_the_space,
    keeps_its_state_in_json,
    follows_from_its_key,
    goes_on_when_all_fail,
    uses_further_objectives_only_if_it_says_so,
    may_welcome_candidates_of_another_part,
)
