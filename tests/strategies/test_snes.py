import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from evogen.cohort import Ref
from evogen.errors import SpecError
from evogen.genome import Genome, frozen
from evogen.keys import Key
from evogen.learning.natural import utilities as utilities_in_torch
from evogen.space import SearchSpace
from evogen.strategies import Scene, Told
from evogen.strategies.generation import noise
from evogen.strategies.snes import SNES, utilities

from .flight import ARCHITECTURE, MIXED, TEN, Flight, near_optimum, rosenbrock, small_numbers


def drawn(flight: Flight, cohort: int, size: int) -> np.ndarray:
    return noise(flight.key, [Ref(cohort, row) for row in range(size)], flight.view.dimension)


def test_with_one_cohort_a_generation_it_is_the_published_algorithm() -> None:
    # algorithm 6 of Wierstra et al. 2014, from the same draws, over O, c (in float32) and a plasticity gene
    flight = Flight(SNES(population=12, sigma=0.5), MIXED).fly(small_numbers, 30, 12)
    view, u = flight.view, utilities(12)
    d = view.dimension
    mu, sigma, eta = np.zeros(d), np.full(d, 0.5), (3 + math.log(d)) / (5 * math.sqrt(d))
    for cohort in range(30):
        s = drawn(flight, cohort, 12)
        values = [small_numbers(view.genome(mu + sigma * one)) for one in s]
        s = s[np.argsort(values)[::-1]]
        mu = mu + sigma * (u @ s)
        sigma = sigma * np.exp(eta / 2 * (u @ (s**2 - 1)))
        state = flight.states[cohort + 1]
        np.testing.assert_allclose(state["mean"], mu, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(state["sigma"], sigma, rtol=1e-10)


@pytest.mark.parametrize("size", [4, 5, 10, 33])
def test_utilities_are_those_of_the_inner_loop(size: int) -> None:
    returns = torch.arange(size, 0, -1).unsqueeze(0)
    np.testing.assert_allclose(utilities(size), utilities_in_torch(returns)[0].numpy(), atol=1e-15)
    assert utilities(size).sum() == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("lookahead", "size", "cohorts"), [(1, 10, 200), (2, 10, 200), (4, 10, 250), (4, 5, 400)]
)
def test_it_finds_the_optimum_of_a_sphere(lookahead: int, size: int, cohorts: int) -> None:
    flight = Flight(SNES()).fly(near_optimum, cohorts, size, lookahead=lookahead)
    assert -flight.best < 1e-6


def test_a_generation_may_be_part_of_a_cohort_or_several() -> None:
    for size, cohorts in ((25, 50), (4, 300)):
        flight = Flight(SNES(population=10)).fly(near_optimum, cohorts, size)
        assert [len(state["waiting"]) for state in flight.states[:6]] == [size * n % 10 for n in range(6)]
        assert -flight.best < 1e-2


def test_lookahead_does_not_make_it_diverge_in_a_curved_valley() -> None:
    # Rosenbrock's function is 1e4 to 1e5 at random places, and below 20 only in the valley
    for lookahead in (2, 4):
        assert -Flight(SNES()).fly(rosenbrock, 150, 10, lookahead=lookahead).best < 20


def test_cohort_size_does_not_change_a_row() -> None:
    flight = Flight(SNES()).fly(near_optimum, 3, 10)
    ask = flight.strategy.ask
    assert ask(flight.state, 7, 4, scene=flight.scene) == ask(flight.state, 7, 9, scene=flight.scene)[:4]


def test_failures_rank_last_and_count() -> None:
    fly = Flight(SNES(population=8))
    asked = fly.strategy.ask(fly.state, 0, 8, scene=fly.scene)
    values = [near_optimum(one.genome) for one in asked]
    worst = int(np.argmin(values))
    fly.tell(0, asked, values)
    other = Flight(SNES(population=8))
    other.tell(0, asked, [None if row == worst else value for row, value in enumerate(values)])
    assert other.state == fly.state


