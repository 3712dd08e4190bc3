import numpy as np
import pytest
import torch

from evogen.cohort import Ref
from evogen.strategies import Told
from evogen.strategies.openai_es import OpenAIES

from .flight import MIXED, Flight, near_optimum, small_numbers


def test_two_rows_are_a_mirrored_pair() -> None:
    flight = Flight(OpenAIES(sigma=0.2)).fly(near_optimum, 5, 12)
    asked = flight.strategy.ask(flight.state, 5, 7, scene=flight.scene)
    mean = np.array(flight.state["climb"][0])
    steps = np.stack([flight.view.vector(one.genome, mean, mean) for one in asked]) - mean
    np.testing.assert_allclose(steps[0:6:2], -steps[1:6:2], atol=1e-12)
    assert np.abs(steps).min() > 0
    assert len({row.tobytes() for row in np.abs(steps[::2])}) == 4
    assert np.std(steps) == pytest.approx(0.2, rel=4 / np.sqrt(2 * 40))  # 40 draws and their mirror images


def test_with_one_cohort_a_generation_it_is_the_published_algorithm() -> None:
    # the gradient of algorithm 1 with centred ranks, climbed by torch's Adam, over O, c and a gene
    strategy = OpenAIES(population=12, sigma=0.3, rate=0.07)
    flight = Flight(strategy, MIXED).fly(small_numbers, 25, 12)
    view = flight.view
    theta = torch.nn.Parameter(torch.zeros(view.dimension, dtype=torch.float64))
    adam = torch.optim.Adam([theta], lr=0.07)
    for cohort in range(25):
        mean = theta.detach().numpy().copy()
        genomes = [flight.found[Ref(cohort, row)].genome for row in range(12)]
        e = np.stack([view.vector(genome, mean, mean) - mean for genome in genomes]) / 0.3
        ranks = np.argsort(np.argsort([small_numbers(genome) for genome in genomes])) / 11 - 0.5
        theta.grad = torch.from_numpy(-ranks @ e / (12 * 0.3))
        adam.step()
        np.testing.assert_allclose(flight.states[cohort + 1]["climb"][0], theta.detach(), atol=2e-5)


@pytest.mark.parametrize(("lookahead", "size"), [(1, 10), (4, 10), (4, 5)])
def test_it_comes_near_the_optimum_of_a_sphere(lookahead: int, size: int) -> None:
    flight = Flight(OpenAIES(decay=0.97)).fly(near_optimum, 2000 // size, size, lookahead=lookahead)
    assert -flight.best < 1e-2


def test_rate_and_noise_shrink_with_every_generation() -> None:
    flight = Flight(OpenAIES(population=10, sigma=0.2, decay=0.5)).fly(near_optimum, 4, 10)
    means = np.array([state["climb"][0] for state in flight.states[1:]])
    asked = flight.strategy.ask(flight.state, 9, 100, scene=flight.scene)
    steps = np.stack([flight.view.vector(one.genome, means[-1], means[-1]) for one in asked]) - means[-1]
    assert np.std(steps) == pytest.approx(0.2 / 16, rel=4 / np.sqrt(2 * 500))
    first, last = np.abs(np.diff(means, axis=0)).max(1)[[0, -1]]
    assert last < first / 2


def test_what_failed_says_nothing_and_moves_nothing() -> None:
    flight = Flight(OpenAIES(population=10)).fly(near_optimum, 3, 10)
    before = flight.state
    asked = flight.strategy.ask(before, 3, 10, scene=flight.scene)
    flight.tell(3, asked, [None] * 10)
    assert flight.state == before


def test_guests_join_the_next_generation_no_farther_than_a_draw() -> None:
    flight = Flight(OpenAIES(population=4)).fly(near_optimum, 10, 4)
    guests = [flight.view.genome(np.full(10, 2.0)), flight.view.genome(np.full(10, -2.0))]
    scene = flight.scene._replace(stock=lambda ref: guests[ref.row])
    told = [Told(Ref(100, 0), 1.0), Told(Ref(100, 1), 0.0)]
    state = flight.strategy.welcome(flight.state, told, scene=scene)
    assert [record[:2] for record in state["waiting"]] == [[100, 0], [100, 1]]
    state = flight.strategy.welcome(state, told, scene=scene)
    gradient = (np.array(state["climb"][1]) - 0.9 * np.array(flight.state["climb"][1])) / 0.1
    # four guests, each within 4.83 deviations; ranks are at most 1/2
    assert 0 < np.linalg.norm(gradient) <= 4 * 0.5 * 4.83 / (4 * 0.1)


def test_an_odd_population_is_refused() -> None:
    with pytest.raises(ValueError, match="population 7: wanted an even number"):
        OpenAIES(population=7)
