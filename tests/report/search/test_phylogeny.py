from dataclasses import replace

import pytest

from evogen.cohort import Outcome, Ref
from evogen.report.facts import Winner, gather
from evogen.report.search import phylogeny


@pytest.fixture
def facts(search):
    return gather(search(3)[0])


def family(facts, fitness, parents):
    """Return these facts with other fitness and parents by candidate; the last one is the winner."""
    by_ref = {row.ref: row for row in facts.rows}
    rows = [
        by_ref[ref]._replace(
            fitness=value,
            parents=parents.get(ref, ()),
            operator=f"made.{ref}" if ref in parents else "random",
            outcome=Outcome.OK if value is not None else Outcome.CRASHED,
        )
        for ref, value in fitness.items()
    ]
    return replace(facts, rows=tuple(rows), winner=Winner(rows[-1], None, None))


A, B, C, D, E = Ref(0, 0), Ref(0, 1), Ref(1, 0), Ref(1, 1), Ref(2, 0)
FAMILY = ({A: 1.0, B: 2.0, C: 5.0, D: 4.0, E: 9.0}, {C: (A, B), D: (B,), E: (D, C)})


def test_main_line_follows_the_fitter_parent(facts):
    found = phylogeny.pedigree(*_of(family(facts, *FAMILY)))
    assert [row.ref for row in found.line] == [E, C, B]
    assert [jump.gain for jump in found.jumps] == [4.0, 3.0]
    assert list(found.kin) == [E, D, C, B, A]
    assert found.whole


def test_drawing_has_every_ancestor_once_and_names_the_gains(facts):
    section = phylogeny.phylogeny(family(facts, *FAMILY))
    refs = [ref for item in section.iter("path") for ref in item.get("data-refs", "").split()]
    assert sorted(refs) == sorted(map(str, (A, B, C, D, E)))
    (rise,) = [item for item in section.iter("path") if item.get("class") == "edge rise"]
    assert rise.get("d").count("M") == 2
    (faint,) = [item for item in section.iter("path") if item.get("class") == "edge"]
    assert faint.get("d").count("M") == 3  # 5 edges, 2 of them on the main line
    words = [item.text for item in section.iter("text")]
    assert {"made.2:0 +4", "made.1:0 +3"} <= set(words)
    (image,) = section.iter("svg")
    assert "4 ancestors of candidate 2:0 in cohorts 0 to 2, 2 of them founders" in image.get("aria-label")
    assert "rose by 7, most at 2:0 (made.2:0: +4)" in image.get("aria-label")


def test_table_is_the_main_line_with_its_gains(facts):
    section = phylogeny.phylogeny(family(facts, *FAMILY))
    rows = [(row.get("data-ref"), ["".join(item.itertext()) for item in row]) for row in section.iter("tr")][
        1:
    ]
    assert [ref for ref, _ in rows] == ["2:0", "1:0", "0:1"]
    assert [row[2] for _, row in rows] == ["+4", "+3", "–"]


def test_old_ancestors_are_left_out_and_that_is_said(facts, monkeypatch):
    monkeypatch.setattr(phylogeny, "MOST", 3)
    found = family(facts, *FAMILY)
    assert list(phylogeny.pedigree(*_of(found)).kin) == [E, D, C]
    assert "Only the last 3 ancestors are drawn" in "".join(phylogeny.phylogeny(found).itertext())


def test_circle_of_parents_and_missing_parents_end_the_line(facts):
    fitness, _ = FAMILY
    found = phylogeny.pedigree(*_of(family(facts, fitness, {C: (E,), E: (C, Ref(7, 7))})))
    assert [row.ref for row in found.line] == [E, C]
    assert set(found.kin) == {E, C}


def test_winner_without_parents_is_said(facts):
    assert "has no parents" in "".join(phylogeny.phylogeny(family(facts, {A: 1.0}, {})).itertext())
    assert phylogeny.phylogeny(replace(facts, winner=None)) is None


def test_labels_do_not_overlap_and_stay_inside(facts):
    fitness = {Ref(0, row): 1.0 for row in range(6)} | {C: 2.0, D: 2.0, E: 2.5}
    section = phylogeny.phylogeny(family(facts, fitness, {C: (A,), E: (C,)}))
    boxes = []
    for item in section.iter("text"):
        if "halo" in item.get("class", ""):
            half = 3.1 * len(item.text)
            x, y = float(item.get("x")), float(item.get("y"))
            assert x - half >= 0
            assert x + half <= 980
            assert all(abs(x - a) >= half + b or abs(y - c) >= 12 for a, b, c in boxes)
            boxes.append((x, half, y))
    assert boxes


def _of(facts):
    return facts.rows, facts.winner.row