def test_broken_constraints_rank_before_failures_and_after_all_else() -> None:
    flight = Flight(SNES(population=4))
    asked = flight.strategy.ask(flight.state, 0, 4, scene=flight.scene)
    flight.found.update((Ref(0, row), one) for row, one in enumerate(asked))
    told = [
        Told(Ref(0, 0), None),
        Told(Ref(0, 1), 9.0, violation=0.5),
        Told(Ref(0, 2), 1.0),
        Told(Ref(0, 3), 2.0),
    ]
    found = flight.strategy.tell(flight.state, told, scene=flight.scene)
    ranked = utilities(4)[[3, 2, 1, 0]]
    np.testing.assert_allclose(found["mean"], ranked @ drawn(flight, 0, 4), atol=1e-12)


def test_what_says_nothing_moves_nothing() -> None:
    for objective in (lambda genome: None, lambda genome: 3.0):
        state = Flight(SNES(population=5)).fly(objective, 4, 5).state
        assert state["mean"] is None or state["mean"] == pytest.approx([0.0] * 10, abs=1e-12)
        assert state["sigma"] is None or state["sigma"] == pytest.approx([1.0] * 10)


def test_a_tuned_candidate_counts_where_its_life_ended() -> None:
    flight = Flight(SNES(population=8), MIXED)
    asked = flight.strategy.ask(flight.state, 0, 8, scene=flight.scene)

    def tuned(ref: Ref) -> Genome:
        genome = asked[ref.row].genome
        assert genome.rules is not None
        return replace(genome, rules=replace(genome.rules, O=frozen(np.full((4, 4), 0.5))))

    told = [Told(Ref(0, row), float(row)) for row in range(8)]
    scene = Scene(MIXED, tuned, flight.key, flight.key)
    found = flight.strategy.tell(flight.state, told, scene=scene)
    born = flight.strategy.tell(
        flight.state, told, scene=scene._replace(stock=lambda ref: asked[ref.row].genome)
    )
    # all lives end at O = 1/2, which is 2 in initial deviations of 1/4; minus the mean of the draws
    np.testing.assert_allclose(found["mean"][:16], 2 - drawn(flight, 0, 8).mean(0)[:16], atol=1e-12)
    assert found["mean"][16:] == born["mean"][16:]
    assert found["sigma"] == born["sigma"]


def test_a_guest_draws_the_search_towards_it_but_not_far() -> None:
    flight = Flight(SNES(population=4)).fly(near_optimum, 60, 4)
    away = np.full(10, 2.0)
    guests = [flight.view.genome(away + 1e-3 * row) for row in range(4)]
    scene = flight.scene._replace(stock=lambda ref: guests[ref.row])
    told = [Told(Ref(100, row), float(row)) for row in range(4)]
    before, after = flight.state, flight.strategy.welcome(flight.state, told, scene=scene)
    waiting = flight.strategy.welcome(flight.state, told[:3], scene=scene)
    assert [record[-1] for record in waiting["waiting"]] == [True] * 3
    assert flight.strategy.tell(waiting, [], scene=scene) == waiting
    assert after != before
    assert np.isfinite(after["mean"]).all()
    # a guest is at most sqrt(d) + 2 d / (d + 2) = 4.83 deviations away, and the utilities sum to less than 1
    step = (np.array(after["mean"]) - before["mean"]) / before["sigma"]
    assert np.linalg.norm(step) < 4.83


def test_parts_of_a_search_share_the_template_and_not_the_draws() -> None:
    flight = Flight(SNES())
    scenes = [flight.scene._replace(key=flight.key.child("island", n)) for n in range(2)]
    one, other = (flight.strategy.ask(flight.state, 0, 3, scene=scene) for scene in scenes)
    plain = {replace(each.genome, plasticity={}) for each in (*one, *other)}
    assert plain == {flight.view.template}
    assert len({each.genome for each in (*one, *other)}) == 6


def test_bad_settings_and_spaces_are_refused() -> None:
    with pytest.raises(ValueError, match="population 3: wanted 4 or more, or 0"):
        SNES(population=3)
    with pytest.raises(SpecError, match="none: let its rules evolve"):
        Flight(SNES(), SearchSpace(None, ARCHITECTURE)).fly(lambda genome: 0.0, 1, 4)


def test_the_usual_population_is_that_of_the_dimension() -> None:
    state = Flight(SNES(), TEN, Key(3)).fly(near_optimum, 1, 9).state
    assert state["mean"] is None
    assert Flight(SNES(), TEN, Key(3)).fly(near_optimum, 1, 10).state["mean"] is not None
