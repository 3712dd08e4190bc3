import json
from dataclasses import replace

import numpy as np

from evogen.experiment.checks import parameters
from evogen.report.facts import gather
from evogen.report.markup import html
from evogen.report.winner import portrait, values, verdict

from ..searches import CLASSIFIED, Page


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


def test_page_of_the_winner_has_every_part(search):
    control, classified = gather(search()[0]), gather(search(name="digits", text=CLASSIFIED)[0])
    shared = [
        "Architecture",
        "Genetic rules, after its life",
        "Expression, after its life",
        "Weights at birth",
    ]
    for facts, life in (
        (control, "An episode of its life"),
        (classified, "What it takes the test examples for"),
    ):
        titles = [item.text for item in portrait(facts).iter("h3")]
        assert titles == [*shared, "Plasticity and inner loop", life]


def test_every_drawing_says_what_it_shows(search):
    for item in portrait(gather(search()[0])).iter("svg"):
        assert len(item.get("aria-label")) > 15


def test_what_cannot_be_developed_is_left_out_and_the_rest_shown(search):
    found = portrait(replace(gather(search()[0]), portrait=None))
    assert "could not be developed" in section(found).text
    titles = [item.text for item in found.iter("h3")]
    shown = ["Architecture", "Genetic rules, after its life", "Born agents", "Plasticity and inner loop"]
    assert titles == shown


def test_a_winner_whose_arrays_are_lost_is_shown_without_them(search):
    run, _ = search()
    for file in (run.path / "arrays").iterdir():
        file.unlink()
    facts = gather(run)
    assert facts.portrait is None
    found = section(portrait(facts)).text
    assert "The architecture cannot be shown" in found
    assert "could not be developed" in found
    assert str(facts.winner.row.ref) in found


def test_notes_of_the_portrait_stand_above_it(search):
    facts = gather(search()[0])
    noted = replace(facts, portrait=replace(facts.portrait, notes=("The network is large.",)))
    told = [item.text for item in portrait(noted).iter("p") if item.get("class") == "warning"]
    assert told == ["The network is large."]


def test_values_are_plain_numbers(search):
    run, _ = search(text=CLASSIFIED)
    facts = gather(run)
    found = json.loads(json.dumps(values(facts), allow_nan=False))
    assert found["candidate"] == str(run.best())
    assert found["neurons"] == facts.portrait.neurons
    assert np.sum(found["confusion"]["counts"]) == facts.portrait.confusion.examples.sum()
    assert found["verdict"] is None
    control = values(gather(search(name="control")[0]))
    assert control["episode"]["steps"] == control["episode"]["return"]  # each step of CartPole is worth 1
    assert values(gather(search(0, name="empty")[0])) is None
