from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import yaml
from experiment_files import write
from ribs.archives import GridArchive

import evogen
from evogen.cohort import Ref
from evogen.errors import SpecError
from evogen.strategies import Told, map_elites
from evogen.strategies.map_elites import MAPElites, archive, standing
from evogen.strategies.random import Random

from .told import SCENE, numbers, scene_of, search

MEASURES = {"synapses": (0.0, 10.0, 5), "depth": (1.0, 4.0, 3)}
GRID = MAPElites(measures=MEASURES, initial=16)


def told(row: int, fitness: float | None, synapses: float, depth: float, violation: float = 0.0) -> Told:
    return Told(
        Ref(0, row),
        fitness,
        violation=violation,
        metrics={"synapses": synapses, "depth": depth, "steps": 1.0},
    )


def corner(ref: Ref, x: list[float]) -> Told:
    """Be near (1, 1) in c and d; a and b are what may differ."""
    return Told(
        ref, -((1 - x[2]) ** 2) - (1 - x[3]) ** 2, metrics={"synapses": 10 * x[0], "depth": 1 + 3 * x[1]}
    )


def cell(result: Told) -> tuple[int, ...]:
    """Place of a candidate, written down anew."""
    return tuple(
        int(np.clip(np.floor((result.metrics[name] - low) / (high - low) * cells), 0, cells - 1))
        for name, (low, high, cells) in MEASURES.items()
    )


def test_every_cell_keeps_its_best_and_of_equals_the_one_told_first():
    rng = np.random.default_rng(0)
    results = [told(row, float(rng.integers(5)), *rng.uniform(-2, 12, 2)) for row in range(200)]
    best: dict[tuple[int, ...], Told] = {}
    for result in results:
        if cell(result) not in best or result.fitness > best[cell(result)].fitness:
            best[cell(result)] = result
    expected = [best[at].ref for at in sorted(best)]
    whole = GRID.tell(GRID.start(), results, scene=SCENE)
    assert [elite.ref for elite in archive(whole)] == expected
    state = GRID.start()
    for first in range(0, len(results), 7):
        state = GRID.tell(state, results[first : first + 7], scene=SCENE)
    assert state == whole
    assert state["told"] == 200


def test_only_successes_that_keep_the_constraints_and_were_measured_enter():
    results = [
        told(0, None, 1, 1),
        told(1, 9.0, 1, 1, violation=0.1),
        Told(Ref(0, 2), 9.0, metrics={"synapses": 1.0}),
        told(3, 9.0, float("nan"), 1),
        told(4, 1.0, 1, 1),
    ]
    assert [elite.ref.row for elite in archive(GRID.tell(GRID.start(), results, scene=SCENE))] == [4]


def test_measures_beyond_a_range_count_to_its_end():
    results = [told(0, 1.0, 1e300, -1e300), told(1, 2.0, 10.0, 1.0), told(2, 3.0, -5.0, 9.0)]
    elites = archive(GRID.tell(GRID.start(), results, scene=SCENE))
    assert [(one.ref.row, one.measures) for one in elites] == [(2, (0.0, 4.0)), (1, (10.0, 1.0))]


def test_standing_is_that_of_ribs_own_archive():
    rng = np.random.default_rng(1)
    results = [told(row, float(rng.normal()), *rng.uniform(0, 10, 2)) for row in range(100)]
    theirs = GridArchive(solution_dim=1, dims=(5, 3), ranges=((0, 10), (1, 4)), qd_score_offset=-5.0)
    for one in results:
        theirs.add_single([0], one.fitness, [one.metrics[name] for name in MEASURES])
    ours = standing(GRID, GRID.tell(GRID.start(), results, scene=SCENE), floor=-5.0)
    assert ours.elites == theirs.stats.num_elites
    assert ours.coverage == pytest.approx(theirs.stats.coverage)
    assert ours.qd_score == pytest.approx(theirs.stats.qd_score)
    assert ours.best == theirs.stats.obj_max
    assert standing(GRID, GRID.start()) == (0, 0.0, 0.0, None)


def test_parents_are_drawn_evenly_from_the_filled_cells():
    found = search(GRID, corner, cohorts=6)
    elites = archive(found.state)
    asked = replace(GRID, crossover=0.5).ask(found.state, 6, 2000, scene=scene_of(found))
    mothers = Counter(one.parents[0] for one in asked)
    expected = 2000 / len(elites)
    # chi-square with len - 1 degrees of freedom, limit four standard deviations above its mean
    chi = sum((mothers[elite.ref] - expected) ** 2 / expected for elite in elites)
    assert mothers.keys() <= {elite.ref for elite in elites}
    assert chi < len(elites) - 1 + 4 * np.sqrt(2 * (len(elites) - 1))
    pairs = [one.parents for one in asked if len(one.parents) == 2]
    assert abs(len(pairs) - 1000) < 4 * np.sqrt(500)
    assert all(a != b for a, b in pairs)


