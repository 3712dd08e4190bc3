from dataclasses import replace

import pytest

from evogen.cohort import Outcome, Ref
from evogen.report.facts import gather
from evogen.report.search import operators

MADE = [  # fitness, operator, parents
    (1.0, "random", ()),
    (4.0, "random", ()),
    (None, "random", ()),
    (5.0, "crossover+rules.gaussian", (0, 1)),
    (3.0, "rules.gaussian", (0,)),
    (None, "crossover", (1, 0)),
]


@pytest.fixture
def facts(search):
    found = gather(search(1)[0])
    rows = [
        row._replace(
            fitness=fitness,
            operator=operator,
            parents=tuple(Ref(0, parent) for parent in parents),
            outcome=Outcome.OK if fitness is not None else Outcome.DIVERGED,
        )
        for row, (fitness, operator, parents) in zip(found.rows, MADE, strict=True)
    ]
    return replace(found, rows=tuple(rows))


def test_gains_are_over_the_best_parent(facts):
    found = {one.operator: one for one in operators.yields(facts.rows)}
    assert found["crossover"] == ("crossover", 2, 1, 1, 1.0, 1.0)
    assert found["rules.gaussian"] == ("rules.gaussian", 2, 2, 2, 1.5, 2.0)
    assert found[""] == ("", 3, 2, 2, 1.5, 2.0)
    assert set(found) == {"crossover", "rules.gaussian", ""}


def test_table_shows_each_operator_and_then_all_children(facts):
    section = operators.operators(facts)
    rows = [["".join(item.itertext()) for item in row] for row in section.iter("tr")][1:]
    assert [row[0] for row in rows] == ["crossover", "rules.gaussian", "all children"]
    assert rows[0][1:4] == ["2", "50%", "50.0%"]


def test_search_without_parents_has_no_section(search):
    facts = gather(search(1)[0])
    assert operators.operators(facts) is None
    assert operators.values(facts) == []


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 10, 0.0, 0.27753), (5, 10, 0.23659, 0.76341), (81, 263, 0.25526, 0.36616)],
)
def test_interval_is_wilsons(count, of, low, high):
    """The last is the worked example of Newcombe (1998), method 3: 81 of 263, 0.2553 to 0.3662."""
    assert operators.wilson(count, of) == pytest.approx((low, high), abs=5e-5)
