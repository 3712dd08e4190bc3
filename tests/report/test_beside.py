import re
from dataclasses import replace

import pytest

from evogen.report import beside
from evogen.report.differing import differences
from evogen.report.facts import Assessment, gather

from .searches import CLASSIFIED, CONTROL


@pytest.fixture
def two(search):
    return [gather(search(3, name=name)[0]) for name in ("one", "two")]


def words(section):
    return re.sub(r"\s+", " ", " ".join(section.itertext()))


def cells(table):
    return [["".join(item.itertext()) for item in row] for row in table.iter("tr")][1:]


def test_one_run_has_nothing_beside_it(two):
    assert beside.side_by_side(two[:1]) is None
    assert beside.side_by_side([]) is None


def test_equal_runs_have_no_warning(two):
    assert list(differences(two)) == []
    section = beside.side_by_side(two)
    assert not [item for item in section.iter("p") if item.get("class") == "warning"]


def test_table_has_a_line_for_each_run(two):
    fresh = Assessment("fresh episodes", (10.0, 30.0), 5)
    listed, winners = beside.side_by_side([two[0], replace(two[1], assessment=fresh)]).iter("table")
    first, second = cells(listed)
    best = f"{two[0].winner.row.fitness:.4g}"
    assert first[:9] == ["one", "cartpole", "random", "7", "18", "18,000", "100%", best, "–"]
    assert second[8:10] == ["20", "14.14"]
    told = {row[0]: row[1:] for row in cells(winners)}
    assert told["candidate"] == [str(two[0].winner.row.ref), str(two[1].winner.row.ref)]
    assert told["fresh score"] == ["–", "20"]
    assert told["optimism gap"][1] == f"{two[1].winner.row.fitness - 20:.4g}"
    assert "rule.abcd.eta" in told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("episodes: 1", "episodes: 2"), "differ in task"),
        (lambda text: text.replace("agents: 4", "agents: 5"), "differ in births"),
        (lambda text: text.replace("cohort_size: 6", "cohort_size: 5"), "differ in candidates"),
    ],
)
def test_runs_that_cannot_be_compared_are_named_loudly(search, change, said):
    found = [gather(search(3, name="one")[0]), gather(search(3, name="two", text=change(CONTROL))[0])]
    section = beside.side_by_side(found)
    (text,) = [
        "".join(item.itertext())
        for item in section.iter("p")
        if item.get("class") == "warning" and said in "".join(item.itertext())
    ]
    assert "(one)" in text
    assert "(two)" in text


def test_versions_and_devices_are_compared(two):
    other = replace(two[1], environment={"device": "cuda", "versions": {"torch": "9.9"}})
    found = list(differences([two[0], other]))
    assert [text.partition(":")[0] for text in found] == [
        "The runs differ in versions",
        "The runs differ in device",
    ]
    assert "torch 9.9 (two)" in found[0]


def test_other_tasks_have_other_steps(search):
    found = [gather(search(3, name="one")[0]), gather(search(3, name="two", text=CLASSIFIED)[0])]
    text = " ".join(differences(found))
    assert "do not compare it" in text
    assert "training examples seen" in text


def test_every_run_has_a_line_over_both_axes(two):
    section = beside.side_by_side(two)
    first = [svg for svg in section.iter("svg") if "Best fitness so far" in svg.get("aria-label")]
    assert ["candidates" in svg.get("aria-label") for svg in first] == [True, False]
    for svg in first:
        lines = [item for item in svg.iter("path") if "line" in item.get("class", "").split()]
        assert [item.get("class") for item in lines] == ["line blue", "line orange"]
        assert [item.get("data-run") for item in svg.iter("g") if item.get("data-run")] == ["1", "2"]


def test_runs_of_an_arm_share_its_colour(search):
    seeds = [CONTROL.replace("seed: 7", f"seed: {seed}") for seed in (1, 2)]
    other = CONTROL.replace("cohort_size: 6", "cohort_size: 5")
    texts = {"wide-1": seeds[0], "wide-2": seeds[1], "narrow": other}
    found = [gather(search(3, name=name, text=text)[0]) for name, text in texts.items()]
    assert beside.arms_of(found) == {"wide": [0, 1], "narrow": [2]}
    first = next(beside.side_by_side(found).iter("svg"))
    kinds = [item.get("class") for item in first.iter("path") if "line" in item.get("class", "").split()]
    assert kinds == ["line blue", "line blue", "line orange"]
    assert "wide (2 runs)" in words(beside.side_by_side(found))


def test_beyond_ten_runs_only_the_best_have_colours(two):
    found = [replace(two[0], name=f"run{at}") for at in range(11)]
    better = two[0].winner.row._replace(fitness=1e3)
    found[4] = replace(found[4], winner=replace(two[0].winner, row=better))
    section = beside.side_by_side(found)
    first = next(section.iter("svg"))
    kinds = [item.get("class") for item in first.iter("path") if "line" in item.get("class", "").split()]
    assert kinds.count("line grey faint") == 8
    assert kinds[8:] == ["line orange", "line green", "line blue"]
    assert "8 other runs" in words(section)


def test_runs_without_winner_or_experiment_are_shown(search, two):
    empty = replace(gather(search(0, name="empty")[0]), experiment=None)
    section = beside.side_by_side([two[0], empty])
    assert "unfinished" in words(section)
    assert len(cells(next(section.iter("table")))) == 2
    nothing = beside.side_by_side([empty, empty])
    assert "No run has a winner yet" in words(nothing)
