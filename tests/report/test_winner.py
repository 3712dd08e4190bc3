import re

import numpy as np
import pytest

from evogen.experiment.checks import parameters
from evogen.report.facts import gather
from evogen.report.markup import html
from evogen.report.winner import portrait, verdict

from .searches import CLASSIFIED, Page


def section(made):
    return Page(html(made))


def rows(made):
    return [["".join(item.itertext()) for item in row] for row in made.iter("tr")]


def assess(run, scores, ref=None):
    place = str(ref or run.best())
    run.log("assessment", ref=place, title="new starts", scores=scores, search_fitness=1.0, episodes=10)


def test_fresh_scores_stand_beside_the_search_s_estimate(search):
    run, _ = search()
    assess(run, [30.0, 40.0, 50.0])
    facts = gather(run)
    found = rows(verdict(facts))
    assert found[2] == ["fresh", "40", "10", "30", "50", "3"]
    assert found[1][-1] == "4"
    gap = facts.winner.row.fitness - 40
    assert f"Optimism gap: {gap:.3g}" in section(verdict(facts)).text.replace("−", "-")
    assert "new starts: 3 agents born anew, 10 episodes each" in section(verdict(facts)).text


def test_what_was_not_assessed_is_said(search):
    control, _ = search()
    classified, _ = search(name="digits", text=CLASSIFIED)
    assert section(verdict(gather(control))).text.count("Not assessed yet") == 1
    assert section(verdict(gather(classified))).text.count("Not assessed yet") == 2


def test_assessment_of_an_earlier_winner_is_not_shown(search):
    run, _ = search()
    assess(run, [1.0, 2.0], ref="0:0")
    assert "Not assessed yet" in section(verdict(gather(run))).text


def test_baselines_stand_in_one_table_with_the_winner(search):
    run, _ = search(text=CLASSIFIED)
    assess(run, [0.95, 0.97])
    models = [
        {"name": "logistic regression", "validation": 0.95, "test": 0.9611, "parameters": 650},
        {"name": "MLP, 32 hidden", "validation": 0.96, "test": 0.97, "parameters": 2410},
    ]
    run.log("baselines", title="digits", rows=models)
    facts = gather(run)
    found = {row[0]: row[1:] for row in rows(verdict(facts))}
    assert found["logistic regression"] == ["0.95", "0.9611", "650"]
    assert found["MLP, 32 hidden"] == ["0.96", "0.97", "2,410"]
    assert found["the winner"][1:] == ["0.96", f"{parameters(facts.winner.plan):,}"]


def test_plasticity_values_stand_where_their_range_says(search):
    facts = gather(search()[0])
    made = portrait(facts)
    wanted = [
        facts.experiment.space.plasticity[name].unit(value)
        for name, value in facts.winner.genome.plasticity.items()
    ]
    found = [(float(item.get("cx")) - 8) / 154 for item in made.iter("circle")]
    assert found == pytest.approx(wanted, abs=1e-4)
    assert len(set(np.round(wanted, 3))) == 2
    assert "rule.abcd.eta is" in html(made)


def test_ancestry_follows_the_fitter_parent_to_the_first_cohort(search):
    run, _ = search(3)
    facts = gather(run)
    fitness = {row.ref: row.fitness for row in facts.rows}
    line = [facts.winner.row]
    while line[-1].parents:
        best = max(line[-1].parents, key=fitness.__getitem__)
        line.append(next(row for row in facts.rows if row.ref == best))
    found = [row[0] for row in rows(portrait(facts)) if re.fullmatch(r"\d+:\d+", row[0])]
    assert found == [str(row.ref) for row in line]
    assert len(found) == 3


def test_ancestry_ends_after_ten_steps(search):
    run, _ = search(14)
    found = [row[0] for row in rows(portrait(gather(run))) if re.fullmatch(r"\d+:\d+", row[0])]
    assert len(found) == 11
    assert "older ones are left out" in section(portrait(gather(run))).text
