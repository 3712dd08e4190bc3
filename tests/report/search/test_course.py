import re
from dataclasses import replace

import numpy as np
import pytest

from evogen.analysis.diversity import Diversity
from evogen.cohort import Outcome, Ref
from evogen.report.facts import gather
from evogen.report.search import course, overview
from evogen.strategies.goals import Goals


def path(figure, kind):
    (found,) = [item for item in figure.iter("path") if item.get("class") == kind]
    return found.get("d")


def texts(figure):
    return [item.text for item in figure.iter("text")]


def fitness(facts, axis=0):
    return course.fitness(facts, course.courses(facts)[axis])


def points(text):
    return [tuple(map(float, pair)) for pair in re.findall(r"[ML](\S+) (\S+?)(?=[LMh]|$)", text)]


def test_fitness_shows_each_candidate_and_each_failure_once(search):
    run, _ = search(3, ends=lambda ref: Outcome.DIVERGED if ref == (1, 2) else Outcome.OK)
    figure = fitness(gather(run))
    assert path(figure, "dots marks grey").count("M") == 17
    assert path(figure, "rug orange").count("M") == 1
    assert "1 without a fitness" in "".join(figure.itertext())


def test_best_so_far_never_falls(search):
    run, _ = search(3)
    rows = [y for _, y in points(path(fitness(gather(run)), "line ink"))]
    assert rows == sorted(rows, reverse=True)
    assert len(set(rows)) > 1


def test_axis_of_an_unfinished_search_reaches_the_planned_end(search):
    short, whole = (fitness(gather(search(n, name=f"n{n}")[0])) for n in (1, 3))
    ends = [max(x for x, _ in points(path(figure, "line ink"))) for figure in (short, whole)]
    assert ends[0] < 0.5 * ends[1]
    assert {"0", "5", "10", "15"} <= set(texts(short))


def test_quartiles_are_constant_within_a_cohort(search):
    run, _ = search(2)
    facts = gather(run)
    edges, spread, pooled = course._quartiles(facts.cohorts, course.courses(facts)[0])
    wanted = np.quantile([row.fitness for row in facts.cohorts[1]], (0.25, 0.5, 0.75))
    assert edges.tolist() == [0.5, 6.5, 6.5, 12.5]
    assert spread[:, 2] == pytest.approx(wanted)
    assert spread[:, 3] == pytest.approx(wanted)
    assert pooled == 1


def test_many_cohorts_are_pooled(search, monkeypatch):
    run, _ = search(3)
    facts = gather(run)
    monkeypatch.setattr(course, "BANDS", 2)
    edges, spread, pooled = course._quartiles(facts.cohorts, course.courses(facts)[0])
    first = [row.fitness for rows in facts.cohorts[:2] for row in rows]
    assert pooled == 2
    assert edges.tolist() == [0.5, 12.5, 12.5, 18.5]
    assert spread[1, 0] == pytest.approx(np.median(first))
    assert "median of 2 cohorts" in "".join(fitness(facts).itertext())


def test_second_axis_is_the_steps_taken_so_far(search):
    run, _ = search(2)
    facts = gather(run)
    candidates, steps = course.courses(facts)
    assert candidates.ends.tolist() == list(range(1, 13))
    assert steps.ends.tolist() == np.cumsum([row.steps for row in facts.rows]).tolist()
    assert steps.edges.tolist() == [0, 6000, 12000]
    assert steps.label == "environment steps, of all candidates together"


def test_search_without_steps_has_one_axis_and_no_switch(search):
    run, _ = search(2)
    facts = gather(run)
    still = replace(facts, rows=tuple(row._replace(steps=0) for row in facts.rows))
    assert len(course.courses(still)) == 1
    assert not list(overview.progress(still).iter("input"))
    assert len(list(overview.progress(facts).iter("input"))) == 1


def test_both_axes_are_drawn_so_that_a_print_has_both(search):
    run, _ = search(2)
    section = overview.progress(gather(run))
    (switch,) = [item for item in section.iter("div") if item.get("class") == "switch"]
    charts = [svg.get("aria-label") for svg in switch.iter("svg")]
    assert len(charts) == 4
    assert sum("environment steps" in label for label in charts) == 2


def test_who_breaks_the_constraints_is_not_the_best_so_far(search):
    run, _ = search(2)
    facts = gather(run)
    rows = [row._replace(metrics={"synapses": float(at)}) for at, row in enumerate(facts.rows)]
    found = replace(facts, rows=tuple(rows), goals=Goals(constraints={"synapses": {"at_most": 5}}))
    places, levels = course.best_so_far(found)
    assert max(places) <= 5
    assert levels[-1] == max(row.fitness for row in rows[:6])
    assert "keeps the constraints" in "".join(fitness(found).itertext())


def test_of_many_candidates_the_best_and_an_even_sample_are_drawn(search, monkeypatch):
    run, _ = search(3)
    facts = gather(run)
    monkeypatch.setattr(course, "DOTS", 5)
    facts = replace(facts, leaders=facts.leaders[:1])
    shown = course.thinned(facts, np.arange(18))
    best = facts.rows.index(facts.leaders[0])
    assert set(shown) == {0, 4, 8, 12, 17, best}
    assert f"{len(shown)} of 18 dots are drawn" in "".join(fitness(facts).itertext())


def test_few_numbers_far_below_do_not_stretch_the_axis(search):
    run, _ = search(2)
    facts = gather(run)
    low = facts.rows[3]._replace(fitness=-1e6)
    found = replace(facts, rows=(*facts.rows[:3], low, *facts.rows[4:]))
    figure = fitness(found)
    assert "1 candidates lie below the axis, the worst at −1,000,000" in "".join(figure.itertext())
    assert path(figure, "dots marks grey").count("M") == 11


def test_diversity_is_drawn_at_the_end_of_its_cohorts(search):
    run, _ = search(3)
    facts = gather(run)
    found = replace(facts, diversity=Diversity((0, 2), {"rules": (0.5, 0.25), "plasticity": (0.0, 1.0)}))
    axis = course.courses(found)[0]
    figure = course.diversity(found, axis)
    (x, y), (x1, y1) = points(path(figure, "line blue"))
    low, high = points(path(figure, "line green"))
    assert (low[0], high[0]) == (x, x1)
    assert y == pytest.approx((low[1] + high[1]) / 2, abs=0.11)
    assert y1 == pytest.approx(low[1] + 0.25 * (high[1] - low[1]), abs=0.11)
    (image,) = figure.iter("svg")
    assert "rules 0.5 to 0.25; plasticity 0 to 1; distinct genomes 1 to 1" in image.get("aria-label")


def test_values_say_where_the_best_rose(search):
    run, _ = search(3)
    facts = gather(run)
    found = course.values(facts)
    last = found["best_so_far"][-1]
    assert last["candidate"] == str(facts.winner.row.ref)
    assert last["fitness"] == facts.winner.row.fitness
    place = facts.rows.index(facts.winner.row)
    assert (last["candidates"], last["steps"]) == (place + 1, 1000 * (place + 1))
    assert found["diversity"]["cohorts"] == [0, 1, 2]


def test_run_without_a_candidate_says_so(search):
    run, _ = search(0)
    words = "".join(overview.progress(gather(run)).itertext())
    assert "No candidate has a fitness yet" in words
    assert "The diversity is not known" in words


def test_marks_name_the_candidates(search):
    run, _ = search(1)
    (marked,) = [item for item in fitness(gather(run)).iter("path") if item.get("data-refs")]
    assert marked.get("data-refs").split() == [str(Ref(0, row)) for row in range(6)]
