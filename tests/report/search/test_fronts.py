import re
from dataclasses import replace

import numpy as np
import pytest

from evogen import ranking
from evogen.report.facts import gather
from evogen.report.search import fronts
from evogen.strategies.goals import Goals

TWO = Goals({"fitness": "maximise", "synapses": "minimise"})
POINTS = [(9.0, 90), (8.0, 50), (8.0, 60), (3.0, 10), (2.0, 20), (9.0, 90)]  # front: 0, 1, 3


@pytest.fixture
def facts(search):
    """Return a run of one cohort with these fitnesses and synapses."""
    found = gather(search(1)[0])
    rows = [
        row._replace(fitness=fitness, metrics={"synapses": float(synapses)})
        for row, (fitness, synapses) in zip(found.rows, POINTS, strict=True)
    ]
    return replace(found, rows=tuple(rows), goals=TWO)


def of(section, kind):
    return [item for item in section.iter("path") if kind in item.get("class", "").split()]


def test_front_is_drawn_with_its_members(facts):
    section = fronts.front(facts)
    (front,) = [item for item in of(section, "marks") if "blue" in item.get("class")]
    assert front.get("data-refs") == "0:0 0:1 0:3"
    assert [row.get("data-ref") for row in section.iter("tr")][1:] == ["0:0", "0:1", "0:3"]
    (image,) = section.iter("svg")
    told = "6 candidates; 3 on the front, fitness 3 to 9, synapses 10 to 90"
    assert told in image.get("aria-label")
    assert len(of(section, "line")) == 1


def test_every_candidate_is_a_mark_and_bounds_are_lines(facts):
    bounded = replace(facts, goals=TWO._replace(constraints={"synapses": {"at_most": 55}}))
    section = fronts.front(bounded)
    grey, orange = (
        [
            ref
            for item in of(section, "marks")
            if colour in item.get("class")
            for ref in item.get("data-refs", "").split()
        ]
        for colour in ("grey", "orange")
    )
    assert grey == ["0:1", "0:3", "0:4"]
    assert orange == ["0:0", "0:2", "0:5"]
    assert len(of(section, "ink")) == 2 - (bounded.winner.row.ref not in [row.ref for row in bounded.rows])
    assert "3 of 6 candidates with a fitness keep synapses ≤ 55." in "".join(section.itertext())


def test_one_objective_has_no_front_but_its_bounds_are_drawn(facts):
    assert fronts.front(replace(facts, goals=Goals())) is None
    bounded = replace(facts, goals=Goals(constraints={"synapses": {"at_most": 55}}))
    section = fronts.front(bounded)
    assert next(section.iter("h2")).text == "The constraints"
    assert not [item for item in of(section, "marks") if "blue" in item.get("class")]
    assert fronts.values(bounded) is None


def test_three_objectives_are_two_drawings(facts):
    goals = Goals({"fitness": "maximise", "synapses": "minimise", "steps": "minimise"})
    assert len(list(fronts.front(replace(facts, goals=goals)).iter("svg"))) == 2


@pytest.mark.parametrize(
    ("least", "corners"),
    [
        (True, [(1, 1), (2, 1), (2, 5), (4, 5), (4, 6)]),
        (False, [(4, 1), (2, 1), (2, 5), (1, 5), (1, 6)]),
    ],
)
def test_line_of_a_front_bounds_what_it_dominates(least, corners):
    xs, ys = ([2, 1, 4], [5, 1, 6]) if least else ([2, 4, 1], [5, 1, 6])
    assert list(zip(*fronts.steps(xs, ys, least=least), strict=True)) == corners


def test_values_are_the_measures_of_the_front(facts):
    assert fronts.values(facts)["front"] == [
        {"candidate": "0:0", "fitness": 9.0, "synapses": 90.0},
        {"candidate": "0:1", "fitness": 8.0, "synapses": 50.0},
        {"candidate": "0:3", "fitness": 3.0, "synapses": 10.0},
    ]


def test_front_of_the_rows_is_the_front_of_the_run(search):
    run, _ = search(3)
    facts = gather(run)
    random = np.random.default_rng(1)
    rows = [
        row._replace(
            metrics={"synapses": float(random.integers(1, 9)), "depth": float(random.integers(1, 4))}
        )
        for row in facts.rows
    ]
    goals = Goals(
        {"depth": "maximise", "synapses": "minimise", "fitness": "maximise"}, {"synapses": {"at_most": 6}}
    )
    judged = fronts.told(replace(facts, rows=tuple(rows), goals=goals))

    def covers(a, b):
        if a.violation != b.violation:
            return a.violation < b.violation
        values = [(one.fitness, *one.others) for one in (a, b)]
        return all(x >= y for x, y in zip(*values, strict=True)) and values[0] != values[1]

    wanted = [b for b in judged if not any(covers(a, b) for a in judged)]
    assert {one.ref for one in ranking.dominant(judged)} == {one.ref for one in wanted}


def test_nobody_with_a_fitness_is_said(search):
    facts = replace(gather(search(0)[0]), goals=TWO)
    assert re.search("No candidate has a fitness", "".join(fronts.front(facts).itertext()))
