from dataclasses import replace

import numpy as np
import pytest

from evogen.cohort import Ref
from evogen.report.facts import gather
from evogen.report.markup import html
from evogen.report.search import archive
from evogen.strategies import Told
from evogen.strategies.goals import Goals
from evogen.strategies.islands import Islands
from evogen.strategies.map_elites import MAPElites
from evogen.strategies.map_elites import archive as elites_of

GRID = {"synapses": (0.0, 10.0, 5), "depth": (1.0, 3.0, 2)}
KINDS = [(5.0, 1, 1), (7.0, 1.5, 1), (7.0, 1, 1), (2.0, 9, 2.5), (9.0, 40, 9), (None, 5, 1)]


@pytest.fixture
def facts(search):
    found = gather(search(1)[0])
    rows = [
        row._replace(fitness=fitness, metrics={"synapses": float(synapses), "depth": float(depth)})
        for row, (fitness, synapses, depth) in zip(found.rows, KINDS, strict=True)
    ]
    experiment = replace(found.experiment, strategy=MAPElites(measures=GRID))
    return replace(found, rows=tuple(rows), experiment=experiment)


def test_each_cell_keeps_its_best_and_the_first_of_equals(facts):
    found = archive.filled(facts, MAPElites(measures=GRID))
    assert {place: row.ref.row for place, row in found.elites.items()} == {(0, 0): 1, (4, 1): 4}
    assert found.coverage.tolist() == [1, 1, 1, 2, 2, 2]
    assert found.score.tolist() == [3, 5, 5, 5, 12, 12]  # minus the lowest fitness, 2


def test_archive_is_that_of_the_strategy(facts):
    random = np.random.default_rng(0)
    rows = [
        facts.rows[0]._replace(
            ref=Ref(0, at),
            fitness=float(random.integers(0, 5)),
            metrics={"synapses": float(random.uniform(-1, 12)), "depth": float(random.integers(1, 5))},
        )
        for at in range(200)
    ]
    strategy = MAPElites(measures=GRID)
    told = [Told(row.ref, row.fitness, metrics=row.metrics) for row in rows]
    state = strategy.tell(strategy.start(), told, scene=None)
    found = archive.filled(replace(facts, rows=tuple(rows)), strategy)
    assert {row.ref for row in found.elites.values()} == {elite.ref for elite in elites_of(state)}


def test_drawing_has_a_mark_for_every_filled_cell(facts):
    section = archive.archive(facts)
    (marks,) = [item for item in section.iter("path") if item.get("data-refs")]
    assert sorted(marks.get("data-refs").split()) == ["0:1", "0:4"]
    cells = [item for item in section.iter("path") if "cell" in item.get("class", "").split()]
    assert sum(item.get("d").count("Z") for item in cells) == 2
    image = next(section.iter("svg"))
    assert "2 of 10 cells filled (20.0%), fitness 7 to 9, best 0:4" in image.get("aria-label")
    assert archive.values(facts)["elites"] == [
        {"cell": [0, 0], "candidate": "0:1", "fitness": 7.0},
        {"cell": [4, 1], "candidate": "0:4", "fitness": 9.0},
    ]


def test_of_more_than_two_measures_the_best_is_shown(facts):
    strategy = MAPElites(measures={**GRID, "modules": (0.0, 8.0, 8)})
    rows = [row._replace(metrics={**row.metrics, "modules": float(at)}) for at, row in enumerate(facts.rows)]
    experiment = replace(facts.experiment, strategy=strategy)
    section = archive.archive(replace(facts, rows=tuple(rows), experiment=experiment))
    (marks,) = [item for item in section.iter("path") if item.get("data-refs")]
    assert sorted(marks.get("data-refs").split()) == ["0:1", "0:4"]
    assert "differ only in modules" in "".join(section.itertext())


def test_one_measure_is_one_row(facts):
    experiment = replace(facts.experiment, strategy=MAPElites(measures={"synapses": (0.0, 10.0, 5)}))
    section = archive.archive(replace(facts, experiment=experiment))
    cells = [item for item in section.iter("path") if "cell" in item.get("class", "").split()]
    assert sum(item.get("d").count("Z") for item in cells) == 2


def test_islands_have_one_archive_together_and_other_strategies_none(facts):
    islands = Islands(inner=MAPElites(measures=GRID))
    together = replace(facts, experiment=replace(facts.experiment, strategy=islands))
    assert archive.values(together) == archive.values(facts)
    other = replace(facts, experiment=replace(facts.experiment, strategy=Islands()))
    assert archive.archive(other) is None
    assert archive.values(replace(facts, experiment=None)) is None


def test_fitness_that_is_no_number_does_not_enter(facts):
    rows = tuple(row._replace(fitness=float("nan")) if row.ref.row == 4 else row for row in facts.rows)
    found = archive.filled(replace(facts, rows=rows), MAPElites(measures=GRID))
    assert {place: row.ref.row for place, row in found.elites.items()} == {(0, 0): 1, (4, 1): 3}


def test_empty_archive_is_said(facts):
    rows = tuple(row._replace(metrics={}) for row in facts.rows)
    assert "No candidate has entered it yet" in "".join(archive.archive(replace(facts, rows=rows)).itertext())


def test_archive_keeps_the_best_by_the_goal_of_the_search(facts):
    goals = Goals({"synapses": "minimise"})
    found = archive.filled(replace(facts, goals=goals), MAPElites(measures=GRID))
    assert {place: row.ref.row for place, row in found.elites.items()} == {(0, 0): 0, (4, 1): 3}
    assert found.shown(found.worth[4, 1]) == 9
    section = html(archive.archive(replace(facts, goals=goals)))
    assert "synapses 9 to 1, best 0:0" in section
    assert "lower synapses" in section
    steps = archive.filled(facts, MAPElites(measures={"fitness": (0.0, 10.0, 5)}))
    assert {place[0]: row.ref.row for place, row in steps.elites.items()} == {2: 0, 3: 1, 1: 3, 4: 4}
