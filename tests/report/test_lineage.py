import json
from itertools import pairwise

import pytest

from evogen.analysis.lineage import ancestors, main_line
from evogen.cohort import Outcome, Ref
from evogen.report import lineage
from evogen.report.markup import html
from evogen.report.page import document

from .searches import Page


@pytest.fixture
def run(search):
    return search(3, ends=lambda ref: Outcome.OK if ref.row != 2 else Outcome.CRASHED)[0]


def shown(run, ref):
    return lineage.sections(run, list(ancestors(run, ref)), main_line(run, ref))


def tables(sections):
    """Return the tables by the heading above them: (data-ref, texts) of each line."""
    found = {}
    for section in (each for top in sections for each in top.iter("section")):
        lines = [
            (line.get("data-ref"), ["".join(item.itertext()) for item in line]) for line in section.iter("tr")
        ]
        found["".join(next(iter(section)).itertext())] = lines[1:]
    return found


def test_page_shows_the_main_line_and_its_gains(run):
    found = tables(shown(run, Ref(2, 3)))
    line = main_line(run, Ref(2, 3))
    assert [ref for ref, _ in found["Main line"]] == [str(one.ref) for one in line]
    rises = {child.ref: child.fitness - parent.fitness for child, parent in pairwise(line)}
    best = sorted((ref for ref in rises if rises[ref] > 0), key=lambda ref: -rises[ref])
    assert [ref for ref, _ in found["Where fitness rose"]] == list(map(str, best))
    shares = [int(texts[5].rstrip("%")) for _, texts in found["Where fitness rose"]]
    assert sum(shares) in (99, 100, 101)


def test_operators_count_all_ancestors_and_those_on_the_main_line(run):
    kin = list(ancestors(run, Ref(2, 3)))
    rows = {texts[0]: texts[1:] for _, texts in tables(shown(run, Ref(2, 3)))["What made them"]}
    children = [one for one in kin if one.ref.cohort]
    assert rows["crossover"][:2] == [str(len(children)), "2"]
    assert rows["random"][:2] == [str(len(kin) - len(children)), "1"]
    assert rows["random"][2:] == ["0", "0"]  # who has no parent gained nothing over one


def test_every_ancestor_is_drawn_and_known_to_the_script(run):
    (whole,) = shown(run, Ref(2, 3))
    names = {str(one.ref) for one in ancestors(run, Ref(2, 3))}
    drawn = [ref for path in whole.iter("path") for ref in path.get("data-refs", "").split()]
    assert sorted(drawn) == sorted(names)
    (block,) = [item for item in whole.iter("script") if item.get("class") == "candidates"]
    assert set(json.loads(block.text)["refs"]) == names


def test_founder_has_no_ancestors_and_missing_parents_are_named(run):
    text = " ".join(html(section) for section in shown(run, Ref(0, 3)))
    assert "No ancestors" in text
    assert "made by 'random' in cohort 0" in text
    run._database.execute("UPDATE candidate SET parents = '[[9,9]]' WHERE cohort = 2")
    assert "Its parents 9:9 are not in the run" in " ".join(map(html, shown(run, Ref(2, 3))))


def test_failed_candidate_has_its_outcome_in_place_of_a_fitness(run):
    found = tables(shown(run, Ref(2, 2)))
    assert found["Main line"][0][1][1:3] == ["crashed", "–"]


def test_line_without_a_gain_says_so(run):
    run._database.execute("UPDATE candidate SET fitness = 5.0 WHERE outcome = 'ok'")
    text = " ".join(html(section) for section in shown(run, Ref(2, 3)))
    assert "Nowhere: no candidate of the main line beats its parent" in text


def test_long_lines_and_many_ancestors_are_cut_and_that_is_said(run, monkeypatch):
    monkeypatch.setattr(lineage, "MOST", 2)
    monkeypatch.setattr(lineage, "LISTED", 2)
    monkeypatch.setattr(lineage, "GAINS", 1)
    text = " ".join(html(section) for section in shown(run, Ref(2, 3)))
    assert "Only the last 2 ancestors are drawn" in text
    assert "1 older ones are in the file of --json" in text


def test_what_a_run_says_is_escaped(run):
    run._database.execute("UPDATE candidate SET operator = '<img src=x>'")
    page = Page(document("lineage", shown(run, Ref(2, 3))))
    assert page.named("img") == []
    assert "<img src=x>" in page.text
