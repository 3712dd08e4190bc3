from dataclasses import replace

import pytest

from evogen.report.facts import gather
from evogen.report.markup import element, html
from evogen.report.winner.plasticity import fixed, settings
from evogen.space import Log


def circles(parts):
    return [float(item.get("cx")) for item in element("div", *parts).iter("circle")]


def test_values_stand_where_their_range_says(search):
    facts = gather(search()[0])
    own, ranges = facts.winner.genome.plasticity, facts.experiment.space.plasticity
    found = [(x - 8) / 254 for x in circles(settings(own, facts.experiment, facts.winner.plan))]
    assert found == pytest.approx([ranges[name].unit(value) for name, value in own.items()], abs=1e-4)
    assert isinstance(ranges["rule.abcd.eta"], Log)
    text = html(element("div", *settings(own, facts.experiment, facts.winner.plan)))
    assert text.count(">log scale<") == 1
    assert "rule.abcd.eta is" in text


def test_numbers_that_the_grammar_fixed_say_in_how_many_links(search):
    facts = gather(search()[0])
    plan = facts.winner.plan
    first, *rest = plan.projections
    said = first._replace(rule="abcd", coefficients={"B": 0.25})
    plan = replace(plan, projections=(said, *(link._replace(rule="none") for link in rest)))
    rows = {
        "".join(row[0].itertext()): ["".join(row[1].itertext()), row[2]]
        for row in fixed(facts.winner.genome.plasticity, facts.experiment, plan)
    }
    assert rows["rule.abcd.B"] == ["0.25", "the grammar, in 1 of 1 plastic links"]
    assert rows["rule.abcd.decay"] == ["0", "the experiment"]
    assert "rule.abcd.eta" not in rows  # it evolves


def test_without_plastic_links_nothing_is_fixed(search):
    facts = gather(search()[0])
    plan = facts.winner.plan
    still = replace(plan, projections=tuple(link._replace(rule="none") for link in plan.projections))
    assert fixed({}, facts.experiment, still) == []
    assert fixed({}, facts.experiment, None) == []
    assert "Nothing here varies" in html(element("div", *settings({}, None, None)))
