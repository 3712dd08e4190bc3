import json
from dataclasses import replace

import numpy as np
import pytest
from cmaes import CMA

from evogen.cohort import Ref
from evogen.errors import SpecError
from evogen.genome import frozen
from evogen.space import Integers, RulesSpace, SearchSpace, Uniform
from evogen.strategies import Told
from evogen.strategies.cmaes import CMAES

from .flight import ARCHITECTURE, MIXED, TEN, Flight, Objective, near_optimum, rosenbrock, small_numbers


@pytest.mark.parametrize(
    ("space", "objective"),
    [(TEN, near_optimum), (TEN, rosenbrock), (MIXED, small_numbers)],
    ids=["sphere", "rosenbrock", "mixed"],
)
def test_with_one_cohort_a_generation_it_is_the_library_bit_for_bit(
    space: SearchSpace, objective: Objective
) -> None:
    flight = Flight(CMAES(), space)
    view = flight.view
    library = CMA(mean=np.zeros(view.dimension), sigma=1.0)
    size = library.population_size
    flight.fly(objective, 40, size)
    for cohort in range(40):
        solutions = []
        for row in range(size):
            library.reseed_rng(flight.key.child("noise", cohort, row).integer() % 2**32)
            x = library.ask()
            genome = view.genome(x)
            assert genome == flight.found[Ref(cohort, row)].genome
            solutions.append((x, -objective(genome)))  # type: ignore[operator]
        library.tell(solutions)
        distribution = flight.states[cohort + 1]["distribution"]
        assert distribution["mean"] == library.mean.tolist()
        assert distribution["sigma"] == library._sigma


@pytest.mark.parametrize(
    ("lookahead", "size", "cohorts"), [(1, 10, 130), (2, 10, 150), (4, 10, 200), (4, 5, 300)]
)
def test_it_comes_near_the_optimum_of_a_sphere(lookahead: int, size: int, cohorts: int) -> None:
    assert -Flight(CMAES()).fly(near_optimum, cohorts, size, lookahead=lookahead).best < 1e-3


def test_the_state_is_the_upper_triangle_and_a_few_vectors() -> None:
    state = Flight(CMAES(population=10)).fly(near_optimum, 3, 25).state
    assert len(state["distribution"]["C"]) == 55
    assert len(state["waiting"]) == 5
    assert len(json.dumps(state)) < 25 * (55 + 30) + 500


def test_what_failed_says_nothing_and_moves_nothing() -> None:
    flight = Flight(CMAES()).fly(near_optimum, 3, 10)
    before = flight.state
    flight.tell(3, flight.strategy.ask(before, 3, 10, scene=flight.scene), [None] * 10)
    assert flight.state == before


def test_a_search_that_has_arrived_stays_finite() -> None:
    # a whole number of one value is all there is: every candidate is the same genome
    flight = Flight(CMAES(), SearchSpace(None, ARCHITECTURE, {"n": Integers(2, 2)}))
    flight.fly(lambda genome: 1.0, 3, 4)
    for part, value in (("sigma", 1e-100), ("C", [1e-320]), ("C", [0.0])):
        state = {**flight.state, "distribution": {**flight.state["distribution"], part: value}}
        flight.states.append(state)
        flight.tell(9, flight.strategy.ask(state, 9, 4, scene=flight.scene), [1.0] * 4)
        assert np.isfinite(flight.state["distribution"]["mean"]).all()


def test_guests_and_tuned_candidates_are_injected_no_farther_than_a_draw() -> None:
    flight = Flight(CMAES(population=10), MIXED).fly(small_numbers, 60, 10)
    before, asked = flight.state, flight.strategy.ask(flight.state, 60, 10, scene=flight.scene)

    def far(ref: Ref):
        genome = asked[ref.row].genome
        assert genome.rules is not None
        return replace(genome, rules=replace(genome.rules, O=frozen(genome.rules.O + 100)))

    told, scene = [Told(Ref(60, row), float(row)) for row in range(10)], flight.scene._replace(stock=far)
    for learn in (flight.strategy.tell, flight.strategy.welcome):
        after = learn(before, told, scene=scene)["distribution"]
        assert after["generation"] == before["distribution"]["generation"] + 1
        d, C = len(after["mean"]), np.zeros((len(after["mean"]),) * 2)
        C[np.triu_indices(d)] = before["distribution"]["C"]
        C = C + np.triu(C, 1).T
        step = np.array(after["mean"]) - before["distribution"]["mean"]
        length = np.sqrt(step @ np.linalg.solve(C, step)) / before["distribution"]["sigma"]
        assert 1 < length <= np.sqrt(d) + 2 * d / (d + 2) + 1e-6
        assert after["sigma"] < 10 * before["distribution"]["sigma"]


def test_too_many_numbers_and_too_small_generations_are_refused() -> None:
    space = SearchSpace(RulesSpace(genes=32), ARCHITECTURE, {"a": Uniform(0, 1)})
    with pytest.raises(SpecError, match=r"at most 1000 numbers.* has 1043,.*use 'snes'"):
        Flight(CMAES(), space).fly(lambda genome: 0.0, 1, 4)
    with pytest.raises(ValueError, match="population 2: wanted 4 or more, or 0"):
        CMAES(population=2)
