from __future__ import annotations

import math
from pathlib import Path

import experiment_files
import pytest

import evogen
from evogen.cohort import Ref
from evogen.experiment import Check
from evogen.experiment.checks import parameters
from evogen.grammar.plan import Group, Plan, Projection

DIGITS = experiment_files.EXPERIMENT.replace("{kind: cartpole, episodes: 1, report_episodes: 1}", "digits")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return experiment_files.write(tmp_path)


def test_the_check_uses_the_best_candidate_and_is_logged(file: Path, tmp_path: Path) -> None:
    experiment = evogen.load(file)
    with evogen.run(experiment, out=tmp_path / "run") as run:
        checked = evogen.check(run, experiment, agents=3)
        assert checked.ref == run.best()
        assert len(checked.scores) == 3
        assert run.events()[-1].payload == {
            "ref": str(checked.ref),
            "title": "Gymnasium's CartPole-v1, 1 fresh episodes an agent",
            "scores": list(checked.scores),
            "search_fitness": run.candidate(checked.ref)[1].fitness,
            "episodes": None,
        }
        events = run.events()
        assert evogen.check(run, experiment, agents=3) == checked
        assert run.events() == events
        assert evogen.check(run, experiment, agents=4).scores[:3] == checked.scores


def test_the_spread_of_a_check_is_the_sample_deviation() -> None:
    checked = Check(Ref(0, 0), (1.0, 2.0, 3.0))
    assert (checked.mean, checked.spread) == (2.0, 1.0)


def test_ordinary_models_of_the_winners_size_stand_beside_a_classifier(tmp_path: Path) -> None:
    grammar = experiment_files.GRAMMAR.replace("1,2,4", "1,6,6")
    experiment = evogen.load(experiment_files.write(tmp_path, experiment=DIGITS, grammar=grammar))
    with evogen.run(experiment, out=tmp_path / "run") as run:
        beside = evogen.compare(run, experiment)
        logged = run.events()[-1]
        assert evogen.compare(run, experiment) == beside
        assert run.events()[-1] == logged
    assert beside["MLP, 6 hidden units"].parameters == 64 * 6 + 6 + 6 * 10 + 10
    assert beside["logistic regression"].test > 0.9
    assert logged.kind == "baselines"
    assert [row["name"] for row in logged.payload["rows"]] == list(beside)


def test_a_control_task_has_no_models_beside_it(file: Path, tmp_path: Path) -> None:
    experiment = evogen.load(file)
    with evogen.run(experiment, out=tmp_path / "run") as run:
        assert evogen.compare(run, experiment) == {}
        assert "baselines" not in {event.kind for event in run.events()}


def test_parameters_are_expected_synapses_and_biases() -> None:
    groups = (Group(1, "in", 4), Group(2, "l0", 10), Group(1, "out", 2))
    plan = Plan(groups, (Projection(0, 1, 2, density=0.5), Projection(1, 2, 2)))
    assert parameters(plan) == 20 + 20 + 10 + 2


def test_spread_is_unknown_where_an_agents_score_is_not_finite() -> None:
    assert Check(Ref(0, 0), (1.0, 3.0)).spread == pytest.approx(2**0.5)
    assert math.isnan(Check(Ref(0, 0), (1.0, math.nan, 3.0)).spread)
