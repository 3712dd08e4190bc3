from collections import Counter

import moocore
import numpy as np
import pytest
from deap import base, tools

from evogen.cohort import Ref
from evogen.strategies import Told
from evogen.strategies.nsga2 import NSGA2
from evogen.strategies.random import Random

from .told import SCENE, Found, scene_of, search


class Point(list):
    """DEAP's own kind of individual, with DEAP's own fitness."""

    def __init__(self, ref: Ref, values: tuple[float, ...]) -> None:
        super().__init__(ref)
        maximised = type("Maximised", (base.Fitness,), {"weights": (1.0,) * len(values)})
        self.fitness = maximised(values)


def kept(state) -> list[Ref]:
    return [Ref(cohort, row) for cohort, row, *_ in state["population"]]


def two_humps(ref: Ref, x: list[float]) -> Told:
    """Minimise (a^2, (1 - a)^2) + distance: the front is b = c = d = 1/2, a in [0, 1]."""
    far = sum((value - 0.5) ** 2 for value in x[1:])
    return Told(ref, -(x[0] ** 2) - far, (-((1 - x[0]) ** 2) - far,))


def hypervolume(found: Found, refs: list[Ref]) -> float:
    points = [(-found.told[ref].fitness, -found.told[ref].others[0]) for ref in refs]
    return moocore.hypervolume(points, ref=[2, 2])


@pytest.mark.parametrize("objectives", [1, 2, 3])
@pytest.mark.parametrize("values", [10, 10**6], ids=["many ties", "no ties"])
def test_who_stays_and_in_which_order_is_dominance_and_crowding_as_deap_has_it(objectives, values):
    rng = np.random.default_rng(objectives)
    for _ in range(20):
        points = [tuple(map(float, row)) for row in rng.integers(0, values, (40, objectives))]
        told = [Told(Ref(0, row), first, tuple(rest)) for row, (first, *rest) in enumerate(points)]
        state = NSGA2().tell(NSGA2(population=16).start(), told, scene=SCENE)
        theirs = tools.selNSGA2([Point(one.ref, point) for one, point in zip(told, points, strict=True)], 16)
        assert kept(state) == [Ref(*one) for one in theirs]


def test_a_steady_state_keeps_what_deap_keeps_of_parents_and_children():
    rng = np.random.default_rng(7)
    state, ours, pool = NSGA2(population=12).start(), NSGA2(population=12), []
    for cohort in range(10):
        points = [tuple(map(float, row)) for row in rng.integers(0, 50, (5, 2))]
        told = [Told(Ref(cohort, row), a, (b,)) for row, (a, b) in enumerate(points)]
        state = ours.tell(state, told, scene=SCENE)
        fresh = [Point(one.ref, point) for one, point in zip(told, points, strict=True)]
        pool = tools.selNSGA2(pool + fresh, 12)
        assert kept(state) == [Ref(*one) for one in pool]


def test_plasticity_genes_are_varied_as_in_the_paper():
    found = search(NSGA2(population=16), two_humps, cohorts=8)
    bred = [one for one in found.asked.values() if one.parents]
    names = Counter(name for one in bred for name in one.operator.split("+"))
    assert set(names) == {"crossover", "plasticity.polynomial"}
    # one gene of the four on average: 1 - (3/4)^4 = 0.684 of the children, a few more where it was forced
    assert 0.684 - 4 * 0.465 / len(bred) ** 0.5 < names["plasticity.polynomial"] / len(bred) < 0.9


def test_who_breaks_the_constraints_less_comes_first_and_the_failed_never():
    told = [
        Told(Ref(0, 0), 9.0, (9.0,), violation=0.2),
        Told(Ref(0, 1), None),
        Told(Ref(0, 2), -5.0, (-5.0,), violation=0.1),
        Told(Ref(0, 3), -9.0, (-9.0,)),
        Told(Ref(0, 4), -8.0, (-8.0,)),
        Told(Ref(0, 5), -6.0, (-4.0,), violation=0.1),
        Told(Ref(0, 6), -6.0, (-6.0,), violation=0.1),
    ]
    state = NSGA2().tell(NSGA2().start(), told, scene=SCENE)
    rows = [ref.row for ref in kept(state)]
    assert rows[:2] == [4, 3]
    assert set(rows[2:4]) == {2, 5}  # equally far out, and neither dominates the other
    assert rows[4:] == [6, 0]


def test_a_cohort_of_the_population_has_every_winner_as_mother_once_and_no_one_more_than_twice():
    found = search(NSGA2(population=16, crossover=1.0), two_humps, cohorts=1)
    best = Told(Ref(0, 3), 5.0, (5.0,))
    state = NSGA2().tell(
        NSGA2().start(), [best, *(t for r, t in found.told.items() if r.row != 3)], scene=SCENE
    )
    asked = NSGA2(crossover=1.0).ask(state, 1, 16, scene=scene_of(found))
    mothers = Counter(one.parents[0] for one in asked)
    assert mothers[best.ref] == 2  # it wins both of its tournaments
    assert max(mothers.values()) <= 2
    assert all(len(set(one.parents)) == 2 for one in asked)
    couples = [one.parents for one in asked]
    assert all(a == b[::-1] for a, b in zip(couples[::2], couples[1::2], strict=True))


def test_a_row_does_not_depend_on_the_size_of_its_cohort():
    found = search(NSGA2(population=8), two_humps, cohorts=2)
    few, many = (NSGA2(population=8).ask(found.state, 2, size, scene=scene_of(found)) for size in (5, 21))
    assert many[:5] == few
    assert len({one.genome.id for one in many}) == 21


def test_candidates_are_drawn_until_the_population_is_full_of_successes():
    def half(ref, x):
        return two_humps(ref, x) if ref.row % 2 else Told(ref, None)

    found = search(NSGA2(population=12), half, cohorts=6, size=8)
    assert [bool(one.parents) for one in found.asked.values()] == [False] * 24 + [True] * 24
    assert all(parent.row % 2 for one in found.asked.values() for parent in one.parents)


@pytest.mark.parametrize(("size", "lookahead"), [(16, 1), (4, 3)])
def test_it_covers_a_front_better_than_random_search(size, lookahead):
    # ten seeds, 240 candidates each; were both equally good, ten wins of ten would have probability 1e-3
    for seed in range(10):
        options = {"cohorts": 240 // size, "size": size, "seed": seed, "lookahead": lookahead}
        ours = search(NSGA2(), two_humps, **options)
        other = search(Random(), two_humps, **options)
        assert hypervolume(ours, kept(ours.state)) > hypervolume(other, list(other.told))


def test_who_is_welcomed_competes_once_however_often_it_comes():
    found = search(NSGA2(population=8), two_humps, cohorts=2, size=8)
    migrant = Told(Ref(5, 0), 1.0, (1.0,))
    once = NSGA2(population=8).welcome(found.state, [migrant], scene=SCENE)
    assert kept(once)[0] == migrant.ref
    assert NSGA2(population=8).welcome(once, [migrant], scene=SCENE) == once


def test_the_population_is_a_multiple_of_four():
    with pytest.raises(ValueError, match="population 18: wanted a multiple of 4"):
        NSGA2(population=18)
