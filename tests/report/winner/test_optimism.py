import math
import re
from dataclasses import replace

import numpy as np
import pytest

from evogen.keys import Key
from evogen.report.facts import gather
from evogen.report.markup import html
from evogen.report.winner.optimism import gap, largest_of, values, verdict
from evogen.strategies.goals import Goals

from ..searches import CLASSIFIED, CONTROL, Page
from .test_winner import assess


def text(facts):
    return Page(html(verdict(facts))).text.replace("−", "-")


def test_largest_of_few_normal_numbers_has_closed_forms():
    assert largest_of(1) == pytest.approx(0, abs=1e-9)
    assert largest_of(2) == pytest.approx(1 / math.sqrt(math.pi), rel=1e-6)
    assert largest_of(3) == pytest.approx(3 / (2 * math.sqrt(math.pi)), rel=1e-6)
    drawn = Key(1).generator().normal(size=(4000, 1000)).max(1)
    assert largest_of(1000) == pytest.approx(drawn.mean(), abs=4 * drawn.std() / math.sqrt(4000))


def test_gap_is_estimate_minus_fresh_mean_and_its_interval_is_that_of_two_means(search):
    row = gather(search()[0]).winner.row
    random = np.random.default_rng(4)
    own, fresh = random.normal(10, 2, 400), random.normal(9, 3, 300)
    found = gap(row._replace(fitness=float(own.mean()), scores=tuple(own)), tuple(fresh), 50)
    assert found.value == pytest.approx(own.mean() - fresh.mean())
    error = math.sqrt(own.var(ddof=1) / 400 + fresh.var(ddof=1) / 300)
    wanted = [found.value - 1.96 * error, found.value + 1.96 * error]
    assert list(found.interval) == pytest.approx(wanted, abs=0.15 * error)
    assert found.reference == pytest.approx(own.std(ddof=1) / 20 * largest_of(50))


def test_interval_covers_the_true_gap_as_often_as_it_says(search):
    """Forty agents a side: 300 experiments, 95 %; less than 90 % would happen once in 10,000."""
    row = gather(search()[0]).winner.row
    random, covered = np.random.default_rng(7), 0
    for trial in range(300):
        own, fresh = random.normal(5, 1, 40), random.normal(4, 1, 40)
        one = row._replace(fitness=float(own.mean()), scores=tuple(own), genome=f"{trial:064x}")
        low, high = gap(one, tuple(fresh), 2).interval
        covered += low <= 1 <= high
    assert covered >= 270


def test_agents_that_are_all_alike_have_no_interval(search):
    row = gather(search()[0]).winner.row._replace(fitness=3.0, scores=(3.0, 3.0))
    assert gap(row, (2.0, 2.0), 9) == (1.0, None, None)
    assert gap(row, (2.0,), 9).interval is None


def test_section_says_the_gap_its_interval_and_how_many_were_looked_at(search):
    run, _ = search()
    assess(run, [30.0, 40.0, 50.0])
    facts = gather(run)
    found = values(facts)
    low, high = (float(f"{end:.3g}") for end in found["optimism"]["interval"])
    told = re.search(r"95% interval (\S+) to (\S+)\)", text(facts))
    assert (float(told[1]), float(told[2])) == (low, high)
    assert "best of 18 noisy estimates" in text(facts)
    assert found["fresh"]["mean"] == 40
    assert found["candidate"] == str(run.best())


def test_of_a_classification_it_is_said_that_examples_matter_too(search):
    run, _ = search(text=CLASSIFIED)
    assess(run, [0.9, 0.95])
    assert "which examples a fold holds" in text(gather(run))


def test_without_an_assessment_there_is_no_gap(search):
    assert values(gather(search()[0])) is None


def test_no_gap_is_foretold_of_a_winner_that_was_not_chosen_for_its_fitness(search):
    run, _ = search()
    assess(run, [30.0, 40.0, 50.0])
    facts = gather(run)
    goals = replace(facts, goals=Goals({"synapses": "minimise"}))
    assert values(goals)["optimism"]["reference"] is None
    assert values(goals)["optimism"]["interval"] == values(facts)["optimism"]["interval"]
    assert "not chosen for its fitness alone" in text(goals)


def test_candidates_without_an_estimate_are_no_estimates(search):
    run, _ = search()
    assess(run, [30.0, 40.0, 50.0])
    facts = gather(run)
    without = tuple(row._replace(fitness=None) for row in facts.rows[:-1])
    assert "best of 1 noisy estimates" in text(replace(facts, rows=(*without, facts.rows[-1])))


def test_of_several_lives_the_gap_has_no_interval(search):
    several = CONTROL.replace("cohort_size: 6", "cohort_size: 6, lives: 3")
    run, _ = search(text=f"{several}inheritance: baldwinian\n")
    assess(run, [30.0, 40.0, 50.0])
    facts = gather(run)
    assert values(facts)["optimism"]["interval"] is None
    assert values(facts)["optimism"]["reference"] is None
    assert "mean over 3 lives" in text(facts)


def test_a_fresh_agent_whose_answers_are_not_finite_leaves_no_gap(search):
    run, _ = search()
    assess(run, [30.0, math.nan, 50.0])
    facts = gather(run)
    found = values(facts)
    assert found["optimism"] == {"gap": None, "interval": None, "reference": None}
    assert found["fresh"] == {"on": facts.assessment.title, "mean": None, "scores": [30.0, None, 50.0]}
    assert "1 of 3 fresh agents gave answers that are not finite" in text(facts)
