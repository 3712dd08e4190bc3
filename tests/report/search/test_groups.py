from dataclasses import replace

import pytest

from evogen.report.facts import gather
from evogen.report.search import groups
from evogen.schema import Racing
from evogen.strategies.islands import Islands


def cells(section):
    return [[("".join(item.itertext())) for item in row] for row in section.iter("tr")][1:]


@pytest.fixture
def facts(search):
    return gather(search(3)[0])


def test_cohorts_belong_to_islands_in_turn(facts):
    strategy = Islands(count=2, every=1, migrants=3)
    found = replace(facts, experiment=replace(facts.experiment, strategy=strategy))
    section = groups.islands(found)
    assert [row[1] for row in cells(section)] == ["12", "6"]
    best = {row[4] for row in cells(section)}
    first = max((row for row in found.rows if row.ref.cohort != 1), key=lambda row: row.fitness)
    assert str(first.ref) in best
    (sent,) = [item for item in section.iter("path") if "rug" in item.get("class", "").split()]
    assert sent.get("d").count("M") == 3
    assert "migration: 3 to the next island" in "".join(section.itertext())


def test_islands_that_send_nobody_have_no_migration(facts):
    strategy = Islands(count=2, migrants=0)
    section = groups.islands(replace(facts, experiment=replace(facts.experiment, strategy=strategy)))
    assert "migration" not in "".join(section.itertext())


def test_search_without_parts_has_no_section(facts):
    assert groups.islands(facts) is None
    assert groups.rungs(facts) is None
    assert groups.islands(replace(facts, experiment=None)) is None


def test_rungs_count_who_began_and_who_left(facts):
    left = [1, 1, 1, 2, 2, 3] * 3
    spent = {1: 100, 2: 200, 3: 400}
    rows = [
        row._replace(metrics={"rung": float(rung)}, steps=spent[rung])
        for row, rung in zip(facts.rows, left, strict=True)
    ]
    found = replace(facts, rows=tuple(rows), experiment=replace(facts.experiment, racing=Racing(rungs=3)))
    section = groups.rungs(found)
    assert [row[:3] for row in cells(section)] == [["1", "18", "9"], ["2", "9", "6"], ["3", "3", "3"]]
    assert [row[5] for row in cells(section)] == ["900", "1,200", "1,200"]
    (image,) = section.iter("svg")
    assert "rung 1 18, rung 2 9, rung 3 3" in image.get("aria-label")
    assert "3,300 steps, 46% of what 18 whole inner loops take" in "".join(section.itertext())


def test_nobody_has_raced_yet(facts):
    found = replace(facts, rows=(), experiment=replace(facts.experiment, racing=Racing()))
    assert "No candidate has raced yet" in "".join(groups.rungs(found).itertext())
