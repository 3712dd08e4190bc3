import shlex
from dataclasses import replace

import pytest

import evogen
from evogen.cohort import Outcome
from evogen.report.facts import gather
from evogen.report.search import overview
from evogen.strategies.goals import Goals


def words(made):
    return " ".join(made.itertext())


def test_heading_says_what_was_searched_and_how_far(search):
    run, _ = search(2)
    found = words(overview.heading(gather(run)))
    for part in (
        "task cartpole",
        "strategy random",
        "learner ppo",
        "wiring synaptogen",
        "lamarckian",
        "seed 7",
    ):
        assert part in found
    tiles = dict(
        zip(*[[i.text for i in overview.heading(gather(run)).iter(tag)] for tag in ("dt", "dd")], strict=True)
    )
    assert tiles["cohorts told"] == "2 of 3"
    assert tiles["candidates that ended ok"] == "12 of 12"
    assert tiles["inner loop, environment steps"] == "12,000"
    assert tiles["work, all workers together"] == "3 s"
    assert tiles["fresh score of the winner"] == "not yet"


def test_finished_search_has_no_warning(search):
    assert not [p for p in overview.heading(gather(search(3)[0])).iter("p") if p.get("class") == "warning"]


def test_leaders_are_the_ten_best_in_order(search):
    run, _ = search(3)
    facts = gather(run)
    made = overview.leaders(facts)
    found = [row[1].text for row in made.iter("tr")][1:]
    wanted = sorted(facts.rows, key=lambda row: -row.fitness)[:10]
    assert found == [str(row.ref) for row in wanted]
    orders = [float(row[2].get("data-order")) for row in made.iter("tr") if row[2].get("data-order")]
    assert orders == sorted(orders, reverse=True)


def test_failures_are_counted_and_speak_once_each(search):
    run, _ = search(3, ends=lambda ref: [*Outcome][ref.row % 5], message="KeyError: 'x'")
    made = overview.outcomes(gather(run))
    rows = [[item.text for item in row][:3] for row in made.iter("tr")][1:]
    assert rows == [["ok", "6", "33.3%"], *([kind.value, "3", "16.7%"] for kind in [*Outcome][1:])]
    assert [item.text for item in made.iter("pre")] == ["KeyError: 'x'"] * 4


def test_environment_is_a_table(search):
    made = overview.environment(gather(search()[0]))
    rows = dict([item.text for item in row] for row in made.iter("tr"))
    assert rows["git"] == "–"
    assert rows["versions"] == "torch 2.13.0"


@pytest.mark.parametrize(("cohorts", "which"), [(2, "of the 2 cohorts told so far"), (3, "of the same run")])
def test_reproduction_gives_the_command_and_the_fingerprint(search, cohorts, which):
    run, experiment = search(cohorts, name="my run")
    made = overview.reproduction(gather(run))
    first, second = next(made.iter("pre")).text.splitlines()
    program, command, file, *options = shlex.split(first)
    assert (program, command) == ("evogen", "run")
    assert options[:3] == ["--seed", "7", "-o"]
    again = evogen.load(file, ["seed=7"])
    assert (again.yaml, again.grammar) == (experiment.yaml, experiment.grammar)
    assert shlex.split(second) == ["evogen", "fingerprint", options[3]]
    assert run.fingerprint() in words(made)
    assert which in words(made)


def test_reproduction_names_what_was_changed_since_the_run_began(search):
    run, _ = search(2)
    for cohorts in (4, 5):
        run.log("changed", key="search.cohorts", **{"from": 3, "to": cohorts}, versions={})
    (command,) = (
        item.text for item in overview.reproduction(gather(run)).iter("pre") if "run" in item.text[:12]
    )
    assert "--set search.cohorts=5" in command
    assert command.count("--set") == 1


def test_best_is_said_of_a_fitness_only_where_it_was_the_goal(search):
    facts = gather(search()[0])
    assert "best fitness in the search" in words(overview.heading(facts))
    other = replace(facts, goals=Goals({"synapses": "minimise"}))
    assert "the winner's fitness in the search" in words(overview.heading(other))