def test_candidates_are_drawn_until_enough_were_told_and_a_cell_is_filled():
    found = search(GRID, corner, cohorts=4, size=8)
    assert [bool(one.parents) for one in found.asked.values()] == [False] * 16 + [True] * 16
    failing = search(GRID, lambda ref, x: Told(ref, None), cohorts=4, size=8)
    assert {one.operator for one in failing.asked.values()} == {"random"}
    assert failing.state == {"told": 32, "elites": []}


def test_a_lonely_elite_breeds_alone():
    first = search(GRID, corner, cohorts=1)
    state = GRID.tell(GRID.start(), [corner(Ref(0, 0), [0.1] * 4)] * 16, scene=SCENE)
    asked = GRID.ask(state, 1, 20, scene=scene_of(first))
    assert {one.parents for one in asked} == {(Ref(0, 0),)}


def test_a_row_does_not_depend_on_the_size_of_its_cohort():
    found = search(GRID, corner, cohorts=3)
    few, many = (GRID.ask(found.state, 3, size, scene=scene_of(found)) for size in (3, 9))
    assert many[:3] == few


@pytest.mark.parametrize("lookahead", [1, 3])
def test_it_fills_the_grid_better_than_random_search(lookahead):
    # ten seeds, 240 candidates each; were both equally good, ten wins of ten would have probability 1e-3. By
    # the law gaussian: lines between the elites of 15 cells only shrink what they span (as with `ribs`)
    grid = replace(GRID, plasticity_law="gaussian", crossover=0.5, mutate_plasticity=0.5)
    for seed in range(10):
        options = {"cohorts": 15, "seed": seed, "lookahead": lookahead}
        ours = search(grid, corner, **options).state
        drawn = search(Random(), corner, **options)
        theirs = GRID.tell(GRID.start(), list(drawn.told.values()), scene=SCENE)
        assert standing(GRID, ours, floor=-2).qd_score > standing(GRID, theirs, floor=-2).qd_score


def test_who_is_welcomed_takes_its_cell_once_and_counts_not_as_told():
    state = GRID.tell(GRID.start(), [told(0, 1.0, 1, 1), told(1, 1.0, 5, 1)], scene=SCENE)
    migrants = [Told(Ref(7, 0), 2.0, metrics={"synapses": 1.0, "depth": 1.0}), told(1, 1.0, 5, 1)]
    after = GRID.welcome(state, migrants, scene=SCENE)
    assert [elite.ref for elite in archive(after)] == [Ref(7, 0), Ref(0, 1)]
    assert after["told"] == 2
    assert GRID.welcome(after, migrants, scene=SCENE) == after


def test_the_grid_is_named_in_the_experiment_and_survives_its_canonical_form(tmp_path):
    text = "{kind: map-elites, measures: {synapses: [0, 500, 20], depth: [1, 6, 6]}}"
    experiment = evogen.load(write(tmp_path), [f"strategy={text}"])
    assert experiment.strategy.measures == {"synapses": (0.0, 500.0, 20), "depth": (1.0, 6.0, 6)}
    assert experiment.strategy.cells == 120
    (tmp_path / "again.yaml").write_text(experiment.yaml)
    (tmp_path / "grammar.bnf").write_text(experiment.grammar)
    assert evogen.load(tmp_path / "again.yaml").strategy == experiment.strategy
    assert yaml.safe_load(experiment.yaml)["strategy"]["measures"]["depth"] == [1.0, 6.0, 6]


@pytest.mark.parametrize(
    ("measures", "wanted"),
    [
        ("{}", "measures: wanted at least one"),
        ("{synapse: [0, 5, 5]}", "unknown measure 'synapse'; did you mean 'synapses'"),
        ("{synapses: [5, 5, 5]}", r"measures\.synapses: wanted \[LOW, HIGH, CELLS\]"),
        ("{synapses: [0, 5, 0]}", r"measures\.synapses: wanted \[LOW, HIGH, CELLS\]"),
        ("{synapses: [0, 5, 1000], steps: [0, 5, 1001]}", "at most 1,000,000 cells in all, found 1,001,000"),
        ("{synapses: [0, 5]}", r"strategy\.measures: wanted .*found"),
    ],
)
def test_a_grid_that_is_none_is_refused_where_it_stands(tmp_path, measures, wanted):
    with pytest.raises(SpecError, match=f"--set.*{wanted}"):
        evogen.load(write(tmp_path), [f"strategy={{kind: map-elites, measures: {measures}}}"])


def test_without_ribs_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(map_elites, "find_spec", lambda name: None)
    with pytest.raises(SpecError, match=r"strategy.*pip install 'evogen\[qd\]'"):
        evogen.load(write(tmp_path), ["strategy=map-elites"])


def test_children_of_two_elites_are_on_the_line_through_both_but_for_a_hundredth():
    found = search(GRID, corner, cohorts=4)
    asked = GRID.ask(found.state, 4, 200, scene=scene_of(found))
    couples = [one for one in asked if one.operator == "crossover"]
    assert len(couples) > 100
    for one in couples:
        mother, father = (np.array(numbers(found.asked[ref].genome)) for ref in one.parents)
        x, way = np.array(numbers(one.genome)), father - mother
        if x.min() > 0 and x.max() < 1:
            off = x - mother - way * ((x - mother) @ way) / (way @ way)
            assert off @ off < 0.06**2  # six standard deviations
